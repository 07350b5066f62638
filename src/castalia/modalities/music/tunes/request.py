"""From a step of a plan to a task of the model, and from its draft to a score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from castalia.core.music import TuneStep
from castalia.core.score import Note, Score
from castalia.modalities.music.harmony.chords import chord_of
from castalia.modalities.music.tunes.encode import setting_of
from castalia.modalities.music.tunes.form import ends_of, plan
from castalia.modalities.music.tunes.generate import Draft, Fixed, Task
from castalia.modalities.music.tunes.given import UNKNOWN
from castalia.modalities.music.tunes.tune import LOWEST, REST, home, pitch_symbols, tonic_class

_ENOUGH = 12
"""Given notes from which they, and not the compass, say in which octave the tonic is taken."""


def task_of(step: TuneStep, *, knows: bool, seed: int) -> tuple[Task, int]:
    """A step as a task of the model.

    Args:
        step: What was asked for.
        knows: Whether the model was taught its kind of tune.
        seed: Chooses the form where there are several.

    Returns:
        (the task, MIDI pitch of the tonic from which its pitches are counted).
    """
    sketch = step.sketch
    kept = _kept(step)
    tonic = tonic_class(sketch.fifths, sketch.mode)
    known = [note.pitch for note in kept]
    base = home(tonic, float(np.median(known)) if len(known) >= _ENOUGH else (step.lowest + step.highest) / 2)
    bar = sketch.metres[0].bar
    ends = sorted({tick for tick in step.phrases if 0 < tick < step.length} | {step.length})
    phrases = plan(ends if step.phrases else ends_of(step.length, bar), bar, seed=seed)
    chords = tuple(
        (chord.start, frozenset((name - tonic) % 12 for name in parsed))
        for chord in step.chords
        if (parsed := _classes(chord.name))
    )
    task = Task(
        setting_of(sketch, step.length, step.style if knows else ""),
        _fixed(step, kept, base),
        phrases,
        max(step.lowest - base, LOWEST),
        step.highest - base,
        chords,
        step.temperature,
        step.calm,
        sketch.cyclic,
    )
    return task, base


def score_of(draft: Draft, base: int, step: TuneStep) -> Score:
    """The sketch of a step with all its notes; what was given stands as it was."""
    kept = {note.start: note for note in _kept(step)}
    sung = {note.start: note for note in step.rhythm}
    notes: list[Note] = []
    for start, ticks, symbol in draft.notes:
        if start in kept:
            notes.append(kept[start])
        elif symbol != REST:
            pitch = symbol + LOWEST + base
            own = sung.get(start)
            notes.append(own._replace(pitch=pitch) if own else Note(start, ticks, pitch))
    part = step.sketch.parts[0].model_copy(update={"notes": tuple(notes)})
    return step.sketch.model_copy(update={"parts": (part, *step.sketch.parts[1:])})


def _kept(step: TuneStep) -> list[Note]:
    """The given notes, cut where the next begins."""
    notes = [
        note
        for note in step.sketch.parts[0].notes
        if any(span.start <= note.start < span.end for span in step.kept) and note.start < step.length
    ]
    return sorted(notes)


def _fixed(step: TuneStep, kept: Sequence[Note], base: int) -> tuple[Fixed, ...]:
    """Given notes and rests: what stands within a kept stretch, and where a rhythm is given everything."""
    known = {
        note.start: (note.length, int(pitch_symbols(np.array(note.pitch - base)))) for note in (*step.rhythm, *kept)
    }
    for note in step.rhythm:
        if note.start not in {each.start for each in kept}:
            known[note.start] = (note.length, UNKNOWN)
    spans = [(0, step.length)] if step.rhythm else [(span.start, min(span.end, step.length)) for span in step.kept]
    found: dict[int, Fixed] = {}
    for start, end in spans:
        now = start
        for begin in sorted(tick for tick in known if start <= tick < end):
            if begin > now:
                found[now] = Fixed(now, begin - now, REST)
            ticks, pitch = known[begin]
            after = min((tick for tick in known if tick > begin), default=step.length)
            ticks = max(1, min(ticks, after - begin, step.length - begin))
            found[begin] = Fixed(begin, ticks, pitch)
            now = begin + ticks
        if now < end:
            found[now] = Fixed(now, end - now, REST)
    return tuple(found[start] for start in sorted(found))


def _classes(name: str) -> frozenset[int]:
    """Pitch classes of a chord; none of a name that says no chord."""
    chord = chord_of(name)
    return frozenset(chord.tones) if chord else frozenset()
