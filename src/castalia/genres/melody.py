"""Melody: a tune of one voice: a dance, a march, an air; composed, or going on from what is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.music import Kept, TuneStep
from castalia.core.ports import Plan, Rule
from castalia.core.score import QUARTER, Part, Score
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._music import Key, Mode, NotedRule, Tempo, assembled, mood_of
from castalia.genres._tunes import (
    PROGRAMS,
    KindName,
    MetreName,
    OneMetreRule,
    SoundName,
    begun,
    compass,
    compass_for,
    kind_named,
    line_of,
    metre_in,
    metre_of,
    signature_of,
    wished_tonic,
)
from castalia.quality import (
    BarsRule,
    CompassRule,
    DrummingRule,
    KeptNotesRule,
    MelodicLeapRule,
    RestingNoteRule,
    ScaleRule,
    TonicEndRule,
    TuneCopyingRule,
    tonic_of,
)

PHRASE = 4
"""Bars."""
LONGEST = 128
"""Bars that a given melody may have."""
_LIVELY = 100
"""Quarters a minute from which a mood asks for a dance."""
_MAJOR, _MINOR = (2, 1, 0, 3, -1, -2), (-1, 0, 1, -2, 2)
"""Sharps of the keys that tunes are in, the seed's choice."""


class MelodyFields(BriefFields):
    """Fields of a melody."""

    bars: Annotated[
        int, Field(ge=2, le=64, description="bars, or bars more after what is given | 小节数（续写时为新增）")
    ] = 16
    metre: Annotated[MetreName, Field(description="2/4, 3/4, 4/4, 6/8, 9/8; empty: as the kind | 拍号；空：按曲种")] = (
        ""
    )
    key: Annotated[str, Field(max_length=20, description="key, e.g. D major, Em | 调，如 D大调、E小调")] = ""
    kind: Annotated[
        KindName,
        Field(
            description="air, jig, slip jig, reel, hornpipe, strathspey, march, waltz, polka; empty: by the words | "
            "曲种：同上；空：按文字"
        ),
    ] = ""
    tempo: Annotated[Tempo, Field(ge=0, le=300, description="quarters a minute; 0: as the kind | 速度；0：按曲种")] = 0
    sound: Annotated[SoundName, Field(description="instrument | 乐器")] = "flute"
    continued: Annotated[
        Score | None, Field(description="score file whose melody is to go on | 待续写旋律的乐谱文件")
    ] = None
    hum: Annotated[
        Score | None,
        Field(description="notes that stand at the beginning, e.g. of a hummed tune | 开头保留的音，如哼唱"),
    ] = None


