"""Songs: syllables, their setting to rhythm, the rules for words that are sung, the genre, and its files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia.core.errors import UsageError
from castalia.core.music import TuneStep
from castalia.core.ports import Rule
from castalia.core.score import Metre, Note, Score
from castalia.core.values import Brief, Content, Draft, Evidence, Finding
from castalia.genres._lyric_steps import written_lyrics
from castalia.genres._lyrics import given_lyrics
from castalia.genres.song import GENRE, SongFields
from castalia.modalities.music import file_of, grid_of, read_score, set_stanza, sung_to
from castalia.modalities.text.syllables import sung, sung_phrases
from castalia.quality import BareNotesRule, BreathRule, SungRule, UnbrokenWordRule, WordStressRule, beat_strength
from castalia.studio import Studio

GRACE = """Amazing Grace

Amazing grace! how sweet the sound
That saved a wretch like me!
I once was lost, but now am found,
Was blind, but now I see.

'Twas grace that taught my heart to fear,
And grace my fears relieved;
How precious did that grace appear
The hour I first believed!"""
CHINESE = "静夜思\n\n床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。"
METRES = (Metre(0, 4, 4), Metre(0, 3, 4), Metre(0, 6, 8))


# ---------------------------------------------------------------- syllables


@pytest.mark.parametrize(
    ("word", "broken"),
    [
        ("water", "wa-ter"), ("river", "riv-er"), ("ev'ry", "ev-'ry"), ("every", "ev-ery"), ("singing", "sing-ing"),
        ("running", "run-ning"), ("making", "mak-ing"), ("something", "some-thing"), ("lonely", "lone-ly"),
        ("table", "ta-ble"), ("creation", "cre-a-tion"), ("forever", "for-ev-er"), ("heav'n", "heav'n"),
        ("prism", "pris-m"), ("Jerusalem", "Jer-u-sa-lem"), ("daughter", "daugh-ter"), ("voices", "voic-es"),
        ("beautiful", "beau-ti-ful"), ("remember", "re-mem-ber"), ("special", "spe-cial"), ("fire", "fire"),
    ],
)  # fmt: skip
def test_words_are_broken_where_singers_expect_it(word: str, broken: str) -> None:
    syllables = sung(word)
    assert "".join(syllable.text for syllable in syllables) == broken
    assert [syllable.goes_on for syllable in syllables] == [True] * (len(syllables) - 1) + [False]


def test_marks_hyphens_and_two_languages_on_one_line() -> None:
    assert [s.text for s in sung("“Oh, heart-broken!” — 'tis I")] == ["“Oh,", "heart-", "bro-", "ken!”", "'tis", "I"]
    assert [s.text for s in sung("我爱 you forever，不分离。")] == [
        "我",
        "爱",
        "you",
        "for-",
        "ev-",
        "er，",
        "不",
        "分",
        "离。",
    ]
    assert [s.stress for s in sung("Amazing grace! how")] == [0, 3, 0, 2, 1]
    assert [len(sung("memory every fire", wanted)) for wanted in (None, 6, 7, 8)] == [6, 6, 7, 8]


@pytest.mark.parametrize("text", ["in 1999", "Привет", "さくら", "안녕"])
def test_what_cannot_be_sung_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(text.rpartition(" ")[2])):
        sung(text)


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Nd", "Cc"]), max_size=80))
def test_no_letter_is_lost(text: str) -> None:
    letters = "".join(filter(str.isalpha, text))
    joined = "".join(filter(str.isalpha, "".join(syllable.text for syllable in sung(text))))
    assert joined == letters
    phrases = sung_phrases(text)
    assert "".join(filter(str.isalpha, "".join(phrases))) == letters


# ---------------------------------------------------------------- setting


LINE = st.lists(st.sampled_from("the a sea water remember light of morning stars".split()), min_size=1, max_size=7)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(LINE, min_size=1, max_size=5),
    st.sampled_from(METRES),
    st.integers(0, 1000),
)  # fmt: skip
def test_every_line_has_its_bars_and_every_syllable_a_note(words: list[list[str]], metre: Metre, seed: int) -> None:
    stanza = tuple(sung(" ".join(line)) for line in words)
    made = set_stanza([stanza], grid_of(metre), seed=seed)
    assert made == set_stanza([stanza], grid_of(metre), seed=seed)
    notes = made.rhythm
    assert [note.lyric for note in notes] == [syllable.text for line in stanza for syllable in line]
    assert all(one.start + one.length <= other.start for one, other in pairwise(notes))
    assert notes[0].start == 0
    assert notes[-1].start + notes[-1].length == made.ends[-1] == made.bars * metre.bar
    for end, line in zip(made.ends, made.model, strict=True):
        assert line[-1].start + line[-1].length <= end


def test_stress_falls_on_strong_beats_and_parallel_lines_are_alike() -> None:
    stanza = tuple(sung(line) for line in GRACE.splitlines()[2:6])
    made = set_stanza([stanza], grid_of(Metre(0, 3, 4)), seed=0)
    assert [note.start // 48 for note in made.model[0]] == [0, 1, 3, 4, 6, 7, 9, 10]  # as New Britain has it
    lengths = [[note.length for note in line] for line in made.model]
    assert (lengths[0], lengths[1]) == (lengths[2], lengths[3])


def test_a_verse_with_another_number_of_syllables_sings_the_same_tune() -> None:
    verses = [
        tuple(sung(line) for line in text)
        for text in (("The sea is wide", "and deep"), ("Over the hills", "we go home"))
    ]
    made = set_stanza(verses, grid_of(METRES[0]), seed=1)
    tune = [note._replace(pitch=60 + number) for number, note in enumerate(made.rhythm)]
    second = sung_to(tune, [note for line in made.verses[1] for note in line])
    assert len(second) == 7
    assert all(60 <= note.pitch < 60 + len(tune) for note in second)
    assert [note.lyric for note in second] == ["O-", "ver", "the", "hills", "we", "go", "home"]


# ---------------------------------------------------------------- the genre


def test_given_words_are_sung_in_order_and_every_rule_holds() -> None:
    for metre in ("4/4", "3/4", "6/8"):
        draft, findings = _song(GRACE, metre=metre)
        assert [f.rule for f in findings if f.refuses] == []
        assert draft.content.title == "Amazing Grace"
        assert len(draft.content.fields["sung"]) == 8
        assert draft.content.score is not None
        assert "".join(note.lyric for note in draft.content.score.parts[0].notes[:3]) == "A-maz-ing"


def test_sections_labels_and_refrains() -> None:
    text = "[Verse 1]\nThe river runs\nDown to the sea\n\n[Chorus]\nOh carry me home\nCarry me home\n\n[Verse 2]\n"
    lyrics = given_lyrics(text + "The winter comes\nSo silently\n\n[Chorus]")
    assert [section.name for section in lyrics.sections] == ["verse", "chorus", "verse", "chorus"]
    assert lyrics.names == ("verse", "chorus")
    assert lyrics.text.count("carry me home") == 1
    assert given_lyrics("主歌：\n春风吹过\n\n副歌：\n啊 我的家乡").names == ("verse", "chorus")
    draft, findings = _song(text + "The winter comes\nSo silently\n\n[Chorus]")
    assert not [f for f in findings if f.refuses]
    first = _sung(draft, "Oh")
    assert len(first) == 2
    assert first[0].pitch == first[1].pitch


@pytest.mark.parametrize(
    "text",
    ["la la la\nla la la la la\n" + "la " * 17, "I\nam walking on the long road\nalone",
     "Hello 🌍 world", "我爱 you forever\nbaby 不要说 goodbye", "Grumblethorp and Zyxxqv went\nto Llanfair in May"],
)  # fmt: skip
def test_unusual_words_are_set(text: str) -> None:
    _, findings = _song(text)
    assert {f.rule for f in findings if f.refuses} <= {"melody-range"}  # one or two notes span little


@pytest.mark.parametrize("text", ["…\n\n—", "In 1999 we met", "a" * 100, "\n".join(["la la"] * 200)])
def test_words_that_are_no_lyrics_are_refused_with_the_next_step(text: str) -> None:
    with pytest.raises(UsageError) as error:
        GENRE.plan(_brief(text))
    assert error.value.hint


def test_a_song_about_nothing_is_refused() -> None:
    with pytest.raises(UsageError):
        GENRE.plan(_brief(""))


def test_written_words_are_put_in_the_order_of_a_song() -> None:
    lines = "\n".join(f"line {letter} is here" for letter in "abcdefghijkl")
    lyrics = written_lyrics({"lyrics": lines, "title": "“Title: no”"}, "a song about the sea", chorus=True)
    assert [section.name for section in lyrics.sections] == ["verse", "chorus", "verse", "chorus"]
    assert lyrics.sections[1].lines[0] == "line e is here"
    assert written_lyrics({"lyrics": "In 1999\n{"}, "the sea", chorus=True).names == ("verse",)
    steps = GENRE.plan(Brief(genre="song", words="the sea", fields=SongFields(verses=3), seed=1)).steps
    assert [step.name for step in steps] == ["lyrics", "title"]
    chinese = GENRE.plan(Brief(genre="song", words="秋夜", fields=SongFields(language="zh"), seed=1)).steps
    assert [step.name for step in chinese] == ["verse1", "chorus", "verse2", "title"]


def test_the_same_brief_and_seed_give_the_same_song() -> None:
    assert _song(GRACE)[0].content == _song(GRACE)[0].content
    one, other = (_song(GRACE, seed=seed)[0].content.score for seed in (1, 2))
    assert one is not None
    assert other is not None
    assert one.parts != other.parts


# ---------------------------------------------------------------- rules


def test_the_rules_find_what_is_wrong() -> None:
    draft, _ = _song(GRACE, metre="4/4")
    assert not _broken(SungRule(), draft)
    lost = _changed(draft, lambda notes: notes[:4] + notes[5:])
    assert _broken(SungRule(), lost)
    bare = _changed(draft, lambda notes: [notes[0]._replace(lyric=""), *notes[1:]])
    assert _broken(BareNotesRule(), bare)
    late = _changed(draft, lambda notes: [note._replace(start=note.start + 48) for note in notes])
    assert _broken(WordStressRule(), late)
    torn = _changed(draft, lambda notes: [note._replace(length=note.length // 2) for note in notes])
    assert _broken(UnbrokenWordRule(), torn)
    hurried = _changed(draft, lambda notes: [note._replace(start=n * 12, length=12) for n, note in enumerate(notes)])
    assert _broken(BreathRule(), hurried)


def test_strength_of_beats() -> None:
    score = Score(parts=(), metres=(Metre(0, 4, 4),), pickup=48)
    assert [beat_strength(score, tick) for tick in (0, 24, 48, 96, 144, 48 + 12)] == [3, 2, 5, 3, 4, 1]
    jig = Score(parts=(), metres=(Metre(0, 6, 8),))
    assert [beat_strength(jig, tick) for tick in (0, 24, 48, 72, 96)] == [5, 2, 2, 4, 2]


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("text", [GRACE, CHINESE])
def test_words_come_back_from_every_file(text: str) -> None:
    score = _song(text)[0].content.score
    assert score
    for face in ("musicxml", "abc", "mid"):
        back = read_score(file_of(score, face, soundfont=None), face)
        assert [note.lyric for note in back.parts[0].notes] == [note.lyric for note in score.parts[0].notes]
    written = file_of(score, "musicxml", soundfont=None).decode()
    if text is GRACE:
        assert re.search(r"<syllabic>begin</syllabic>\s*<text>A</text>", written)
        assert re.search(r"<syllabic>middle</syllabic>\s*<text>maz</text>", written)
        assert re.search(r"<syllabic>end</syllabic>\s*<text>ing</text>", written)
        assert re.search(r"^w: A-", file_of(score, "abc", soundfont=None).decode(), re.MULTILINE)


def test_a_file_and_a_work_give_their_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path))
    (tmp_path / "poem.txt").write_text(CHINESE, encoding="utf-8")
    studio = Studio()
    brief, _ = studio.given.brief(GENRE, "", 1, (), {"lyrics": str(tmp_path / "poem.txt")})
    assert isinstance(brief.fields, SongFields)
    assert brief.fields.lyrics == CHINESE
    assert brief.fields.language == "zh"
    long = "the sea is calm tonight " * 20
    brief, _ = studio.given.brief(GENRE, "", 1, (), {"lyrics": long})
    assert brief.fields.model_dump()["lyrics"] == long.strip()
    brief, _ = studio.given.brief(GENRE, "", 1, (), {"lyrics": "face the deed"})
    assert brief.fields.model_dump()["lyrics"] == "face the deed"
    work = studio.create("chorale", "evening", seed=1, bars=2)
    brief, _ = studio.given.brief(GENRE, "", 1, (), {"lyrics": work.id[:8]})
    assert brief.parents == (work.id,)
    assert brief.fields.model_dump()["lyrics"] == work.text.strip()
    with pytest.raises(UsageError):
        studio.given.brief(GENRE, "", 1, (), {"lyrics": str(tmp_path / "missing.txt")})
    studio.close()


# ---------------------------------------------------------------- what the tests stand on


def _brief(lyrics: str, seed: int = 1, **fields: object) -> Brief:
    chosen = SongFields.model_validate({"lyrics": lyrics, "accompaniment": "none", **fields})
    return Brief(genre="song", words="", fields=chosen, seed=seed)


def _song(lyrics: str, seed: int = 1, **fields: object) -> tuple[Draft, list[Finding]]:
    """A song of given words whose tunes walk up and down the scale, and all findings."""
    brief = _brief(lyrics, seed, **fields)
    parts: dict[str, str] = {}
    for make in GENRE.plan(brief).music:
        assert callable(make)
        step = make(parts)
        assert isinstance(step, TuneStep)
        parts[step.name] = _walk(step).model_dump_json()
    draft = _draft(brief, GENRE.assemble(brief, parts), parts)
    return draft, [finding for rule in GENRE.rules(brief) for finding in rule.check(draft)]


def _walk(step: TuneStep) -> Score:
    minor = step.sketch.mode == "minor"
    tonic = (7 * step.sketch.fifths + (9 if minor else 0)) % 12
    steps = (0, 2, 3, 5, 7) if minor else (0, 2, 4, 5, 7)
    last = len(step.rhythm) - 1
    notes = tuple(
        note._replace(pitch=60 + tonic + (steps[abs(4 - number % 8)] if number < last else 0))
        for number, note in enumerate(step.rhythm)
    )
    return step.sketch.model_copy(update={"parts": (step.sketch.parts[0].model_copy(update={"notes": notes}),)})


def _draft(brief: Brief, content: Content, parts: Mapping[str, str]) -> Draft:
    evidence = Evidence(model="none", digest="none", engine="none", seed=brief.seed)
    return Draft(brief=brief, content=content, parts=parts, evidence=evidence)


def _sung(draft: Draft, syllable: str) -> list[Note]:
    assert draft.content.score
    return [note for note in draft.content.score.parts[0].notes if note.lyric == syllable]


def _changed(draft: Draft, change: Callable[[list[Note]], Sequence[Note]]) -> Draft:
    score = draft.content.score
    assert score is not None
    notes = change(list(score.parts[0].notes))
    part = score.parts[0].model_copy(update={"notes": tuple(notes)})
    content = draft.content.model_copy(update={"score": score.model_copy(update={"parts": (part,)})})
    return draft.model_copy(update={"content": content})


def _broken(rule: Rule, draft: Draft) -> bool:
    return any(finding.refuses for finding in rule.check(draft))
