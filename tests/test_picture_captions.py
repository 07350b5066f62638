"""Captions of a collection's pictures: tables of other make, captions of no picture, names that cameras give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from picture_shapes import COLOURS, shape

pytest.importorskip("torch", reason="needs castalia[train]")

from castalia.core.errors import UsageError
from castalia.training import Collection, add

RED = COLOURS["red"][0]


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for pictures, and a home of its own."""
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path / "home"))
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)


def taken(source: Path) -> Collection:
    return add("mine", str(source), kind="picture", owner="Me", licence="own work")


@pytest.mark.parametrize("table", ["file;text\na.png;red circle\n", "File\tText \na.png\tred circle\n"])
def test_a_table_is_read_whatever_its_signs_between_and_its_capitals(pictures: Path, table: str) -> None:
    save(pictures / "a.png", shape("circle", RED))
    (pictures / "captions.csv").write_text(table)
    assert taken(pictures).pieces["a.png"].text == "red circle"


def test_captions_that_are_of_no_picture_are_told(pictures: Path) -> None:
    save(pictures / "sub" / "a.png", shape("circle", RED))
    (pictures / "captions.csv").write_text("file,text\na.png,red circle\nb.png,blue square\n")
    mine = taken(pictures)
    assert mine.pieces["sub/a.png"].text == "red circle"
    assert mine.card["dropped"] == {"captions.csv": "1 of its 2 captions are of pictures that are not there, as b.png"}
    (pictures / "captions.csv").write_text("picture,says\na.png,red circle\n")
    assert taken(pictures).card["dropped"] == {
        "captions.csv": "it names no picture: it has `picture, says` and no `file`"
    }


def test_what_a_camera_calls_a_picture_is_no_caption(pictures: Path) -> None:
    for number, name in enumerate(("IMG_0001", "DSC00017", "PXL_20240101_1", "照片 3", "42")):
        save(pictures / f"{name}.png", shape("circle", list(COLOURS.values())[number][0]))
    with pytest.raises(UsageError, match="no piece that fits") as caught:
        taken(pictures)
    assert "neither in captions.csv, nor in a .txt beside it, nor in its name" in str(caught.value)
    save(pictures / "IMG_0002 red circle.png", shape("circle", RED))
    assert [each.text for each in taken(pictures).pieces.values()] == ["red circle"]


def test_where_there_is_nothing_of_a_kind_the_other_kinds_are_named(pictures: Path) -> None:
    save(pictures / "red circle.png", shape("circle", RED))
    with pytest.raises(UsageError, match="no piece that fits") as caught:
        add("mine", str(pictures), kind="tune", owner="Me", licence="own work")
    assert "--as chorale | picture" in str(caught.value)
