"""Rules for any picture, on pictures whose numbers are known."""

from __future__ import annotations

import numpy as np
import pytest

from castalia.core.picture import Picture
from castalia.core.values import Brief, BriefFields, Content, Draft, Evidence, Finding
from castalia.quality import BlankRule, DetailRule, SaturatedRule, house_rules

RULES = (BlankRule(), SaturatedRule(), DetailRule())
NOISE = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
Y, X = np.mgrid[:128, :128]


def draft(pixels: np.ndarray | None, words: str = "a cat") -> Draft:
    picture = None if pixels is None else Picture.of(pixels.astype(np.uint8))
    return Draft(
        brief=Brief(genre="picture", words=words, fields=BriefFields(), seed=1),
        content=Content(text=words, picture=picture),
        evidence=Evidence(model="m", digest="d", engine="e", seed=1),
    )


def asked(pixels: np.ndarray | None) -> dict[str, Finding]:
    return {each.rule: each for rule in RULES for each in rule.check(draft(pixels))}


def broken(pixels: np.ndarray | None) -> set[str]:
    return {name for name, finding in asked(pixels).items() if finding.refuses}


def flat(level: int = 90, size: int = 100) -> np.ndarray:
    return np.full((size, size, 3), level, np.uint8)


def spotted(share: float) -> np.ndarray:
    """One colour with another one on that share of its rows."""
    made = flat()
    made[: round(100 * share)] = (10, 200, 30)
    return made


def test_good_pictures_break_nothing() -> None:
    drawn = np.stack([X * 2, Y * 2, 255 - X * 2], -1)
    drawn[40:80, 30:70] = (250, 220, 40)
    for pixels in (NOISE, drawn):
        assert broken(pixels) == set()


def test_blank_is_told_by_the_share_of_other_colours() -> None:
    assert broken(flat()) == {"blank", "low-detail"}
    for share, ok in ((0.0, False), (0.01, True), (0.4, True), (0.6, True), (1.0, False)):
        finding = asked(spotted(share))["blank"]
        assert finding.ok is ok
        assert finding.found == f"{min(share, 1 - share) if 0 < share < 1 else 0:.1%} differs from one colour"
    assert "blank" in broken(flat() + np.random.default_rng(0).integers(0, 6, (100, 100, 3), np.uint8))
    two = flat()
    two[50:] = 90 + 13
    assert asked(two)["blank"].ok
    two[50:] = 90 + 12
    assert not asked(two)["blank"].ok


def test_a_cut_out_is_not_blank_and_nothing_is() -> None:
    clear = np.dstack([NOISE[:90, :90], np.zeros((90, 90), np.uint8)])
    assert "blank" in broken(clear)  # whatever colours lie under what is not seen
    clear[20:50, 20:50] = (90, 90, 90, 255)
    assert "blank" not in broken(clear)
    assert asked(clear)["blank"].found == f"{900 / 8100:.1%} differs from one colour"


def test_saturated_counts_coloured_pixels_at_the_ends() -> None:
    corners = np.random.default_rng(0).integers(0, 2, (64, 64, 3)) * 255
    assert broken(corners) == {"saturated"}
    assert asked(corners)["saturated"].found.startswith("100.0%")
    assert asked(np.clip(corners, 2, 253))["saturated"].found.startswith("100.0%")
    assert asked(np.clip(corners, 3, 252))["saturated"].found.startswith("0.0%")
    half = corners.copy()
    half[:32] = 120
    half[:32, :, 0] = 90
    coloured = 32 * 64 + int((~np.isin(half[32:].sum(-1), (0, 765))).sum())
    share = int((~np.isin(half[32:].sum(-1), (0, 765))).sum()) / coloured
    assert asked(half)["saturated"].found == f"{share:.1%} of the coloured pixels are clipped"
    assert asked(half)["saturated"].ok


def test_ink_on_paper_is_not_saturated() -> None:
    ink = np.repeat((np.random.default_rng(1).random((64, 64, 1)) < 0.2) * 255, 3, axis=2)
    assert broken(ink) == set()
    ink[:2, :] = (255, 0, 0)  # a red seal: three in a hundred
    assert asked(ink)["saturated"].ok


def test_detail_is_what_cells_lose() -> None:
    gradient = np.stack([X * 2, Y * 2, 255 - X], -1)
    assert "low-detail" in broken(gradient)
    board = ((X + Y) % 2 * 200)[..., None].repeat(3, axis=2)
    assert asked(board)["low-detail"].found == "100.0 levels of fine detail"  # 0 and 200 about their mean
    faint = 100 + ((X + Y) % 2 * 4)[..., None].repeat(3, axis=2)
    assert asked(faint)["low-detail"].found == "2.0 levels of fine detail"
    assert asked(faint)["low-detail"].ok
    fainter = 100 + ((X + Y) % 2)[..., None].repeat(3, axis=2)
    assert not asked(fainter)["low-detail"].ok


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 5), (31, 33), (2_000, 1_100)])
def test_any_size_is_answered(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (*size, 3), np.uint8)
    for finding in asked(pixels).values():
        assert finding.found
    if min(size) > 30:
        assert broken(pixels) == set()


def test_no_picture_is_refused_by_each() -> None:
    assert broken(None) == {"blank", "saturated", "low-detail"}


def test_the_house_asks_no_language_of_a_picture() -> None:
    for words in ("", "雨", "a 🐈", "12"):
        findings = [each for rule in house_rules(personal=lambda _: ()) for each in rule.check(draft(NOISE, words))]
        assert not [each for each in findings if each.refuses], words
    nothing = [each for rule in house_rules(personal=lambda _: ()) for each in rule.check(draft(None, ""))]
    assert "written" in {each.rule for each in nothing if each.refuses}
