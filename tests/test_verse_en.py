"""English verse: the mask's lines please a checker that shares no code with it; rules find what is wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia.core.ports import Cursor, Form
from castalia.core.values import Brief, Content, Draft, Evidence
from castalia.genres import free_verse, haiku, limerick, sonnet
from castalia.modalities.text.forms.english import dictionary, lexicon
from castalia.modalities.text.forms.lines import LineCursor, LineRules, joins, words_of
from castalia.modalities.text.forms.subject import subject
from castalia.modalities.text.forms.syllabic import SyllabicForm
from castalia.modalities.text.forms.unknown_words import Analogy, rhyme_of, stresses
from castalia.quality import LineCountRule, RhymeRule, SyllableRule, judge
from castalia.quality.verse_en import rhymes, scans, syllables

EVIDENCE = Evidence(model="none", digest="0", engine="none", seed=0)
WORDS = sorted(text for text in (w for group in lexicon().by_shape.values() for w in group) if "'" not in text)


def walk(form: Form, seed: int, *, tries: int = 40) -> str:
    """A text of random lexicon words that the form's cursors admit, with the model's part played by chance."""
    chance, text, index = random.Random(seed), "", 0
    while (unit := form.unit(index, text)) is not None:
        for _ in range(tries):
            line = _line(unit.cursor(), chance)
            if line is not None and unit.accepts(line):
                break
        else:
            pytest.fail(f"no line after {text!r}")
        text += line + unit.closing
        index += 1
    return text


def _line(cursor: Cursor, chance: random.Random) -> str | None:
    text = ""
    for _ in range(40):
        likely = chance.sample(WORDS, 60)
        pieces = ["\n", "", ".\n", ",\n", *(" " + word if text else word.capitalize() for word in likely)]
        admitted = [piece for piece in pieces if cursor.admits(piece)] or [
            piece for piece in cursor.suggestions() if cursor.admits(piece)
        ]
        if not admitted:
            return None
        piece = chance.choice(admitted)
        if piece == "":
            return text
        cursor.advance(piece)
        text += piece
        if cursor.done:
            return text
    return None


def draft(text: str, genre: object = haiku.GENRE, words: str = "a harbour", title: str = "") -> Draft:
    fields = genre.fields()  # type: ignore[attr-defined]
    brief = Brief(genre="any", words=words, fields=fields, seed=1)
    return Draft(brief=brief, content=Content(text=text, title=title), evidence=EVIDENCE)


def broken(rules: Sequence[object], text: str, **more: object) -> list[tuple[str, str]]:
    judged = judge(draft(text, **more), rules)  # type: ignore[arg-type]
    return [(finding.rule, finding.place) for finding in judged.broken]


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_any_walk_through_the_mask_pleases_the_checker(seed: int) -> None:
    for genre in (haiku.GENRE, limerick.GENRE, sonnet.GENRE):
        brief = Brief(genre=genre.name, words="Matilda sails to Oslo", fields=genre.fields(), seed=1)
        step = genre.plan(brief).steps[0]
        assert step.form is not None
        text = walk(step.form, seed)
        content = genre.assemble(brief, {"poem": text})
        judged = judge(Draft(brief=brief, content=content, evidence=EVIDENCE), genre.rules(brief))
        assert judged.passed, (text, judged.broken)
        assert len(judged.findings) > 3


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("An old silent pond", {5}),
        ("A frog jumps into the pond", {7}),
        ("The harbour's first snow", {5}),
        ("Fire", {1, 2}),
        ("古池水清清", {5}),
        ("blorfy zibbet", {4}),
    ],
)
def test_syllables(line: str, count: set[int]) -> None:
    assert syllables(line) == count


@pytest.mark.parametrize(
    ("first", "second", "true"),
    [
        ("night", "light", True),
        ("delight", "night", True),
        ("sea", "see", False),
        ("light", "delight", False),
        ("stare", "stair", False),
        ("love", "move", False),
        ("sleeping", "keeping", True),
        ("day", "day", False),
    ],
)
def test_rhymes(first: str, second: str, true: bool) -> None:
    assert rhymes(first, second) is true
    assert rhymes(second, first) is true


def test_metre() -> None:
    pentameter = ("wswswswsws",)
    assert scans("Shall I compare thee to a summer's day", pentameter)
    assert scans("And every ship that turns to find its light", ("wswswswsws", "wswswswswsw"))
    assert not scans("Window curtains blowing open slowly", pentameter)
    assert not scans("Too short a line", pentameter)


def test_rules_name_the_line_that_is_wrong() -> None:
    rules = haiku.GENRE.rules(draft("x").brief)
    assert broken(rules, "Green pond in the shade,\nA small frog sits on a stone\nAnd waits for the rain.") == []
    assert broken(rules, "Green pond in the shade,\nA frog sits on a stone\nAnd waits for the rain.") == [
        ("syllables", "line 2")
    ]
    assert ("lines", "") in broken(rules, "Green pond in the shade")
    assert ("repeated-line", "line 3") in broken(rules, "Green pond in the shade\nx\nGreen pond in the shade!")


def test_titles_are_not_lines() -> None:
    assert broken([LineCountRule(2)], "Snow\n\nOne line\nTwo lines", title="Snow") == []


def test_rhyme_rule_finds_repeated_words() -> None:
    found = broken([RhymeRule("AA")], "I saw the night\nIt was the night")
    assert [rule for rule, _ in found] == ["rhyme", "rhyme-word-repeated"]


def test_examples_in_prompts_keep_their_own_form() -> None:
    for _, poem in haiku.EXAMPLES:
        assert broken(haiku.GENRE.rules(draft("x").brief), poem) == []
    for _, poem in limerick.EXAMPLES:
        assert broken(limerick.GENRE.rules(draft("x").brief), poem) == []
    assert broken(sonnet.GENRE.rules(draft("x").brief), sonnet.EXAMPLE) == []
    for _, poem in haiku.EXAMPLES_ZH:
        assert broken([SyllableRule(((5,), (7,), (5,)))], poem) == []


def test_the_mask_never_ends_a_line_on_a_small_word_nor_repeats_itself() -> None:
    cursor = SyllabicForm((5, 7, 5)).unit(0, "").cursor()  # type: ignore[union-attr]
    for piece in ("Snow", " falls", " on", " cold"):
        assert cursor.admits(piece)
        cursor.advance(piece)
    assert not cursor.admits(" the")
    assert not cursor.admits(" snow")
    assert not cursor.admits(" water")
    assert not cursor.admits("\n")
    assert cursor.admits(" stone")
    before = cursor.fork()
    cursor.advance(" stone")
    assert cursor.admits(",\n")
    assert not before.admits("\n")
    assert not cursor.done
    cursor.advance("\n")
    assert cursor.done


def test_lines_of_the_brief_are_not_copied() -> None:
    unit = SyllabicForm((5,), forbidden=("cold snow falls on stone",)).unit(0, "")
    assert unit is not None
    assert not unit.accepts("Cold snow falls on stone")
    assert unit.accepts("Snow falls on cold stone")


def test_names_of_the_brief_can_be_written() -> None:
    about = subject("Matilda learns to ride in Oslo")
    cursor = SyllabicForm((5,), words=about.words).unit(0, "").cursor()  # type: ignore[union-attr]
    assert about.favoured[:2] == ("matilda", "learns")
    assert cursor.admits("Matilda")
    assert not cursor.admits("matilda")
    cursor.advance("Matilda")
    assert cursor.admits(" rides")
    assert not cursor.admits(" Rides")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=12))
def test_no_piece_upsets_a_cursor(piece: str) -> None:
    for form in (SyllabicForm((5, 7, 5)), haiku.HanForm((5, 7, 5)), free_verse.OpenLines(4, 60)):
        unit = form.unit(0, "")
        assert unit is not None
        cursor = unit.cursor()
        if cursor.admits(piece) and piece and piece != "\ufffd":
            cursor.advance(piece)
            cursor.fork().suggestions()
        assert isinstance(unit.accepts(piece), bool)


def test_chinese_haiku_lines_have_their_characters() -> None:
    cursor = haiku.HanForm((5, 7, 5)).unit(0, "").cursor()  # type: ignore[union-attr]
    assert not cursor.admits("snow")
    for piece in ("港口", "白", "茫"):
        assert cursor.admits(piece)
        cursor.advance(piece)
    assert not cursor.admits("\n")
    assert not cursor.admits("的")
    assert not cursor.admits("一片")
    assert cursor.admits("茫\n")


def test_unknown_words_sound_like_their_neighbours() -> None:
    spoken = {word: sounds for word, sounds in dictionary().items() if "'" not in word}
    held_out = random.Random(1).sample(sorted(spoken), 400)
    learned = Analogy({word: sounds for word, sounds in spoken.items() if word not in set(held_out)})
    right = {"syllables": 0, "stress": 0, "rhyme": 0}
    for word in held_out:
        guessed, sound = learned.guess(word), spoken[word]
        right["syllables"] += guessed.syllables in {len(stresses(one)) for one in sound}
        right["stress"] += guessed.stress.find("1") in {stresses(one).find("1") for one in sound}
        right["rhyme"] += guessed.rhyme in {rhyme_of(one) for one in sound}
    assert right["syllables"] > 350
    assert right["stress"] > 300
    assert right["rhyme"] > 165


@pytest.mark.parametrize("genre", [haiku.GENRE, limerick.GENRE])
def test_a_small_model_writes_to_form_and_twice_the_same(genre: object, english_model_path: Path) -> None:
    from castalia.engines.llama import Llama
    from castalia.modalities.text import compose

    brief = Brief(genre=genre.name, words="an old dog by the sea", fields=genre.fields(), seed=3)  # type: ignore[attr-defined]
    engine = Llama(english_model_path, name="smollm2-135m", digest="d", threads=1)
    try:
        first, again = (compose(brief, genre.plan(brief), engine, genre.assemble) for _ in range(2))  # type: ignore[attr-defined]
    finally:
        engine.close()
    assert first.content.text == again.content.text
    assert first.evidence.form == "masked"
    assert judge(first, genre.rules(brief)).passed  # type: ignore[attr-defined]


def test_words_keep_apostrophes() -> None:
    assert words_of("The winter’s day, isn't it?") == ["the", "winter's", "day", "isn't", "it"]


def test_words_of_the_brief_may_be_written_in_parts_and_articles_join() -> None:
    about = subject("a heron waits in the reeds")
    rules = LineRules(patterns=("xxxxx",), favoured=frozenset(about.favoured))
    cursor = LineCursor(about.words, rules)
    for piece in ("A", " her", "on", " waits"):
        assert cursor.admits(piece), piece
        cursor.advance(piece)
    other = LineCursor(about.words, LineRules(patterns=("xxxxx",)))
    other.advance("A")
    other.advance(" her") if other.admits(" her") else None
    assert not other.admits(" on")
    assert not joins("a", about.words.get("old"))
    assert joins("an", about.words.get("old"))
    assert not joins("the", about.words.get("her"))
    assert joins("my", about.words.get("own"))
