"""Loop: a background piece of a few instruments from words, whose end leads to its beginning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from castalia.core.music import ArrangementStep, MusicStep, MusicStepMaker, TuneStep
from castalia.core.ports import Plan, Rule
from castalia.core.score import Metre, Part, Score
from castalia.core.script import simplified
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._moods import Mood, mood
from castalia.genres._music import NotedRule, Tempo, assembled, drawn_key, wished_key
from castalia.genres._players import band, instrument_words
from castalia.quality import (
    BarsRule,
    BassRule,
    BelowMelodyRule,
    ChordFitRule,
    EveryBarRule,
    InstrumentRangeRule,
    LoopRule,
    OverlapRule,
)

FREEDOM = 1.0
"""Temperature of the progression."""
_DANCES = {
    "3/4": re.compile(r"\b(waltz(es)?|minuet|mazurka)\b|华尔兹|圆舞曲|小步舞曲|三拍", re.IGNORECASE),
    "6/8": re.compile(r"\b(jigs?|barcarolle|siciliana)\b|吉格|船歌", re.IGNORECASE),
    "2/4": re.compile(r"\b(polkas?)\b|波尔卡|二拍", re.IGNORECASE),
}
_MOST_PLAYERS = 6
_LEAD_OVER = 70
"""MIDI number over which a melody lies where nobody plays chords."""
_CALM = (2.0, 0.6, 0.0)
"""Nats for each doubling of a note of the melody's length, by density."""
_LEAD_PROGRAM = 73
"""General MIDI: a flute."""


class LoopFields(BriefFields):
    """Fields of a loop."""

    bars: Annotated[int, Field(ge=2, le=64, description="bars | 小节数")] = 8
    metre: Annotated[
        Literal["", "4/4", "3/4", "2/4", "6/8", "12/8"],
        Field(description="2/4, 3/4, 4/4, 6/8 or 12/8; empty: by the words | 拍号；空：按文字"),
    ] = ""
    key: Annotated[str, Field(max_length=20, description="key, e.g. E minor, Bb | 调，如 E小调、降B大调")] = ""
    tempo: Annotated[Tempo, Field(ge=0, le=240, description="quarters a minute; 0: by the mood | 速度；0：按情绪")] = 0
    instruments: Annotated[
        tuple[str, ...],
        Field(max_length=_MOST_PLAYERS, description="who plays, e.g. piano, bass, drums | 乐器，如 钢琴、贝斯、鼓"),
    ] = ()
    density: Annotated[
        int, Field(ge=0, le=3, description="1 sparse to 3 dense; 0: by the mood | 密度 1–3；0：按情绪")
    ] = 0
    lead: Annotated[
        Literal["no", "yes"], Field(description="a melody over it: yes or no | 是否加主旋律：yes 或 no")
    ] = "no"


class Loop:
    """See the module."""

    name = "loop"
    aliases = ("background", "背景音乐", "循环", "配乐")
    languages = ("en", "zh")
    title = ("Loop", "循环背景音乐")
    summary = (
        "a background piece from mood words: a progression that returns to its beginning, played without a seam",
        "由情绪词生成的背景音乐：和声进行回到开头，可无缝循环播放",
    )
    fields: type[BriefFields] = LoopFields

    def plan(self, brief: Brief) -> Plan:
        """The players; then, where it is asked for, a melody over their chords."""
        music: list[MusicStep | MusicStepMaker] = [_step(brief)]
        if _fields(brief).lead == "yes":
            music.append(lambda parts: _lead(brief, Score.model_validate_json(parts["loop"])))
        return Plan(music=tuple(music))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The score, its melody first; see `assembled`."""
        written = parts.get("loop", "")
        with suppress(KeyError, ValidationError):  # without a melody, or no score: the rules refuse that
            tune, score = (Score.model_validate_json(each) for each in (parts["lead"], written))
            written = score.model_copy(update={"parts": (*tune.parts, *score.parts)}).model_dump_json()
        return assembled(brief, written)

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Bars, chords, bass, ranges, the seam; with a melody also what it has to do with the chords."""
        fields, step = _fields(brief), _step(brief)
        bass = any(player.role == "bass" or player.rooted for player in step.players)
        return (
            BarsRule(fields.bars),
            EveryBarRule(),
            *((BassRule(),) if bass else ()),
            InstrumentRangeRule(),
            OverlapRule(),
            LoopRule(),
            *((ChordFitRule(), NotedRule(BelowMelodyRule())) if fields.lead == "yes" else ()),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a loop is written anew."""


def _fields(brief: Brief) -> LoopFields:
    assert isinstance(brief.fields, LoopFields)
    return brief.fields


def _step(brief: Brief) -> ArrangementStep:
    fields = _fields(brief)
    words = f"{brief.words} {fields.style}"
    feeling = mood(words)
    key = wished_key(fields.key, words) or drawn_key(brief.seed, feeling.mode)
    beats, unit = map(int, (fields.metre or _metre_in(words)).split("/"))
    metre = Metre(0, beats, unit)
    density = fields.density or feeling.density
    return ArrangementStep(
        name="loop",
        sketch=Score(
            title=brief.words[:60].strip(),
            parts=(),
            fifths=key.fifths,
            mode=key.mode,
            metres=(metre,),
            tempo=float(fields.tempo or feeling.tempo),
        ),
        length=metre.bar * fields.bars,
        players=band(
            fields.instruments or _chosen(words, feeling),
            density=density,
            register=feeling.register,
            drums=feeling.drums,
            language=fields.language,
            seed=brief.seed,
        ),
        sevenths=feeling.sevenths,
        loops=True,
        temperature=FREEDOM,
    )


def _metre_in(words: str) -> str:
    """The metre that words name, or that of the dance that they do; else four quarters."""
    if found := re.search(r"(?<!\d)(2/4|3/4|4/4|6/8|12/8)(?!\d)", words):
        return found[1]
    named = next((metre for metre, pattern in _DANCES.items() if pattern.search(simplified(words))), "")
    return named or "4/4"


def _chosen(words: str, feeling: Mood) -> tuple[str, ...]:
    """The instruments that the words name, with the mood's basses and drums; else the mood's own."""
    named = instrument_words(words)
    if not named:
        return feeling.instruments
    rest = [name for name in feeling.instruments if name in ("bass", "drums", "cello", "synth bass")]
    return tuple(dict.fromkeys((*named, *rest)))[:_MOST_PLAYERS]


def _lead(brief: Brief, under: Score) -> TuneStep:
    """A melody above the players, on their chords."""
    top = max((note.pitch for part in under.parts if part.kind == "chords" for note in part.notes), default=_LEAD_OVER)
    lowest = min(72, max(64, top - 4))
    bar = under.metres[0].bar
    part = Part(name="主旋律" if brief.fields.language == "zh" else "Lead", program=_LEAD_PROGRAM, kind="voice")
    return TuneStep(
        name="lead",
        sketch=under.model_copy(update={"parts": (part,), "chords": ()}),
        length=under.length,
        phrases=tuple(tick for tick in range(4 * bar, under.length + 1, 4 * bar)) or (under.length,),
        lowest=lowest,
        highest=lowest + 17,
        chords=under.chords,
        calm=_CALM[(_fields(brief).density or mood(f"{brief.words} {_fields(brief).style}").density) - 1],
    )


GENRE = Loop()
