"""The rooms that change a given picture, the whole way from the brief to findings; and what their rules refuse."""

from __future__ import annotations

import numpy as np
import pytest

from castalia import models
from castalia.core.errors import UsageError
from castalia.core.picture import CutOutStep, EnlargeStep, PaintStep, PatternStep, Picture
from castalia.core.values import Brief, Content, Draft, Evidence
from castalia.genres import cut_out, enlarge, fields_of, painting, pattern
from castalia.modalities import image
from castalia.quality import CutOutRule, LayoutRule, ReducedRule, RepaintedRule, SeamRule
from pictures_drawn import before, scene, subject

ROOMS = (painting.GENRE, enlarge.GENRE, pattern.GENRE, cut_out.GENRE)
GIVEN = Picture.of(scene(), "a house on a hill", made_by="person")


def brief_of(room, words="", seed=1, **fields) -> Brief:
    return Brief(genre=room.name, words=words, fields=fields_of(room, fields), seed=seed)


def made(room, **given):
    """(draft, findings) of a brief."""
    brief = brief_of(room, **given)
    draft = image.compose(brief, room.plan(brief), image.Painters(), room.assemble)
    return draft, [finding for rule in room.rules(brief) for finding in rule.check(draft)]


def draft_of(pixels: np.ndarray | None) -> Draft:
    brief = brief_of(pattern.GENRE, picture=GIVEN)
    picture = None if pixels is None else Picture.of(pixels)
    evidence = Evidence(model="m", digest="", engine="e", seed=1)
    return Draft(brief=brief, content=Content(text="t", picture=picture), evidence=evidence)


def only(rule, pixels):
    (finding,) = rule.check(draft_of(pixels))
    return finding


# ------------------------------------------------------------ plans


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_without_a_picture_says_what_it_wants(room):
    with pytest.raises(UsageError) as caught:
        room.plan(brief_of(room, words="something"))
    assert f"castalia create {room.name}" in caught.value.hint


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_every_field_and_summary_is_in_both_languages(room):
    assert all(" | " in (field.description or "") for field in room.fields.model_fields.values())
    assert all(any("一" <= letter <= "鿿" for letter in text) for text in (room.title[1], room.summary[1]))


def test_a_painting_takes_its_style_from_field_words_or_seed():
    def style(**given) -> str:
        (step,) = painting.GENRE.plan(brief_of(painting.GENRE, picture=GIVEN, **given)).pictures
        assert isinstance(step, PaintStep)
        assert isinstance(step.style, str)
        return step.style

    assert style(style="水墨") == "ink-wash"
    assert style(words="as a charcoal drawing") == "charcoal"
    chosen = {style(seed=seed) for seed in range(60)}
    assert len(chosen) == 24
    assert "woven" not in chosen
    assert style(seed=5) == style(seed=5)
    with pytest.raises(UsageError):
        style(style="hokusai")


def test_a_painting_after_another_picture_has_that_picture_in_its_plan():
    other = Picture.of(scene(seed=2))
    (step,) = painting.GENRE.plan(brief_of(painting.GENRE, picture=GIVEN, style=other, strength="0.5")).pictures
    assert isinstance(step, PaintStep)
    assert step.style == other
    assert step.strength == 0.5


def test_the_kind_of_an_enlargement_is_seen_unless_said():
    def kind(pixels, **given) -> tuple[str, int]:
        (step,) = enlarge.GENRE.plan(brief_of(enlarge.GENRE, picture=Picture.of(pixels), **given)).pictures
        assert isinstance(step, EnlargeStep)
        return step.kind, step.factor

    flat = np.zeros((40, 40, 3), np.uint8)
    flat[10:30, 10:30] = (200, 40, 30)
    assert kind(scene()) == ("photo", 4)
    assert kind(flat, factor="2") == ("drawing", 2)
    assert kind(flat, kind="fast") == ("fast", 4)
    with pytest.raises(UsageError):
        kind(flat, factor="3")


def test_grounds_are_named_or_numbered():
    def ground(value) -> tuple[int, int, int]:
        (step,) = pattern.GENRE.plan(brief_of(pattern.GENRE, picture=GIVEN, ground=value)).pictures
        assert isinstance(step, PatternStep)
        return step.ground

    assert ground("#0a0B0c") == (10, 11, 12)
    assert ground("藏青") == ground("navy") == (22, 40, 79)
    with pytest.raises(UsageError):
        ground("like the sea")


# ------------------------------------------------------------ the whole way


def test_a_pattern_has_no_seam_and_says_so():
    draft, findings = made(pattern.GENRE, picture=GIVEN)
    assert all(each.ok for each in findings)
    assert [each.rule for each in findings] == ["blank", "seam", "seam"]
    assert draft.content.text.startswith("a house on a hill A tile that repeats")
    assert draft.evidence.action == "modified"
    assert draft.evidence.model == "pattern"


