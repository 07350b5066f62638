"""Tiles without a seam; subjects without their ground; alpha."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from castalia.core.errors import UsageError
from castalia.modalities.image.cut_out import cut_out, ground_of, reached
from castalia.modalities.image.guided import box, guided
from castalia.modalities.image.matte import behind_alpha, laid_on
from castalia.modalities.image.oklab import oklab, srgb
from castalia.modalities.image.pattern import closed_cut, half_drop, seam, seamless
from pictures_drawn import before, scene, subject

# ------------------------------------------------------------ colours and filters


def test_oklab_of_white_black_and_red_and_back():
    colours = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0]]], np.uint8)
    # Ottosson's own example table, to three figures
    expected = np.array([[[1, 0, 0], [0, 0, 0], [0.628, 0.225, 0.126]]])
    assert np.allclose(oklab(colours), expected, atol=6e-4)
    every = np.random.default_rng(0).integers(0, 256, (4096, 1, 3)).astype(np.uint8)
    assert np.array_equal(srgb(oklab(every)), every)


def test_box_is_the_mean_of_what_lies_inside():
    plane = np.random.default_rng(0).random((7, 9)).astype(np.float32)
    plain = [[plane[max(0, r - 2) : r + 3, max(0, c - 2) : c + 3].mean() for c in range(9)] for r in range(7)]
    assert np.allclose(box(plane, 2), plain, atol=1e-6)


def test_the_guided_filter_keeps_an_edge_that_its_guide_has_and_no_other():
    guide = np.zeros((40, 40), np.float32)
    guide[:, 20:] = 1
    noisy = guide + np.random.default_rng(0).normal(0, 0.1, guide.shape).astype(np.float32)
    smooth = guided(guide, noisy, 4, 1e-3)
    assert smooth[:, 21].mean() - smooth[:, 18].mean() > 0.95
    assert smooth[:, 22:].std() < 0.04
    flat = guided(np.zeros_like(guide), noisy, 4, 1e-3)
    assert abs(flat[:, 20].mean() - flat[:, 19].mean()) < 0.15


# ------------------------------------------------------------ patterns


def test_the_cut_is_the_cheapest_of_all_that_close():
    cost = np.random.default_rng(3).random((5, 4)).astype(np.float32)
    every = [
        way
        for way in itertools.product(range(4), repeat=5)
        if all(abs(a - b) <= 1 for a, b in itertools.pairwise((*way, way[0])))
    ]
    cheapest = min(sum(cost[row, column] for row, column in enumerate(way)) for way in every)
    found = tuple(closed_cut(cost))
    assert found in every
    assert sum(cost[row, column] for row, column in enumerate(found)) == pytest.approx(cheapest)


def test_a_tile_has_no_seam_where_the_picture_had_one():
    picture = scene(160, 128)
    tile = seamless(picture)
    assert tile.shape == (96, 120, 3)
    assert seam(picture) > 3
    assert seam(tile) < 1.5
    # nor is there one inside: rolled by any amount the border is as even
    assert max(seam(np.roll(tile, (n, n), (0, 1))) for n in range(5, 60, 5)) < 2


def test_away_from_the_cuts_a_tile_is_the_picture():
    picture = scene(200, 200)
    tile = seamless(picture).astype(float)
    part, original = tile[60:140, 60:140], picture[60:140, 60:140].astype(float)
    moved = part - part.mean() - (original - original.mean())
    assert np.abs(np.diff(moved, axis=1)).mean() < 1.0  # gradients are the picture's; only light was evened


def test_a_tile_of_one_colour_stays_it():
    flat = np.full((40, 60, 3), (10, 200, 90), np.uint8)
    assert np.array_equal(seamless(flat), flat[:30, :45])


def test_a_picture_too_small_for_a_pattern_is_refused():
    with pytest.raises(UsageError):
        seamless(scene(64, 31))


def test_a_motif_is_whole_twice_and_repeats():
    motif = np.zeros((20, 12, 4), np.uint8)
    motif[2:18, 1:11] = (200, 0, 0, 255)
    tile = half_drop(motif, (255, 255, 255))
    assert tile.shape == (20, 40, 3)
    red = (tile == (200, 0, 0)).all(-1)
    assert red.sum() == 2 * 16 * 10
    assert np.array_equal(np.roll(red, (10, 20), (0, 1)), red)  # half a step down, one motif across


def test_the_border_of_a_tile_lies_where_least_is_seen():
    motif = np.full((16, 16, 4), 255, np.uint8)
    motif[8:, :, :3] = 0  # a hard edge half way down: half a step lower it would lie on the border
    tile = half_drop(motif, (255, 255, 255)).astype(float)
    changes = np.abs(np.roll(tile, -1, 0) - tile).mean((1, 2))
    assert changes.max() > 0
    assert changes[-1] == changes.min()


def test_a_motif_of_nothing_is_its_ground():
    tile = half_drop(np.zeros((9, 9, 4), np.uint8), (1, 2, 3))
    assert (tile == (1, 2, 3)).all()


# ------------------------------------------------------------ cut-outs


@pytest.mark.parametrize("ground", [(255, 255, 255), (20, 90, 40), (128, 128, 128)])
def test_a_subject_before_a_flat_ground_is_cut_out(ground):
    found = cut_out(before(ground))
    colour, alpha = subject()
    assert np.abs(found.pixels[..., 3] / 255 - alpha).mean() < 0.006
    assert found.confidence > 0.9
    inside = alpha > 0.99
    assert np.abs(found.pixels[..., :3][inside].astype(float) - colour[inside]).mean() < 3


def test_edges_lose_the_colour_of_the_ground():
    found = cut_out(before((20, 220, 40), noise=0))
    colour, alpha = subject()
    edge = (alpha > 0.3) & (alpha < 0.7)
    assert edge.sum() > 50
    away = np.abs(found.pixels[..., :3][edge].astype(float) - colour[edge]).mean()
    assert away < 10  # those of the picture itself are over 40 away
    assert np.abs(before((20, 220, 40), noise=0)[edge].astype(float) - colour[edge]).mean() > 40


def test_a_ground_that_changes_smoothly_is_cut_away():
    rows, columns = np.mgrid[0:160, 0:160] / 160
    ground = np.stack([200 - 60 * rows, 210 - 40 * columns, 190 + 40 * rows * columns], -1)
    assert np.abs(cut_out(before(ground)).pixels[..., 3] / 255 - subject()[1]).mean() < 0.006


def test_what_the_subject_encloses_stays():
    picture = before((255, 255, 255), noise=0)
    picture[70:75, 70:75] = 255
    assert (cut_out(picture).pixels[71:74, 71:74, 3] == 255).all()


def test_grounds_that_cannot_be_told_are_refused():
    chance = np.random.default_rng(0)
    noise = chance.integers(0, 256, (160, 160, 3))
    same = before((200, 40, 30))
    same[72:88] = same[0:16]  # the bar away: nothing but ground
    stripes = np.zeros((160, 160, 3))
    stripes[np.arange(160) % 16 < 8] = 255
    for picture in (noise.astype(np.uint8), same, before(stripes), scene(), np.zeros((5, 5, 3), np.uint8)):
        with pytest.raises(UsageError):
            cut_out(picture)


def test_reached_goes_through_openings_of_one_pixel_and_not_diagonally():
    plan = np.array([list("..#.."), list("##.##"), list("#...#"), list("##.##"), list("##.##")]) == "."
    found = reached(plan)
    assert found.tolist() == [
        [True, True, False, True, True],
        [False, False, True, False, False],
        [False, True, True, True, False],
        [False, False, True, False, False],
        [False, False, True, False, False],
    ]
    plan[4, 2] = False
    assert reached(plan).sum() == 4


def test_the_model_of_a_ground_follows_a_quadratic():
    rows, columns = np.meshgrid(np.linspace(-1, 1, 60), np.linspace(-1, 1, 80), indexing="ij")
    lab = np.stack([0.5 + 0.2 * rows + 0.1 * columns**2, 0.05 * rows * columns, 0 * rows], -1).astype(np.float32)
    ground = ground_of(lab)
    assert np.allclose(ground.at(60, 80), lab, atol=1e-4)
    assert ground.share == 1.0


# ------------------------------------------------------------ alpha


def test_behind_alpha_lies_the_colour_of_the_nearest_cover():
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[10:30, 10:30] = (250, 120, 10, 255)
    colours = behind_alpha(pixels)
    assert np.array_equal(colours[10:30, 10:30], pixels[10:30, 10:30, :3])
    assert np.abs(colours.astype(int) - (250, 120, 10)).max() <= 1  # no black, however far


def test_laid_on_mixes_by_alpha():
    pixels = np.array([[[100, 0, 0, 255], [100, 0, 0, 0], [100, 0, 0, 51]]], np.uint8)
    assert laid_on(pixels, (0, 200, 0)).tolist() == [[[100, 0, 0], [0, 200, 0], [20, 160, 0]]]
