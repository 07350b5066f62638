"""Regulated verse: poets' own poems please the checker, broken ones do not, and whatever the mask admits does."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castalia import genres
from castalia.core.values import Brief, Content, Draft, Evidence
from castalia.genres import jueju5, jueju7, lushi5, lushi7
from castalia.modalities.text.forms.regulated import RegulatedForm, poem
from castalia.quality import (
    OriginalityRule,
    ParallelRule,
    RegulatedRhymeRule,
    RepeatedCharacterRule,
    ToneRule,
    VerseShapeRule,
    judge,
)
from castalia.quality.verse_zh import agreement, faults, scannings

EVIDENCE = Evidence(model="none", digest="0", engine="none", seed=0)
ROOMS = (jueju5.GENRE, jueju7.GENRE, lushi5.GENRE, lushi7.GENRE)

STORK_TOWER = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"
SPRING_VIEW = "国破山河在，城春草木深。感时花溅泪，恨别鸟惊心。烽火连三月，家书抵万金。白头搔更短，浑欲不胜簪。"
AUTUMN_HILLS = "空山新雨后，天气晚来秋。明月松间照，清泉石上流。竹喧归浣女，莲动下渔舟。随意春芳歇，王孙自可留。"
BAIDI = "朝辞白帝彩云间，千里江陵一日还。两岸猿声啼不住，轻舟已过万重山。"
CLIMBING = (
    "风急天高猿啸哀，渚清沙白鸟飞回。无边落木萧萧下，不尽长江滚滚来。"
    "万里悲秋常作客，百年多病独登台。艰难苦恨繁霜鬓，潦倒新停浊酒杯。"
)


def broken(text: str, *rules: object) -> set[str]:
    room = genres.find("jueju5")
    brief = Brief(genre=room.name, words="测试", fields=room.fields(), seed=0)
    draft = Draft(brief=brief, content=Content(text=text, language="zh"), parts={}, evidence=EVIDENCE)
    return {finding.rule for finding in judge(draft, rules).broken}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "lines", "length"),
    [(STORK_TOWER, 4, 5), (SPRING_VIEW, 8, 5), (AUTUMN_HILLS, 8, 5), (BAIDI, 4, 7), (CLIMBING, 8, 7)],
)
def test_poets_keep_the_form(text: str, lines: int, length: int) -> None:
    rules = [VerseShapeRule(lines, length), ToneRule(length), RegulatedRhymeRule()]
    assert broken(text, *rules, *([ParallelRule()] if lines == 8 else [])) == set()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (STORK_TOWER.replace("黄河入海流", "黄河入海"), "line-length"),
        (STORK_TOWER.replace("更上一层楼。", ""), "lines"),
        (STORK_TOWER.replace("楼", "山"), "rhyme"),
        (STORK_TOWER.replace("楼", "流"), "repeated-rhyme"),
        (STORK_TOWER.replace("目", "亭"), "oblique-ending"),
        (STORK_TOWER.replace("黄河", "落日"), "tones"),
        (STORK_TOWER.replace("黄河入海流", "一水入云流"), "adhesion"),
        (STORK_TOWER.replace("欲穷千里目", "已见千帆过"), "adhesion"),
        (STORK_TOWER.replace("山", "W"), "characters"),
    ],
)
def test_what_breaks_the_form_is_named(text: str, rule: str) -> None:
    found = broken(text, VerseShapeRule(4, 5), ToneRule(5), RegulatedRhymeRule())
    assert rule in found


def test_faults_of_one_line() -> None:
    assert faults("仄仄平平仄") == []
    assert faults("平平平仄仄") == []
    assert faults("仄平仄仄平") == ["孤平"]
    assert faults("仄仄平平平") == ["三平尾"]
    assert "alternation" in faults("平平仄平仄")
    assert scannings("白日依山尽", "pingshui")


def test_the_books_differ() -> None:
    """入声 is oblique in the classical book and may be level today: 国, 白, 一 are."""
    assert all(tones[0] == "仄" for tones in scannings("白日依山尽", "pingshui"))
    assert {tones[0] for tones in scannings("白日依山尽", "xinyun")} == {"平"}


def test_repeated_characters_but_doublings() -> None:
    assert broken(STORK_TOWER, RepeatedCharacterRule()) == set()
    assert broken("萧萧班马鸣", RepeatedCharacterRule()) == set()
    assert broken("山重水复山", RepeatedCharacterRule()) == {"repeated-character"}


def test_couplets_of_poets_agree_better_than_lines_by_chance() -> None:
    couplets = [
        ("明月松间照", "清泉石上流"),
        ("感时花溅泪", "恨别鸟惊心"),
        ("大漠孤烟直", "长河落日圆"),
        ("野旷天低树", "江清月近人"),
        ("鸡声茅店月", "人迹板桥霜"),
        ("星垂平野阔", "月涌大江流"),
    ]
    true = [agreement(*couplet) for couplet in couplets]
    shuffled = [agreement(upper, couplets[(at + 1) % len(couplets)][1][::-1]) for at, (upper, _) in enumerate(couplets)]
    assert min(true) > -0.15
    assert sum(true) / len(true) > sum(shuffled) / len(shuffled) + 0.1


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_examples_in_prompts_keep_the_form_that_they_teach(room) -> None:
    for example in room.examples:
        brief = Brief(genre=room.name, words=example.about, fields=room.fields(), seed=0)
        content = Content(text=example.poem, language="zh")
        # Some are by poets, who now and then use a character twice.
        rules = [rule for rule in room.rules(brief) if not isinstance(rule, OriginalityRule | RepeatedCharacterRule)]
        judged = judge(Draft(brief=brief, content=content, parts={}, evidence=EVIDENCE), rules)
        assert judged.passed, (example.about, judged.broken)
        assert all(word and len(word) == 2 for word in example.imagery.split("、"))


@pytest.mark.parametrize("book", ["pingshui", "xinyun"])
@pytest.mark.parametrize(("lines", "length"), [(4, 5), (4, 7), (8, 5), (8, 7)])
@pytest.mark.parametrize("seed", range(3))
def test_any_walk_through_the_mask_pleases_the_checker(lines: int, length: int, book: str, seed: int) -> None:
    text = walk(RegulatedForm(lines, length, system=book, about="江边月夜"), seed)  # type: ignore[arg-type]
    rules = [VerseShapeRule(lines, length), ToneRule(length, book), RegulatedRhymeRule(book), RepeatedCharacterRule()]  # type: ignore[arg-type]
    assert broken(poem(text), *rules) == set(), text


def walk(form: RegulatedForm, seed: int) -> str:
    """A text of suggested characters, drawn by chance."""
    chance, text, index = random.Random(seed), "", 0
    while (unit := form.unit(index, text)) is not None:
        for _ in range(300):
            cursor = unit.cursor()
            while not cursor.done and (open_to := cursor.suggestions()):
                cursor.advance(chance.choice(list(open_to)[:24]))
            if cursor.done and unit.accepts(cursor.text):
                break
        else:
            pytest.fail(f"no line after {text!r}")
        text += unit.opening + cursor.text + unit.closing
        index += 1
    return text


@given(piece=st.text(max_size=8))
def test_no_piece_upsets_a_cursor(piece: str) -> None:
    form = RegulatedForm(4, 5, about="江边月夜")
    for unit in (form.unit(0, ""), form.unit(1, "意象：江月、夜舟、秋风、孤灯、远山、白鹭\n")):
        assert unit is not None
        cursor = unit.cursor()
        before = cursor.text
        if cursor.admits(piece):
            cursor.advance(piece)
            assert cursor.text == before + piece
        assert isinstance(unit.accepts(piece), bool)


def test_lines_of_poets_and_of_the_examples_are_turned_down() -> None:
    room = jueju5.GENRE
    brief = Brief(genre=room.name, words="登楼", fields=room.fields(), seed=0)
    form = room.plan(brief).steps[0].form
    unit = form.unit(1, "意象：江月、夜舟、秋风、孤灯、远山、白鹭\n")  # type: ignore[union-attr]
    assert not unit.accepts("白日依山尽")
    assert not unit.accepts(room.examples[0].poem[:5])


@pytest.mark.parametrize("room", [jueju5.GENRE, jueju7.GENRE], ids=lambda room: room.name)
def test_a_small_model_writes_to_form_and_twice_the_same(room, small_model_path: Path) -> None:
    from castalia.engines.llama import Llama
    from castalia.modalities.text import compose

    brief = Brief(genre=room.name, words="雨夜读书", fields=room.fields(), seed=3)
    engine = Llama(small_model_path, name="qwen2.5-coder-0.5b", digest="d", threads=1)
    try:
        first, again = (compose(brief, room.plan(brief), engine, room.assemble) for _ in range(2))
    finally:
        engine.close()
    assert first.content.text == again.content.text
    assert first.evidence.form == "masked"
    assert judge(first, room.rules(brief)).passed