def test_a_motif_with_alpha_is_laid_on_its_ground():
    colour, alpha = subject(64)
    motif = Picture.of(np.dstack([colour, alpha * 255]).astype(np.uint8))
    draft, findings = made(pattern.GENRE, picture=motif, ground="navy")
    assert all(each.ok for each in findings)
    assert draft.content.picture is not None
    assert (draft.content.picture.pixels == (22, 40, 79)).all(-1).mean() > 0.2


def test_a_cut_out_has_alpha_and_a_busy_ground_is_refused():
    draft, findings = made(cut_out.GENRE, picture=Picture.of(before((250, 250, 250))), words="红盘", language="zh")
    assert draft.content.picture is not None
    assert draft.content.picture.pixels.shape == (160, 160, 4)
    assert all(each.ok for each in findings)
    assert draft.content.text.startswith("红盘 已去除背景。")
    step = cut_out.GENRE.plan(brief_of(cut_out.GENRE, picture=GIVEN)).pictures[0]
    assert isinstance(step, CutOutStep)
    with pytest.raises(UsageError):
        made(cut_out.GENRE, picture=GIVEN)


def test_a_painting_keeps_layout_alpha_and_maker():
    pytest.importorskip("onnxruntime", reason="pip install 'castalia[pictures]'")
    models.pull_network("style")
    colour, alpha = subject(96)
    clear = Picture.of(np.dstack([colour, alpha * 255]).astype(np.uint8), made_by="person")
    draft, findings = made(painting.GENRE, picture=clear, style="sea-print")
    assert draft.content.picture is not None
    assert np.array_equal(draft.content.picture.pixels[..., 3], clear.pixels[..., 3])
    assert draft.evidence.model == "style"
    assert len(draft.evidence.digest) == 64
    assert draft.evidence.engine.startswith("onnxruntime ")
    assert draft.evidence.action == "modified"
    _, findings = made(painting.GENRE, picture=GIVEN, style="sea-print")
    assert [(each.rule, each.ok) for each in findings] == [("blank", True), ("repainted", True), ("layout", True)]


def test_an_enlargement_reduced_again_is_what_was_given():
    pytest.importorskip("ncnn", reason="pip install 'castalia[pictures]'")
    models.pull_network("enlarge")
    draft, findings = made(enlarge.GENRE, picture=Picture.of(scene(40, 30)), kind="fast")
    assert draft.content.picture is not None
    assert draft.content.picture.width == 160
    assert [(each.rule, each.ok) for each in findings] == [("blank", True), ("reduced-again", True)]
    assert findings[1].found.endswith(" dB")


# ------------------------------------------------------------ rules


def test_the_decibels_of_a_reduction_are_exact():
    given = np.full((4, 4, 3), 100, np.uint8)
    rule = ReducedRule(Picture.of(given), 2)
    assert only(rule, np.full((8, 8, 3), 110, np.uint8)).found == "28.1 dB"  # 10 · log10(255² / 10²)
    assert not only(rule, np.full((8, 8, 3), 150, np.uint8)).ok
    assert not only(rule, np.full((8, 9, 3), 100, np.uint8)).ok
    assert only(rule, np.full((8, 9, 3), 100, np.uint8)).found == "9 × 8"
    assert not only(rule, None).ok


def test_another_picture_is_no_reduction_and_no_painting_of_this():
    large = np.repeat(np.repeat(scene()[:, ::-1], 2, 0), 2, 1)
    assert not only(ReducedRule(GIVEN, 2), large).ok
    turned = only(LayoutRule(GIVEN), scene()[:, ::-1])
    assert not turned.ok
    assert not turned.refuses
    assert only(LayoutRule(GIVEN), scene()).found == "1.00"
    assert not only(RepaintedRule(GIVEN), scene()).ok
    assert only(RepaintedRule(GIVEN), 255 - scene()).ok


def test_a_border_that_jumps_is_a_seam():
    ramp = np.repeat(np.arange(0, 200, 2, dtype=np.uint8)[None, :, None], 50, 0).repeat(3, 2)
    across, down = SeamRule().check(draft_of(ramp))
    assert (across.ok, across.found) == (False, "99.00")  # 198 levels against 2
    assert down.ok
    assert all(each.ok for each in SeamRule().check(draft_of(scene()[:1, :1])))


def test_a_cut_out_of_all_or_nothing_is_refused():
    pixels = np.zeros((20, 20, 4), np.uint8)
    assert not only(CutOutRule(), pixels).ok
    pixels[5:15, 5:15, 3] = 255
    assert only(CutOutRule(), pixels).found.startswith("25.0%")
    assert only(CutOutRule(), pixels).ok
    assert not only(CutOutRule(), scene()).ok
