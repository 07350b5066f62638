"""A picture in the colour that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from castalia.modalities.image.recolour import COLOURS, coloured, name_of

PLAIN = np.full((64, 64, 3), 252, np.uint8)


def subject(*bands: tuple[int, int, int]) -> np.ndarray:
    """A square on a light ground, in stripes."""
    pixels = PLAIN.copy()
    for number, band in enumerate(bands):
        high = 40 // len(bands)
        pixels[12 + number * high : 12 + (number + 1) * high, 12:52] = band
    return pixels


def test_a_colour_that_is_there_stays() -> None:
    red = subject((210, 30, 40))
    assert coloured(red, "red") is red


@pytest.mark.parametrize("name", ["red", "orange", "yellow", "green", "blue", "purple"])
@pytest.mark.parametrize("bands", [[(210, 30, 40)], [(210, 30, 40), (40, 60, 200), (40, 160, 60)]])
def test_any_subject_gets_the_colour_and_the_ground_stays(name: str, bands: list[tuple[int, int, int]]) -> None:
    given = subject(*bands)
    made = coloured(given, name)
    assert name_of(made) == name
    assert (np.abs(made[:8].astype(int) - 252) <= 2).all()


@pytest.mark.parametrize("name", ["green", "blue", "purple"])
def test_what_has_no_colour_is_tinted(name: str) -> None:
    assert name_of(coloured(subject((150, 150, 152)), name)) == name


def test_shades_stay_in_order() -> None:
    given = subject((90, 90, 92), (150, 150, 150), (210, 212, 210))
    light = [coloured(given, "green")[row, 32].astype(int).sum() for row in (16, 30, 44)]
    assert light == sorted(light)
    assert len(set(light)) == 3


def test_a_picture_without_a_plain_ground_is_tinted_where_it_has_colour() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert set(COLOURS) >= {"blue"}
    assert not np.array_equal(coloured(noise, "blue"), noise)
