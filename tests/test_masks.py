"""Masks: a part of a picture changes, the rest stays to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from castalia.core.errors import UsageError
from castalia.core.picture import Picture
from castalia.modalities.image.mask import masked, opening
from castalia.studio import Studio

Y, X = np.mgrid[:96, :128]
GIVEN = np.stack([X, Y, 255 - X], -1).astype(np.uint8)


def mask(left: int, width: int = 128, height: int = 96) -> Picture:
    """Opens what is left of a column."""
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[:, :left, 3] = 0
    return Picture.of(pixels)


def test_what_is_transparent_is_open() -> None:
    opened = opening(mask(40))
    assert opened[:, :40].all()
    assert not opened[:, 40:].any()
    assert not opening(Picture.of(GIVEN)).any()


def test_outside_the_opening_nothing_changes_and_inside_the_change_fades_in() -> None:
    changed = 255 - GIVEN
    made = masked(Picture.of(GIVEN), changed, mask(40))
    assert np.array_equal(made[:, 40:], GIVEN[:, 40:])
    assert np.array_equal(made[:, :34], changed[:, :34])
    assert not np.array_equal(made[:, 39], changed[:, 39])


def test_a_picture_that_was_laid_on_a_square_keeps_its_place_and_ground() -> None:
    changed = np.zeros((64, 64, 3), np.uint8)
    made = masked(Picture.of(GIVEN), changed, mask(64))
    assert (made[:4] == 255).all()  # the white ground above stays
    assert (made[12:52, :28] == 0).all()
    small = np.array(Image.fromarray(GIVEN).resize((64, 48), Image.Resampling.LANCZOS), np.int64)
    assert np.abs(made[10:54, 34:].astype(int) - small[2:46, 34:]).max() <= 6


@pytest.fixture
def studio(home: Path) -> Studio:
    del home
    return Studio(read_files=False)


def test_a_part_of_a_drawing_is_drawn_again(studio: Studio) -> None:
    before = studio.create("picture", "a red apple", seed=3)
    assert before.content.picture
    side = before.content.picture.width
    half = mask(side // 2, side, side)
    after = studio.create("redraw", "a red apple", seed=9, picture=before.content.picture, strength=1.0, mask=half)
    assert after.content.picture
    one, two = before.content.picture.pixels, after.content.picture.pixels
    assert np.array_equal(one[:, side // 2 :], two[:, side // 2 :])
    assert not np.array_equal(one[:, : side // 2], two[:, : side // 2])
    explained = studio.explain(after)
    assert explained.same  # pyright: ignore[reportAttributeAccessIssue]
    moved = studio.create("direct", "a red apple", seed=9, picture=before.content.picture, amount=4, mask=half)
    assert moved.content.picture
    assert np.array_equal(one[:, side // 2 :], moved.content.picture.pixels[:, side // 2 :])


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (mask(40), r"The mask has 128 × 96 pixels, the picture 64 × 64\."),
        (mask(0, 64, 64), r"The mask lets nothing change\."),
        (Picture.of(np.full((64, 64, 3), 255, np.uint8)), r"The mask lets nothing change\."),
    ],
)
@pytest.mark.parametrize("genre", ["redraw", "direct", "painting"])
def test_a_mask_that_does_not_fit_is_refused(studio: Studio, genre: str, wrong: Picture, why: str) -> None:
    given = Picture.of(np.ascontiguousarray(GIVEN[:64, :64]))
    with pytest.raises(UsageError, match=why) as caught:
        studio.create(genre, "a red apple", picture=given, mask=wrong)
    assert caught.value.hint
