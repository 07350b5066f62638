"""Variation: a given melody goes on being itself while what lies between its strong notes is written anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.music import Kept, TuneStep
from castalia.core.ports import Plan, Rule
from castalia.core.score import QUARTER, Note, Part, Score
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._music import NotedRule, Tempo, assembled
from castalia.genres._tunes import PROGRAMS, OneMetreRule, SoundName, begun, compass, kind_named, line_of, signature_of
from castalia.quality import (
    BarsRule,
    CompassRule,
    DrummingRule,
    MelodicLeapRule,
    ScaleRule,
    TonicEndRule,
    TuneCopyingRule,
    VariationRule,
    tonic_of,
)

PHRASE = 4
"""Bars."""
LONGEST = 128
"""Bars."""
_ROOM = 3
"""Semitones beyond the theme's compass that a variation may use."""


class VariationFields(BriefFields):
    """Fields of a variation."""

    melody: Annotated[
        Score | None, Field(description="score file whose melody is varied (required) | 要变奏的乐谱文件（必填）")
    ] = None
    strength: Annotated[
        Literal["subtle", "strong"],
        Field(description="notes on beats stand, or (strong) the first of each bar | 保留拍上音，或（strong）小节首音"),
    ] = "subtle"
    tempo: Annotated[Tempo, Field(ge=0, le=300, description="quarters a minute; 0: as the theme | 速度；0：同主题")] = 0
    sound: Annotated[SoundName, Field(description="instrument | 乐器")] = "flute"


class Variation:
    """See the module."""

    name = "variation"
    aliases = ("变奏", "变奏曲", "variations")
    languages = ("en", "zh")
    title = ("Variation", "变奏")
    summary = (
        "a given melody varied: its strong notes and cadences stand, what lies between is written anew",
        "给定旋律的变奏：保留强拍音与终止，其余重写",
    )
    fields: type[BriefFields] = VariationFields

    def plan(self, brief: Brief) -> Plan:
        """One score."""
        return Plan(music=(_step(brief),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """See `assembled`."""
        return assembled(brief, parts.get("variation", ""))

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """That it is recognised and differs; compass, leaps, copying; what may be the theme's own is noted."""
        fields, step = _fields(brief), _step(brief)
        theme, kept = line_of(_theme(fields)), step.sketch.parts[0].notes
        strong = frozenset(note.start for note in kept)
        ends_at_home = theme[-1].pitch % 12 == tonic_of(step.sketch)
        return (
            VariationRule(theme, strong, change=0.15 if fields.strength == "subtle" else 0.3),
            NotedRule(ScaleRule()),
            CompassRule(step.lowest, step.highest),
            NotedRule(BarsRule()),
            TonicEndRule() if ends_at_home else NotedRule(TonicEndRule()),
            MelodicLeapRule(strong),
            NotedRule(DrummingRule()),
            TuneCopyingRule(given=strong, theme=theme),
            OneMetreRule(_theme(fields)),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a variation is written anew."""


def _fields(brief: Brief) -> VariationFields:
    assert isinstance(brief.fields, VariationFields)
    return brief.fields


def _theme(fields: VariationFields) -> Score:
    if fields.melody is None:
        raise UsageError(
            say("A variation needs a melody.", "变奏需要一条旋律。"),
            hint="castalia create variation --melody tune.mid  /  -o melody tune.abc",
        )
    return begun(fields.melody)


def _step(brief: Brief) -> TuneStep:
    fields = _fields(brief)
    theme = _theme(fields)
    notes, bar = line_of(theme), theme.metres[0].bar
    end = max(note.start + note.length for note in notes)
    if end > LONGEST * bar:
        raise UsageError(
            say(
                "The melody has {n} bars; at most {most} are taken.",
                "旋律有 {n} 小节；最多 {most} 小节。",
                n=end // bar,
                most=LONGEST,
            ),
            hint=say("Give a part of it.", "请给出其中一部分。"),
        )
    fifths, mode = signature_of(theme)
    whole = end if end % bar == 0 else theme.pickup + -(-(end - theme.pickup) // bar) * bar
    kept = _pillars(notes, theme, whole, fields.strength)
    _, kind = kind_named("", f"{brief.words} {theme.title}", "")
    sketch = Score(
        title=brief.words[:60].strip() or theme.title,
        parts=(
            Part(
                name="变奏" if fields.language == "zh" else "Variation",
                program=PROGRAMS[fields.sound],
                kind="voice",
                notes=kept,
            ),
        ),
        fifths=fifths,
        mode=mode,
        metres=theme.metres[:1],
        pickup=theme.pickup,
        tempo=float(fields.tempo or theme.tempo),
    )
    low, high = min(note.pitch for note in notes), max(note.pitch for note in notes)
    around = compass(tonic_of(sketch), (low + high) / 2)
    return TuneStep(
        "variation",
        sketch,
        whole,
        kept=tuple(Kept(0, note.start, note.start + note.length) for note in kept),
        phrases=(*range(PHRASE * bar, whole - bar, PHRASE * bar), whole),
        style=kind.style,
        lowest=min(low, max(low - _ROOM, around[0])),
        highest=max(high, min(high + _ROOM, around[1])),
    )


def _pillars(notes: tuple[Note, ...], theme: Score, whole: int, strength: str) -> tuple[Note, ...]:
    """The theme's notes that stand: on strong beats, or first in their bars, and where phrases end.

    A long one that ends no phrase is cut, so that what follows it can be ornamented.
    """
    metre, bar = theme.metres[0], theme.metres[0].bar
    beat = QUARTER * 3 // 2 if metre.unit == 8 and metre.beats % 3 == 0 else QUARTER
    strong = (
        bar if strength == "strong" else bar if metre.beats == 3 else max(beat, bar // 2 if metre.beats == 4 else beat)
    )
    ends = [*range(PHRASE * bar, whole, PHRASE * bar), whole]
    made: list[Note] = []
    for note in notes:
        closes = any(note.start < end <= note.start + note.length + beat and note.length >= QUARTER for end in ends)
        if closes or note is notes[-1]:
            made.append(note)
        elif note.start >= theme.pickup and (note.start - theme.pickup) % strong == 0:
            most = QUARTER if strength == "strong" else QUARTER // 2
            made.append(note._replace(length=min(note.length, most) if note.length >= QUARTER else note.length))
    return tuple(made)


GENRE = Variation()