class Melody:
    """See the module."""

    name = "melody"
    aliases = ("旋律", "曲调", "tune")
    languages = ("en", "zh")
    title = ("Melody", "旋律")
    summary = (
        "a tune: jig, reel, waltz, march, air …; phrases that return, rest on long notes and end on the tonic",
        "一支曲调：吉格、里尔、华尔兹、进行曲、歌谣……乐句再现，停于长音，终于主音",
    )
    fields: type[BriefFields] = MelodyFields

    def plan(self, brief: Brief) -> Plan:
        """One score."""
        return Plan(music=(_step(brief),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """See `assembled`."""
        return assembled(brief, parts.get("melody", ""))

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Key, compass, bars, phrase ends, last note, leaps, variety, copying, and what was given."""
        fields, step = _fields(brief), _step(brief)
        given = step.sketch.parts[0].notes
        end = max((note.start + note.length for note in given), default=0)
        theirs = frozenset(note.start for note in given)
        # what is given may be chromatic, or drum, and stands all the same
        whole: list[Rule] = [ScaleRule(), DrummingRule()]
        return (
            *([NotedRule(rule) for rule in whole] if given else whole),
            CompassRule(step.lowest, step.highest),
            BarsRule(None if given else fields.bars, step.sketch.pickup),
            RestingNoteRule(tuple(tick for tick in step.phrases if tick > end)),
            TonicEndRule(),
            MelodicLeapRule(theirs),
            *((KeptNotesRule({0: given}),) if given else ()),
            TuneCopyingRule(given=theirs),
            *((OneMetreRule(source),) if (source := fields.continued or fields.hum) is not None else ()),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a melody is written anew."""


def _fields(brief: Brief) -> MelodyFields:
    assert isinstance(brief.fields, MelodyFields)
    return brief.fields


def _step(brief: Brief) -> TuneStep:
    fields = _fields(brief)
    if (given := fields.continued or fields.hum) is not None:
        return _continued(brief, fields, begun(given))
    return _composed(brief, fields)


def _composed(brief: Brief, fields: MelodyFields) -> TuneStep:
    words = f"{brief.words} {fields.style}"
    mode, mood = mood_of(words)
    name, kind = kind_named(fields.kind, words, fields.metre or metre_in(words))
    if not name and not fields.metre and not metre_in(words) and mood >= _LIVELY:
        name, kind = kind_named(("jig", "reel", "hornpipe")[brief.seed % 3], words, "")
    key = wished_tonic(fields.key, words, mode) or _drawn(brief.seed, mode)
    metre = metre_of(kind.metre)
    pickup = kind.pickups[brief.seed // 5 % len(kind.pickups)]
    sketch = _sketch(brief, fields).model_copy(
        update={
            "fifths": key.fifths,
            "mode": key.mode,
            "metres": (metre,),
            "pickup": pickup,
            "tempo": float(fields.tempo or kind.tempo or mood),
        }
    )
    length = fields.bars * metre.bar
    lowest, highest = compass_for(fields.sound, key.tonic)
    return TuneStep(
        "melody",
        sketch,
        length,
        phrases=_ends(length, metre.bar),
        style=kind.style,
        lowest=lowest,
        highest=highest,
    )


def _continued(brief: Brief, fields: MelodyFields, given: Score) -> TuneStep:
    """What is given stands from the beginning; `bars` more follow a continued tune, a hum is made up to `bars`."""
    notes, bar = line_of(given), given.metres[0].bar
    end = -(-max(note.start + note.length for note in notes) // (QUARTER // 4)) * (QUARTER // 4)
    have = max(1, round(end / bar))
    if have > LONGEST:
        raise UsageError(
            say(
                "The melody has {n} bars; at most {most} are taken.",
                "旋律有 {n} 小节；最多 {most} 小节。",
                n=have,
                most=LONGEST,
            ),
            hint=say("Give a part of it.", "请给出其中一部分。"),
        )
    bars = have + fields.bars if fields.continued is not None else max(fields.bars, have + PHRASE)
    wished = wished_tonic(fields.key, brief.words, None)
    fifths, mode = (wished.fifths, wished.mode) if wished else signature_of(given)
    _, kind = kind_named(fields.kind, brief.words, "")
    sketch = _sketch(brief, fields)
    sketch = sketch.model_copy(
        update={
            "title": sketch.title or given.title,
            "parts": (sketch.parts[0].model_copy(update={"notes": notes}),),
            "fifths": fifths,
            "mode": mode,
            "metres": given.metres[:1],
            "pickup": given.pickup,
            "tempo": float(fields.tempo or given.tempo),
        }
    )
    low, high = min(note.pitch for note in notes), max(note.pitch for note in notes)
    lowest, highest = compass(tonic_of(sketch), (low + high) / 2)
    return TuneStep(
        "melody",
        sketch,
        bars * bar,
        kept=(Kept(0, 0, end),),
        # what is given may leave too little of its phrase to come to rest in
        phrases=tuple(tick for tick in _ends(bars * bar, bar) if not end < tick < end + QUARTER),
        style=kind.style,
        lowest=min(low, max(lowest, low - 5)),
        highest=max(high, min(highest, high + 5)),
    )


def _sketch(brief: Brief, fields: MelodyFields) -> Score:
    name = "旋律" if fields.language == "zh" else "Melody"
    part = Part(name=name, program=PROGRAMS[fields.sound], kind="voice")
    return Score(title=brief.words[:60].strip(), parts=(part,))


def _ends(length: int, bar: int) -> tuple[int, ...]:
    """Every four bars; a tune of up to six bars rests every two, and a rest of less than two bars joins the last."""
    size = PHRASE // 2 if length <= (PHRASE + 2) * bar else PHRASE
    inner = range(size * bar, length - bar, size * bar)
    return (*inner, length)


def _drawn(seed: int, mode: Mode | None) -> Key:
    """A key that tunes are often in, by the seed; one in four is minor."""
    chosen: Mode = mode or ("minor" if seed // 7 % 4 == 3 else "major")
    keys = _MINOR if chosen == "minor" else _MAJOR
    return Key(keys[seed % len(keys)], chosen)


GENRE = Melody()
