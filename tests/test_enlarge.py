"""Enlarging: tiles without seams, any size, alpha, factors; by the real networks."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from castalia import models
from castalia.core.errors import MissingError, UsageError
from castalia.modalities.image.enlarge import TILE, enlarge, four_times, network
from pictures_drawn import scene, subject

pytest.importorskip("ncnn", reason="pip install 'castalia[pictures]'")


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    models.pull_network("enlarge")


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / ((one.astype(float) - other) ** 2).mean()))


def reduced(large: np.ndarray, factor: int) -> np.ndarray:
    rows, columns = (side // factor for side in large.shape[:2])
    return large.reshape(rows, factor, columns, factor, -1).mean((1, 3))


@pytest.mark.parametrize("factor", [2, 4])
def test_reduced_again_it_is_the_picture(factor):
    picture = scene(130, 101)  # four tiles, none of them square
    large = enlarge(picture, factor=factor, kind="fast")
    assert large.shape == (101 * factor, 130 * factor, 3)
    assert decibels(reduced(large, factor), picture) > 28


@pytest.mark.parametrize("kind", ["photo", "drawing"])
def test_the_larger_networks_run(kind):
    picture = scene(24, 16)
    large = enlarge(picture, kind=kind)
    assert large.shape == (64, 96, 3)
    assert decibels(reduced(large, 4), picture) > 20


def test_an_edge_is_sharper_than_by_cubic_curves():
    from PIL import Image

    _, alpha = subject(64)
    picture = np.repeat((alpha * 255).astype(np.uint8)[..., None], 3, axis=2)
    cubic = np.asarray(Image.fromarray(picture).resize((256, 256), Image.Resampling.BICUBIC))
    ours = enlarge(picture, kind="drawing")
    between = [((each > 40) & (each < 215)).mean() for each in (ours, cubic)]
    assert between[0] < 0.8 * between[1]


def test_tiles_show_no_seam():
    picture = scene(2 * TILE, 40)
    tiled, whole = enlarge(picture, kind="fast").astype(int), four_times(picture, "fast").astype(int)
    apart = np.abs(tiled - whole).mean((0, 2))
    seam = apart[TILE * 4 - 4 : TILE * 4 + 4].mean()
    inside = np.abs(np.diff(whole, axis=1)).mean()
    assert seam < 0.25 * inside  # less than a quarter of what neighbours differ by
    assert np.array_equal(tiled[:, 64 : TILE * 4 - 64], whole[:, 64 : TILE * 4 - 64]) or apart.max() < 3


def test_alpha_is_enlarged_and_its_edge_keeps_the_subjects_colour():
    colour, alpha = subject(48)
    pixels = np.dstack([colour * (alpha > 0)[..., None], alpha * 255]).astype(np.uint8)  # black where it is clear
    large = enlarge(pixels, kind="fast")
    assert large.shape == (192, 192, 4)
    assert decibels(reduced(large[..., 3:], 4), pixels[..., 3:]) > 25
    edge = (large[..., 3] > 60) & (large[..., 3] < 200)
    edge[60:132] = False  # the bar
    assert edge.sum() > 50
    assert np.abs(large[edge][:, :3].astype(float) - (200, 40, 30)).mean() < 25


def test_a_picture_of_one_pixel_and_of_one_row():
    for shape in ((1, 1), (1, 70)):
        picture = np.full((*shape, 3), (10, 120, 240), np.uint8)
        large = enlarge(picture, kind="fast")
        assert large.shape == (shape[0] * 4, shape[1] * 4, 3)
        assert np.abs(large.astype(int) - (10, 120, 240)).max() < 12


def test_progress_goes_from_nothing_to_all():
    told: list[float] = []
    enlarge(scene(2 * TILE, 20), kind="fast", progress=lambda _, share: told.append(share))
    assert told == [0.0, 0.5, 1.0]


def test_the_same_picture_gives_the_same_pixels():
    picture = scene(40, 30)
    assert np.array_equal(enlarge(picture, kind="fast"), enlarge(picture, kind="fast"))


def test_what_cannot_be_enlarged_is_refused():
    with pytest.raises(UsageError):
        enlarge(scene(), factor=3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UsageError):
        enlarge(np.broadcast_to(np.zeros(3, np.uint8), (2_001, 2_000, 3)))


def test_without_the_runtime_or_the_network_the_error_says_what_to_do(home, monkeypatch):
    network._net.cache_clear()
    monkeypatch.setenv("CASTALIA_MODELS", str(home / "models"))
    with pytest.raises(MissingError) as caught:
        enlarge(scene(), kind="fast")
    assert caught.value.hint == "castalia models pull enlarge"
    monkeypatch.setitem(sys.modules, "ncnn", None)
    with pytest.raises(MissingError) as caught:
        enlarge(scene(), kind="fast")
    assert caught.value.hint == "pip install 'castalia[pictures]'"
