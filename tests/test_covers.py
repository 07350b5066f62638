"""Covers: what is typeset can be read, stays in its frame, and the rules see where it does not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from castalia.core.errors import MissingError, UsageError
from castalia.core.picture import CoverStep, Picture
from castalia.core.values import Brief, Content, Draft, Evidence
from castalia.genres import cover as room
from castalia.genres import fields_of
from castalia.modalities import image
from castalia.modalities.image.cover import cover, letters
from castalia.modalities.image.cover.block import broken
from castalia.modalities.image.cover.cover import SIZES
from castalia.quality import ContrastRule, PlacedRule
from castalia.quality.covers import contrast
from pictures_drawn import before, scene

PLAIN = Picture.of(before((250, 250, 250)), "a plate")
RULES = (ContrastRule("cover"), PlacedRule("cover"))


def brief_of(words="", **fields) -> Brief:
    return Brief(genre="cover", words=words, fields=fields_of(room.GENRE, fields), seed=6)


def judged(pixels: np.ndarray, ground: np.ndarray, lines: str):
    parts = {"cover.ground": Picture.of(ground).model_dump_json(), "cover.lines": lines}
    evidence = Evidence(model="m", digest="", engine="e", seed=1)
    content = Content(text="t", picture=Picture.of(pixels))
    draft = Draft(brief=brief_of("x", title="t"), content=content, parts=parts, evidence=evidence)
    return [finding for rule in RULES for finding in rule.check(draft)]


@pytest.mark.parametrize("proportion", SIZES)
@pytest.mark.parametrize("layout", ["poster", "block", "full"])
def test_every_layout_is_read_and_stays_in_its_frame(proportion, layout):
    picture = PLAIN if layout == "poster" else Picture.of(scene(300, 200))
    for title, author in (("The Last Umbrella in Town and All That Came After", "Ada Lindqvist"), ("秋夜", "林远 著")):
        made = cover(CoverStep("cover", picture, title, "A novel 小说", author, proportion, layout))
        assert made.pixels.shape[1::-1] == SIZES[proportion]
        findings = judged(made.pixels, made.ground, made.lines)
        assert all(each.ok for each in findings), [each for each in findings if not each.ok]
        said = "".join(each["text"] for each in json.loads(made.lines)).replace(" ", "")
        assert said == (title + "A novel 小说" + author).replace(" ", "")


def test_the_contrast_of_black_and_white_is_21_and_of_grey_as_the_standard_says():
    white = np.full((5, 5, 3), 255, np.uint8)
    assert contrast((0, 0, 0), white) == pytest.approx(21)
    assert contrast((119, 119, 119), white) == pytest.approx(4.48, abs=0.01)  # #777: just too little


def test_faint_stray_and_meeting_letters_are_refused():
    ground = np.full((200, 200, 3), 255, np.uint8)

    def line(text, left, top, colour):
        return {"text": text, "left": left, "top": top, "width": 40, "height": 20, "colour": colour}

    def broken_rules(pixels, *lines):
        return [(each.rule, each.place) for each in judged(pixels, ground, json.dumps(lines)) if not each.ok]

    inked = ground.copy()
    inked[50:70, 50:90] = 0
    assert not broken_rules(inked, line("a", 50, 50, [0, 0, 0]))
    assert broken_rules(inked, line("a", 50, 50, [130, 130, 130])) == [("contrast", "a")]
    assert broken_rules(inked, line("a", 50, 40, [0, 0, 0])) == [("placed", "frame")]
    assert broken_rules(inked, line("a", 50, 50, [0, 0, 0]), line("b", 80, 60, [0, 0, 0])) == [("placed", "overlaps")]
    assert broken_rules(ground, line("a", 50, 50, [0, 0, 0])) == [("placed", "missing lines")]
    low = ground.copy()
    low[185:192, 150:160] = 0  # where the label will stand
    assert ("placed", "frame") in broken_rules(low, line("a", 150, 180, [0, 0, 0]))


def test_lines_break_between_words_evenly_and_never_before_a_comma():
    assert broken("one two three four", 2) == ["one two", "three four"]
    assert broken("山中来信，二十年", 2) == ["山中来信，", "二十年"]
    assert broken("one", 3) == ["one"]


def test_a_letter_that_no_font_has_is_named():
    with pytest.raises(MissingError, match="\U00016f00") as caught:
        cover(CoverStep("cover", PLAIN, "Rain \U00016f00"))
    assert "fonts-noto" in caught.value.hint


def test_an_emoji_that_no_font_has_may_be_left_out(monkeypatch):
    monkeypatch.setattr(letters, "_missing", lambda line, _: tuple(each for each in line if each > "\U0001f000"))
    with pytest.raises(MissingError, match="\U0001f680") as caught:
        cover(CoverStep("cover", PLAIN, "To the \U0001f680"))
    assert caught.value.hint.startswith("Leave the signs out")


def test_a_cover_draws_its_picture_first_and_wants_a_title():
    draft = image.compose(
        brief := brief_of("rocket", title="雨", author="Ada", proportion="album"),
        room.GENRE.plan(brief),
        image.Painters(),
        room.GENRE.assemble,
    )
    findings = [finding for rule in room.GENRE.rules(brief) for finding in rule.check(draft)]
    assert all(each.ok for each in findings)
    assert {each.rule for each in findings} == {"words", "subject", "blank", "contrast", "placed"}
    assert draft.content.title == "雨"
    assert draft.content.text == "雨 · Ada (rocket)"
    # where the network that enlarges was fetched it comes last, and the drawing model stands beside the engine
    assert "emoji" in f"{draft.evidence.model} {draft.evidence.engine}"
    assert "resvg" in draft.evidence.engine
    for lacking in ({"title": "Rain"}, {"picture": PLAIN}):
        with pytest.raises(UsageError, match="title"):
            room.GENRE.plan(brief_of(**lacking))
