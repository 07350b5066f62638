"""Chorale: four voices, composed, or set under a given melody, or with whatever voices and bars are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from typing import Annotated, Literal

from pydantic import Field

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.music import Kept, Span, VoicesStep, Wish
from castalia.core.ports import Plan, Rule
from castalia.core.score import QUARTER, Note, Part, Score
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._music import (
    Key,
    MovedRule,
    NotedRule,
    Tempo,
    assembled,
    drawn_key,
    mood_of,
    only,
    tempered,
    wished_key,
)
from castalia.genres._phrases import Phrase, phrases_of
from castalia.genres._tunes import begun
from castalia.genres._voices import NAMES, bounded, cut, four_voices, into_range, spans_of
from castalia.modalities.music import melody_of
from castalia.quality import (
    BarsRule,
    CadenceRule,
    CopyingRule,
    CrossingRule,
    KeptNotesRule,
    LeadingNoteRule,
    LeapRule,
    ParallelsRule,
    RangeRule,
    SpacingRule,
    VarietyRule,
    key_of,
    voice_leading,
)

CLEFS: tuple[Literal["treble", "treble8", "bass"], ...] = ("treble", "treble", "treble8", "bass")
PROGRAMS = {"choir": 52, "organ": 19, "strings": 48, "piano": 0, "brass": 61}
MOST_BARS = 64
HALF = 2 * QUARTER


class ChoraleFields(BriefFields):
    """Fields of a chorale."""

    bars: Annotated[int, Field(ge=2, le=MOST_BARS, description="bars of four quarters | 小节数（四四拍）")] = 8
    key: Annotated[str, Field(max_length=20, description="key, e.g. E minor, Bb | 调，如 E小调、降B大调")] = ""
    tempo: Annotated[Tempo, Field(ge=0, le=240, description="quarters a minute; 0: by the mood | 速度；0：按情绪")] = 0
    sound: Annotated[
        Literal["choir", "organ", "strings", "piano", "brass"],
        Field(description="choir, organ, strings, piano or brass | 音色：choir、organ、strings、piano、brass"),
    ] = "choir"
    melody: Annotated[
        Score | None, Field(description="score file whose melody the soprano sings | 乐谱文件，其旋律由女高音演唱")
    ] = None
    continued: Annotated[
        Score | None, Field(description="score file of four voices that is to go on | 待续写的四声部乐谱文件")
    ] = None
    score: Annotated[
        Score | None,
        Field(description="score file of four voices of which a part stands | 四声部乐谱文件，保留其中一部分"),
    ] = None
    keep: Annotated[
        tuple[str, ...],
        Field(
            max_length=20,
            description="what of it stands: voices by name, bars as 1-4 | 保留什么：声部名，或小节 1-4",
        ),
    ] = ()


class Chorale:
    """See the module."""

    name = "chorale"
    aliases = ("四部合唱", "众赞歌", "圣咏", "satb")
    languages = ("en", "zh")
    title = ("Chorale", "四部合唱")
    summary = (
        "four voices after Bach's practice, without parallels or crossings, to a cadence; or a melody set for four",
        "按巴赫的写法写四声部：音域、交叉、间距、平行、终止；也可为给定旋律配和声",
    )
    fields: type[BriefFields] = ChoraleFields

    def plan(self, brief: Brief) -> Plan:
        """One score."""
        return Plan(music=(_step(brief),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """See `assembled`."""
        return assembled(brief, parts.get("chorale", ""))

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Voice leading, cadence, bars, and what was given."""
        fields, step = _fields(brief), _step(brief)
        leading: list[tuple[str, Rule]] = [
            ("crossing", CrossingRule()),
            ("spacing", SpacingRule()),
            ("parallel", ParallelsRule()),
            ("leap", LeapRule()),
        ]
        given = fields.score or fields.continued
        theirs = {fault.kind.partition("-")[0] for fault in voice_leading(given)} if given else set[str]()
        if fields.melody is not None:
            theirs.add("leap")
        ends_given = fields.melody is not None and not _ends_at_home(step.sketch)
        composed = fields.melody is None and given is None
        given_spans = () if composed else step.kept
        return (
            RangeRule(),
            *(NotedRule(rule) if kind in theirs else rule for kind, rule in leading),
            LeadingNoteRule(),
            NotedRule(CadenceRule()) if ends_given else CadenceRule(),
            *((BarsRule(fields.bars), VarietyRule()) if composed else ()),
            *(KeptNotesRule({kept.part: notes}) for kept in given_spans if (notes := _within(step, kept))),
            *((MovedRule(melody_of(fields.melody)[0].pitch),) if fields.melody is not None else ()),
            CopyingRule(),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a chorale is written anew."""


def _fields(brief: Brief) -> ChoraleFields:
    assert isinstance(brief.fields, ChoraleFields)
    return brief.fields


def _step(brief: Brief) -> VoicesStep:
    fields = _fields(brief)
    if fields.melody is not None:
        return _harmonised(brief, fields, fields.melody)
    if fields.score is not None:
        return _filled(brief, fields, fields.score)
    if fields.continued is not None:
        return _continued(brief, fields, fields.continued)
    return _composed(brief, fields)


def _sketch(brief: Brief, fields: ChoraleFields, key: Key, tempo: int) -> Score:
    side = fields.language == "zh"
    program = PROGRAMS[fields.sound]
    return Score(
        title=brief.words[:60].strip(),
        parts=tuple(
            Part(name=name[side], program=program, kind="voice", clef=clef)
            for name, clef in zip(NAMES, CLEFS, strict=True)
        ),
        fifths=key.fifths,
        mode=key.mode,
        tempo=float(fields.tempo or tempo),
    )


def _composed(brief: Brief, fields: ChoraleFields) -> VoicesStep:
    """Phrases that each come to rest on a chord of the plan, the last on the tonic; between, the model goes freely."""
    mode, tempo = mood_of(f"{brief.words} {fields.style}")
    key = wished_key(fields.key, f"{brief.words} {fields.style}") or drawn_key(brief.seed, mode)
    sketch = _sketch(brief, fields, key, tempo)
    phrases = phrases_of(key, fields.bars, sketch.metres[0].bar, brief.seed)
    raised = key.mode == "minor" and brief.seed % 3 == 0  # some end on the major chord, as Bach's do
    wishes = [Wish(0, QUARTER, only(key.triad))]
    for phrase in phrases:
        wishes += _phrase(phrase, key, raised=raised and phrase is phrases[-1])
    return VoicesStep(
        name="chorale",
        sketch=_resting(sketch, phrases),
        length=phrases[-1].span.end,
        kept=tuple(
            Kept(part, phrase.span.end - HALF - QUARTER, phrase.span.end) for phrase in phrases for part in (0, 3)
        ),
        wishes=tuple(wishes),
        holds=tuple(Span(phrase.span.end - HALF, phrase.span.end) for phrase in phrases),
    )


def _resting(sketch: Score, phrases: Sequence[Phrase]) -> Score:
    """The sketch with soprano and bass of its cadences, so that the model knows where it goes."""
    parts = list(sketch.parts)
    for part, pairs in ((0, [phrase.top for phrase in phrases]), (3, [phrase.bottom for phrase in phrases])):
        notes: list[Note] = []
        for phrase, (before, rest) in zip(phrases, pairs, strict=True):
            at = phrase.span.end - HALF
            notes += (Note(at - QUARTER, QUARTER, before), Note(at, HALF, rest))
        parts[part] = parts[part].model_copy(update={"notes": tuple(notes)})
    return sketch.model_copy(update={"parts": tuple(parts), "phrases": tuple(phrase.span.end for phrase in phrases)})


def _phrase(phrase: Phrase, home: Key, *, raised: bool) -> tuple[Wish, ...]:
    """Stay in the key, go into the goal's, and come to its cadence."""
    (start, end), goal = phrase.span, phrase.goal
    rest, middle = end - HALF, start + (end - HALF - start) // 2
    last = (goal.tonic, (goal.tonic + 4) % 12, goal.triad[2]) if raised else goal.triad
    third = {} if phrase.top[1] % 12 == last[1] else {last[1]: 3.0}
    return (
        Wish(start, middle, tempered(home, nats=3.0)),
        Wish(middle, rest - QUARTER, tempered(phrase.scale, nats=3.0)),
        Wish(rest - QUARTER, rest - QUARTER // 2, only(tuple(phrase.before)), parts=(1, 2)),
        Wish(rest - QUARTER // 2, rest, tempered(phrase.scale, nats=3.0), parts=(1, 2)),
        Wish(rest, end, only(last), parts=(1, 2)),
        Wish(rest, end, third, parts=(1, 2)),
    )


def _harmonised(brief: Brief, fields: ChoraleFields, given: Score) -> VoicesStep:
    """The melody stands note by note; three voices are written under it."""
    given = begun(bounded(given))
    melody = melody_of(given)
    _, tempo = mood_of(f"{brief.words} {fields.style}")
    key = wished_key(fields.key, brief.words) or _key_of(given)
    low, high = min(note.pitch for note in melody), max(note.pitch for note in melody)
    up = into_range(low, high)
    melody = tuple(note._replace(pitch=note.pitch + up) for note in melody)
    key = Key((key.fifths + 7 * up + 6) % 12 - 6, key.mode) if up % 12 else key
    sketch = _sketch(brief, fields, key, tempo)
    if not fields.tempo and not brief.words:
        sketch = sketch.model_copy(update={"tempo": given.tempo})
    length = -(-max(note.start + note.length for note in melody) // QUARTER) * QUARTER
    parts = (sketch.parts[0].model_copy(update={"notes": melody}), *sketch.parts[1:])
    changed = {"parts": parts, "metres": given.metres, "pickup": given.pickup, "title": sketch.title or given.title}
    last = melody[-1]
    ends = last.pitch % 12 in key.triad
    return VoicesStep(
        name="chorale",
        sketch=sketch.model_copy(update=changed),
        length=length,
        kept=(Kept(0, 0, length),),
        wishes=(
            Wish(0, length, tempered(key, nats=1.0)),
            *(_closing(key, last.start, length, last.pitch) if ends else ()),
        ),
        holds=(Span(last.start, length),) if ends else (),
    )


def _closing(key: Key, start: int, end: int, top: int | None = None) -> tuple[Wish, ...]:
    """The tonic chord, with its root in the bass, and its third in a middle voice where `top` does not sing it."""
    third = key.triad[1]
    return (
        Wish(start, end, only(key.triad)),
        Wish(start, end, only(key.triad[:1]), parts=(3,)),
        Wish(start, end, {} if top is not None and top % 12 == third else {third: 3.0}, parts=(1, 2)),
    )


def _continued(brief: Brief, fields: ChoraleFields, given: Score) -> VoicesStep:
    """`bars` more bars after what is given, to a cadence."""
    voices = four_voices(given)
    composed = _composed(brief, fields.model_copy(update={"key": fields.key or _named(_key_of(given))}))
    begin = -(-given.length // QUARTER) * QUARTER
    parts = tuple(
        part.model_copy(
            update={"notes": (*own.notes, *(note._replace(start=note.start + begin) for note in part.notes))}
        )
        for part, own in zip(composed.sketch.parts, voices, strict=True)
    )
    phrases = (*given.phrases, *(tick + begin for tick in composed.sketch.phrases))
    changed = {"parts": parts, "metres": given.metres, "pickup": given.pickup, "phrases": phrases}
    return VoicesStep(
        name="chorale",
        sketch=composed.sketch.model_copy(update=changed),
        length=composed.length + begin,
        kept=(
            *(Kept(voice, 0, begin) for voice in range(len(NAMES))),
            *(Kept(part, start + begin, end + begin) for part, start, end in map(astuple, composed.kept)),
        ),
        wishes=tuple(
            replace(wish, start=wish.start + begin, end=wish.end + begin)
            for wish in composed.wishes
            if (wish.start, wish.end) != (0, QUARTER)
        ),
        holds=tuple(Span(start + begin, end + begin) for start, end in composed.holds),
    )


def _filled(brief: Brief, fields: ChoraleFields, given: Score) -> VoicesStep:
    """What is to be kept of a score stands; everything else is written anew between it."""
    voices = four_voices(given)
    length = -(-given.length // QUARTER) * QUARTER
    spans = [span for wish in fields.keep for span in spans_of(wish, given, length)]
    if not spans:
        raise UsageError(
            say("Nothing of the score is to be kept.", "没有指定要保留的内容。"),
            hint="-o keep soprano,bass  /  -o keep 1-4",
        )
    key = wished_key(fields.key, brief.words) or _key_of(given)
    sketch = _sketch(brief, fields, key, round(given.tempo))
    parts = tuple(
        part.model_copy(update={"notes": cut(own.notes, [span for span in spans if span.part == number])})
        for number, (part, own) in enumerate(zip(sketch.parts, voices, strict=True))
    )
    changed = {"parts": parts, "metres": given.metres, "pickup": given.pickup, "title": sketch.title or given.title}
    return VoicesStep(
        name="chorale",
        sketch=sketch.model_copy(update=changed),
        length=length,
        kept=tuple(spans),
        wishes=(Wish(0, length, tempered(key, nats=1.0)), *_closing(key, max(length - QUARTER, 0), length)),
        holds=(Span(max(length - QUARTER, 0), length),),
    )


def _key_of(score: Score) -> Key:
    """As its signature says; by what sounds where that is empty, as in many MIDI files."""
    if (score.fifths, score.mode) != (0, "major") and score.mode in ("major", "minor"):
        return Key(score.fifths, "minor" if score.mode == "minor" else "major")
    guess = key_of(score)
    return Key(guess.fifths, "minor" if guess.mode == "minor" else "major")


def _ends_at_home(sketch: Score) -> bool:
    """Whether the melody's last note is in the tonic chord."""
    last = sketch.parts[0].notes[-1].pitch % 12
    return last in Key(sketch.fifths, "minor" if sketch.mode == "minor" else "major").triad


def _within(step: VoicesStep, kept: Kept) -> tuple[Note, ...]:
    """The given notes of a stretch."""
    return tuple(note for note in step.sketch.parts[kept.part].notes if kept.start <= note.start < kept.end)


def _named(key: Key) -> str:
    letters = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    return f"{letters[key.tonic]} {key.mode}"


GENRE = Chorale()
