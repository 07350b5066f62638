"""Directions among codes: attributes are measured exactly, and a direction does what its name says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from picture_shapes import shape

pytest.importorskip("torch", reason="needs castalia[train]")

from castalia.modalities.image.draw.model import DrawingModel
from castalia.training.images import add_directions
from castalia.training.images.attributes import ATTRIBUTES, measured
from castalia.training.images.directions import _ridge

NAMES = [each.more[0] for each in ATTRIBUTES]
GREY = (128, 128, 128)


def of(pixels: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, measured(pixels).tolist(), strict=True))


def box(top: int, left: int, height: int, width: int, colour: tuple[int, int, int] = GREY) -> np.ndarray:
    pixels = np.full((128, 128, 3), 255, np.uint8)
    pixels[top : top + height, left : left + width] = colour
    return pixels


def test_attributes_of_shapes_are_what_they_are() -> None:
    circle, square = of(shape("circle", GREY)), of(box(32, 32, 64, 64))
    assert circle["rounder"] > 0.99 > 0.92 > square["rounder"] > 0.88
    assert square["larger"] == pytest.approx(0.25)
    assert square["taller"] == pytest.approx(0, abs=1e-6)
    assert of(box(16, 48, 96, 32))["taller"] == pytest.approx(np.log(3), abs=0.04)
    assert square["higher up"] == pytest.approx(-63.5 / 128)
    assert of(box(0, 32, 64, 64))["higher up"] > square["higher up"]
    assert of(box(32, 0, 64, 64))["further left"] > square["further left"]
    assert square["more symmetric"] == pytest.approx(0, abs=1e-6)
    assert [square["more detailed"], square["bolder"]] == pytest.approx([0, 0], abs=1e-6)


def test_attributes_of_colours_and_texture() -> None:
    red, blue, grey, pale = (
        of(box(32, 32, 64, 64, colour)) for colour in ((220, 40, 40), (40, 40, 220), GREY, (200, 200, 200))
    )
    assert red["redder"] > grey["redder"]
    assert red["warmer"] > grey["warmer"] > blue["warmer"]
    assert red["more colourful"] > 0.15 > 0.01 > grey["more colourful"]
    assert pale["brighter"] > grey["brighter"]
    striped = box(32, 32, 64, 64)
    striped[32:96, 32:64:2] = 40
    assert of(striped)["more detailed"] > 0.05
    assert of(striped)["more symmetric"] < -0.05


def test_an_empty_picture_has_nothing() -> None:
    assert not measured(np.full((128, 128, 3), 255, np.uint8)).any()


def test_regression_finds_what_is_there() -> None:
    rng = np.random.default_rng(1)
    given, true = rng.standard_normal((200, 5)).astype(np.float32), rng.standard_normal((5, 3)).astype(np.float32)
    np.testing.assert_allclose(_ridge(given, given @ true, 0), true, atol=1e-4)
    assert np.abs(_ridge(given, given @ true, 10)).sum() < np.abs(true).sum() / 5


def test_every_direction_that_comes_along_does_what_its_name_says() -> None:
    """On other pictures than those it was measured on, by other seeds."""
    model = DrawingModel.default()
    assert len(model.directions) >= 8
    named = {
        name: (at, sign) for at, each in enumerate(ATTRIBUTES) for (name, _), sign in ((each.more, 1), (each.less, -1))
    }
    starts = []
    for words in ("red car", "green apple", "dog face", "blue house", "yellow flower"):
        numbers = model.read(words).numbers
        code = model.network.meant(numbers)
        starts.append((numbers, code, measured(model.drawn(numbers, code))))
    for each in model.directions:
        at, sign = named[each.name]
        moved = [
            measured(model.drawn(numbers, code + 2 * each.vector))[at] - before[at] for numbers, code, before in starts
        ]
        assert sign * np.mean(moved) > 0, each.name
        assert each.effect >= 0.3
        assert each.sure >= 0.8
        assert 0.15 <= each.pure <= 1
        assert each.name in each.told
        assert each.chinese in each.told


def test_directions_are_found_again_in_a_finished_model(shapes_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(shapes_model, folder)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    (folder / "card.json").write_text(json.dumps({**card, "directions": []}), encoding="utf-8")
    found = add_directions(folder).directions
    assert json.loads((folder / "card.json").read_text(encoding="utf-8")) == card
    assert [each.name for each in found] == [each["name"] for each in card["directions"]]
