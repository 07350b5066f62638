"""Borrowed lines are refused on a fresh install, in every genre."""

from __future__ import annotations

import numpy as np
import pytest

from castalia import genres, quality
from castalia.core.picture import Picture
from castalia.core.score import QUARTER, Note, Part, Score
from castalia.core.values import Brief, Content, Draft, Evidence

QUIET_NIGHT = "床前明月光，疑是地上霜。举头望明月，低头思故乡。"
TRADITIONAL = "牀前明月光，\n疑是地上霜。\n舉頭望明月，\n低頭思故鄉。"
OWN = "键声敲到晓，万字费清心。窗外星河转，归途露满襟。"

TUNE = Score(parts=(Part(name="Tune", kind="voice", notes=(Note(0, 4 * QUARTER, 60),)),))
PICTURE = Picture.of(np.full((128, 128, 3), 255, np.uint8), "a red apple")
GIVEN = {
    "variation": {"melody": TUNE},
    "accompaniment": {"melody": TUNE},
    "mix": {"picture": PICTURE, "second": PICTURE},
    "cover": {"picture": PICTURE, "title": "雨"},
    "sheet": {"pictures": (PICTURE, PICTURE)},
    **{name: {"picture": PICTURE} for name in ("cut-out", "direct", "enlarge", "painting", "pattern", "redraw")},
}
"""What a genre cannot do without."""


def findings(genre: str, text: str, words: str = "思乡") -> dict[str, bool]:
    room = genres.find(genre)
    brief = Brief(genre=room.name, words=words, fields=genres.fields_of(room, GIVEN.get(room.name, {})), seed=1)
    draft = Draft(
        brief=brief,
        content=Content(text=text, language="zh"),
        parts={step.name: text for step in room.plan(brief).steps},
        evidence=Evidence(model="m", digest="d", engine="e", seed=1),
    )
    rules = [*room.rules(brief), *quality.house_rules(personal=lambda _: ())]
    judged = quality.judge(draft, rules)
    return {rule: all(f.ok for f in judged.findings if f.rule == rule) for rule in {f.rule for f in judged.findings}}


@pytest.mark.parametrize("genre", [genre.name for genre in genres.every()])
def test_a_remembered_poem_is_refused_in_every_genre(genre: str) -> None:
    assert findings(genre, QUIET_NIGHT)["originality"] is False


def test_line_breaks_script_and_a_frame_do_not_hide_it() -> None:
    assert findings("free_verse", TRADITIONAL)["originality"] is False
    assert findings("news", f"本市昨晚举行诗会，{QUIET_NIGHT}众人鼓掌。")["originality"] is False


def test_verse_of_ones_own_and_what_the_brief_quotes_may_stand() -> None:
    assert findings("jueju5", OWN)["originality"] is True
    assert findings("news", QUIET_NIGHT, words=QUIET_NIGHT)["originality"] is True


@pytest.mark.parametrize("line", ["春眠不觉晓", "两个黄鹂鸣翠柳", "大漠孤烟直"])
def test_single_famous_lines_are_known(line: str) -> None:
    assert quality.borrowed(line).units == len(line)
