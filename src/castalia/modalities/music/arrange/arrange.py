"""An arrangement step → a score: chords found or given, and every player's part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.music import ArrangementStep, Player, Span
from castalia.core.score import ChordSymbol, Mode, Note, Part, Score
from castalia.modalities.music.arrange.bass import play_bass
from castalia.modalities.music.arrange.cells import Cell, cells
from castalia.modalities.music.arrange.chordal import play_chords
from castalia.modalities.music.arrange.drums import play_drums
from castalia.modalities.music.arrange.stage import NEVER, Stage
from castalia.modalities.music.files.bars import Bar, bars
from castalia.modalities.music.harmony.chords import NAMES, name_of
from castalia.modalities.music.harmony.find import find_chords, tonic_of
from castalia.modalities.music.harmony.model import ChordModel
from castalia.modalities.music.harmony.progression import draw_progression, with_seventh

_PHRASE = 4
"""Bars of a phrase where none are marked."""
_LOW = 55
"""Median pitch below which a part is written in the bass clef."""
_OCTAVE_DOWN = range(24, 32)
"""General MIDI programs of guitars, which are written an octave above their sound."""
_SCALES: dict[Mode, tuple[int, ...]] = {"minor": (0, 2, 3, 5, 7, 8, 9, 10, 11)}
_MAJOR = (0, 2, 4, 5, 7, 9, 11)


def arrange(step: ArrangementStep, model: ChordModel, *, seed: int) -> Score:
    """The sketch with its chords and its players' parts behind the melody's.

    Args:
        step: What is asked for.
        model: Finds or draws chords where none are given.
        seed: Of chords that are drawn, and of walking basses.

    Raises:
        UsageError: a player's texture is not known, or no bar has a chord.
    """
    sketch = step.sketch
    melody = sketch.parts[0].notes if sketch.parts else ()
    whole = _filled(sketch, step.length)
    lines = bars(whole)
    chords = step.chords or _chords(step, whole, lines, melody, model, seed)
    stage = _stage(step, lines, chords, melody)
    chance = np.random.default_rng(seed)
    basses = {player: play_bass(player, stage, chance) for player in step.players if player.role == "bass"}
    stage = replace(stage, floors=_floors(stage, basses.values()))
    parts = [_part(player, stage, basses) for player in step.players]
    if step.loops:
        parts = [_round(part, step.length) for part in parts]
    if not any(cell.chord.tones for cell in stage.cells):
        raise UsageError(
            say("There is nothing to accompany: no bar has a chord.", "没有可伴奏的内容：各小节均无和弦。"),
            hint="| C | Am F | G7 | C |",
        )
    changed = {"parts": (*sketch.parts, *parts), "chords": tuple(chords), "cyclic": step.loops}
    return sketch.model_copy(update=changed)


def _round(part: Part, length: int) -> Part:
    """Without a rest at the end where its last notes are not drums: the piece ends with the bar."""
    end = max((note.start + note.length for note in part.notes), default=length)
    if part.kind == "drums" or end == length:
        return part
    notes = (
        each._replace(length=length - each.start) if each.start + each.length == end else each for each in part.notes
    )
    return part.model_copy(update={"notes": tuple(notes)})


def _filled(sketch: Score, length: int) -> Score:
    """The sketch as long as it will be."""
    part = Part(name="", notes=(Note(0, length, 60),))
    return sketch.model_copy(update={"parts": (*sketch.parts, part)})


def _chords(
    step: ArrangementStep, whole: Score, lines: tuple[Bar, ...], melody: tuple[Note, ...], model: ChordModel, seed: int
) -> tuple[ChordSymbol, ...]:
    if melody:
        found = find_chords(step.sketch, melody, model, temperature=step.temperature, seed=seed)
        return _again(found, step.alike)
    full = [bar for bar in lines if bar.number]
    states = draw_progression(len(full), whole.mode, model, seed=seed, temperature=step.temperature or 1.0)
    if step.sevenths:
        states = [with_seventh(state, whole.mode) for state in states]
    tonic = tonic_of(whole)
    return tuple(
        ChordSymbol(bar.start, name_of((state % 12 + tonic) % 12, NAMES[state // 12], whole.fifths, whole.mode))
        for bar, state in zip(full, states, strict=True)
    )


def _again(chords: tuple[ChordSymbol, ...], alike: Sequence[tuple[Span, int]]) -> tuple[ChordSymbol, ...]:
    """The chords with those of a first coming wherever it comes again."""
    made = list(chords)
    for span, first in alike:
        last = first + span.end - span.start
        known = [each for each in made if first < each.start < last]
        begins = [each for each in made if each.start <= first][-1:]
        kept = [each for each in made if not span.start <= each.start < span.end]
        goes_on = [each for each in made if each.start < span.end][-1:]
        new = [each._replace(start=each.start - first + span.start) for each in known]
        new = [each._replace(start=span.start) for each in begins] + new
        if goes_on and not any(each.start == span.end for each in made):  # what holds beyond the stretch holds still
            new.append(goes_on[0]._replace(start=span.end))
        made = sorted([*kept, *new])
    return _changes(made)


def _changes(chords: Sequence[ChordSymbol]) -> tuple[ChordSymbol, ...]:
    """Without chords that are named again where they hold."""
    return tuple(each for number, each in enumerate(chords) if not number or chords[number - 1].name != each.name)


def _stage(
    step: ArrangementStep, lines: tuple[Bar, ...], chords: tuple[ChordSymbol, ...], melody: tuple[Note, ...]
) -> Stage:
    made = cells(chords, lines, step.length, melody)
    marked = {
        number for number, bar in enumerate(lines) if any(bar.start < end <= bar.end for end in step.sketch.phrases)
    }
    counted = {number for number, bar in enumerate(lines) if bar.number and bar.number % _PHRASE == 0}
    tonic = tonic_of(step.sketch)
    scale = _SCALES.get(step.sketch.mode, tuple((tone - tonic + 7 * step.sketch.fifths) % 12 for tone in _MAJOR))
    return Stage(
        bars=lines,
        cells=made,
        cadences=frozenset(marked or counted),
        final=NEVER if step.loops or not made else _final(made, melody),
        length=step.length,
        scale=frozenset((tonic + tone) % 12 for tone in scale),
        melody=melody,
    )


def _final(made: list[Cell], melody: tuple[Note, ...]) -> int:
    """Where the last chord is struck: with the melody's last note, where the chord stands by then."""
    last = made[-1]
    for cell in reversed(made):
        if cell.chord != last.chord or not melody or last.start <= melody[-1].start:
            break
        last = cell
    return last.start


def _floors(stage: Stage, basses: Iterable[Sequence[Note]]) -> tuple[int, ...]:
    """The lowest note of any bass in each cell."""
    lines = [note for notes in basses for note in notes]
    return tuple(
        min((note.pitch for note in lines if cell.start <= note.start < cell.end), default=0) for cell in stage.cells
    )


def _part(player: Player, stage: Stage, basses: Mapping[Player, tuple[Note, ...]]) -> Part:
    match player.role:
        case "chords":
            notes = play_chords(player, stage)
        case "bass":
            notes = basses[player]
        case "drums":
            notes = play_drums(player, stage)
    middle = sorted(note.pitch for note in notes)[len(notes) // 2] if notes else 60
    plucked = player.program in _OCTAVE_DOWN and player.role == "chords"
    clef = "percussion" if player.role == "drums" else "treble8" if plucked else "bass" if middle < _LOW else "treble"
    return Part(name=player.name, program=player.program, kind=player.role, clef=clef, notes=notes)
