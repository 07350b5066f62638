"""A full disk while a collection is taken in or a model is trained: it is said, and nothing half written stays."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from picture_shapes import COLOURS, shape

pytest.importorskip("torch", reason="needs castalia[train]")

from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from castalia.cli import main
from castalia.core.errors import StorageError
from castalia.training import add
from castalia.training.collections.shelf import Filling
from castalia.training.weights import write_weights

FULL = OSError(errno.ENOSPC, "No space left on device")
BLUNT = SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


def full(*_: object, **__: object) -> None:
    raise FULL


@pytest.mark.parametrize("error", [FULL, BLUNT])
def test_weights_that_do_not_fit_leave_those_before_and_name_the_disk(tmp_path: Path, error: Exception) -> None:
    path, old = tmp_path / "a.checkpoint", {"w": np.arange(3)}
    write_weights(save_file, old, path)

    def half(_: object, where: Path) -> None:
        where.write_bytes(b"half")
        raise error

    with pytest.raises(StorageError, match="The disk is full") as caught:
        write_weights(half, {}, path)
    assert str(path) in caught.value.message
    assert np.array_equal(load_file(path)["w"], old["w"])
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_another_fault_of_weights_stays_what_it_is(tmp_path: Path) -> None:
    def wrong(*_: object) -> None:
        raise SafetensorError("no tensor")

    with pytest.raises(SafetensorError, match="no tensor"):
        write_weights(wrong, {}, tmp_path / "a.checkpoint")


def test_a_collection_that_does_not_fit_leaves_nothing_and_names_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(StorageError, match="The disk is full"), Filling(tmp_path) as filling:
        filling.put(np.arange(3))
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_cannot_be_read_is_dropped_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path / "home"))
    (folder := tmp_path / "pictures").mkdir()
    for name, (rgb, _) in COLOURS.items():
        Image.fromarray(shape("circle", rgb)).save(folder / f"{name} circle.png")
    own, locked = Path.read_bytes, next(folder.iterdir())

    def read(path: Path) -> bytes:
        if path == locked:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return own(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    taken = add("mine", str(folder), kind="picture", owner="Me", licence="own work")
    assert len(taken.pieces) == len(COLOURS) - 1
    assert taken.card["dropped"] == {locked.name: "cannot be read: Permission denied"}


def test_a_full_disk_is_no_internal_error_wherever_it_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")  # `run` sets it
    monkeypatch.setattr(main.castalia, "main", full)
    monkeypatch.setattr("sys.argv", ["castalia", "--lang", "en", "doctor"])
    with pytest.raises(SystemExit) as caught:
        main.run()
    assert caught.value.code == 4
    assert "The disk is full" in capsys.readouterr().err
