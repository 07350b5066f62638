"""Chords under a melody: the likeliest path through a lattice of chords, or one drawn from it.

A hidden Markov model in the manner of MySong (Simon, Morris and Basu 2008): the chords are hidden, the melody's notes
are seen, weighed by how long and on which beat they sound. Where chords may change follows from the metre.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from castalia.core.score import QUARTER, ChordSymbol, Metre, Mode, Note, Score
from castalia.modalities.music.files.bars import Bar, bars
from castalia.modalities.music.harmony.chords import NAMES, STATES, name_of
from castalia.modalities.music.harmony.model import NO_NOTE, ChordModel, Floats, tones

Pace = Literal["bar", "beat"]
"""A chord a bar or half a bar, as songs have it; or one a quarter where that is due, as chorales have it."""

_SUNG: dict[Pace, float] = {"bar": 0.7, "beat": 0.0}
"""How much a quarter of melody counts against one step of harmony, note by note."""
_NEAR: dict[Pace, float] = {"bar": 0.0, "beat": 1.0}
"""The same of a chord's first note, seen with those that begin the chords before and after."""
_STEP: dict[Pace, float] = {"bar": 0.6, "beat": 0.4}
"""How much one chord counts against the next."""
_SHARE: dict[Pace, float] = {"bar": 0.4, "beat": 0.6}
"""How much a chord's frequency counts beside."""
_OFF_BEAT, _ON_BEAT, _ON_BAR = 0.5, 1.0, 1.3
"""Weight of a note by where it begins."""
_CHANGE: dict[str, float] = {"bar": 0.65, "half": 0.1, "cadence": 0.5}
"""Chance that the chord changes at a barline, within a bar, and within the last bar but one of a phrase."""
_DULL = 4
"""Bars of one chord beyond which another path is looked for."""
_STAYS = (1.0, 0.5, 0.2, 0.08)
"""How likely a chord is to stay, against the above, in one path after another."""
_QUALITY = {"": 0.0, "m": 0.0, "7": -0.5, "m7": -1.2, "maj7": -1.8, "dim": -2.0, "m7b5": -2.5, "dim7": -2.5}
"""Nats that songs prefer or shun a quality by, beside what chorales say: fewer sevenths."""
_CHROMATIC = -1.3
"""Nats that each tone outside the key adds, in songs."""
_PLAIN = {
    False: (("", (0, 5, 7), 1.2), ("7", (7,), 1.2)),
    True: (("m", (0, 5), 0.85), ("", (3, 7, 8, 10), 0.85), ("7", (7,), 0.85)),
}
"""(quality, roots above the tonic, nats) of the chords that songs are made of, in major and in minor.

These weights, the chances above and those of `_SUNG`, `_STEP` and `_SHARE` were chosen on twelve songs with the chords
that songbooks print, and measured on others (`benchmarks/bench_harmony.py`)."""
_DOMINANTS = (7, 11)
"""Roots of the dominant and of the leading note's chord, above the tonic."""
_INTO_END, _FIRST = 4.0, 1.5
"""Nats for a dominant before the last chord, and for a tonic at the beginning."""
TONICS: dict[Mode, int] = {"major": 0, "minor": 9, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7}
"""Semitones from the tonic of the major key with the same signature."""


class Slot(NamedTuple):
    """A stretch that has one chord."""

    start: int
    end: int
    change: float
    """Chance that a new chord begins with it."""


def tonic_of(score: Score) -> int:
    """Pitch class of the tonic of a score's key."""
    return (7 * score.fifths + TONICS[score.mode]) % 12


def find_chords(
    score: Score,
    melody: tuple[Note, ...],
    model: ChordModel,
    *,
    pace: Pace = "bar",
    temperature: float = 0.0,
    seed: int = 0,
) -> tuple[ChordSymbol, ...]:
    """Chords from the first full bar to the end of a melody, each named for the key.

    Args:
        score: Its key, metres, pickup and phrases.
        melody: The notes, one at a time, in order; the last one ends the piece.
        model: The counts.
        pace: How often chords change.
        temperature: 0 takes the likeliest path; above, one is drawn, at 1 with the model's own chances.
        seed: Of that draw.
    """
    whole = score.model_copy(update={"parts": (score.parts[0].model_copy(update={"notes": melody}),)})
    cut = slots(whole, model, pace)
    path: list[int] = []
    for stays in _STAYS if pace == "bar" else (1.0,):
        restless = [slot._replace(change=1 - stays * (1 - slot.change)) for slot in cut]
        path = _path(restless, whole, melody, model, pace, temperature, seed)
        if _longest(restless, path) <= _DULL * whole.metres[0].bar:
            break
    tonic = tonic_of(score)
    made: list[ChordSymbol] = []
    for slot, state in zip(cut, path, strict=True):
        name = name_of((state % 12 + tonic) % 12, NAMES[state // 12], score.fifths, score.mode)
        if not made or made[-1].name != name:
            made.append(ChordSymbol(slot.start, name))
    return tuple(made)


def _longest(cut: list[Slot], path: list[int]) -> int:
    """Ticks of the longest stretch of one chord, the last one aside, which may be held."""
    longest = begin = 0
    for number, slot in enumerate(cut):
        if path[number] != path[begin]:
            begin = number
        longest = max(longest, min(slot.end, cut[-1].start) - cut[begin].start)
    return longest


def slots(score: Score, model: ChordModel, pace: Pace) -> list[Slot]:
    """Where chords may change; the pickup has none, and from the last note on there is one."""
    every = bars(score)
    full = [bar for bar in every if bar.number and bar.start < score.length] or list(every[:1])
    last = max((note.start for part in score.parts for note in part.notes), default=0)
    ends = {last + 1, *score.phrases}  # the last note may sound over several bars
    near = [any(bar.end < end <= bar.end + bar.metre.bar for end in ends) for bar in full]
    made: list[Slot] = []
    for bar, cadence in zip(full, near, strict=True):
        for place in _places(bar, pace, cadence=cadence):
            kind = "bar" if place == 0 else "cadence" if cadence else "half"
            change = 1 - model.stay if pace == "beat" else _CHANGE[kind]
            made.append(Slot(bar.start + place, min(bar.end, score.length), change))
    made = [slot for slot in made if slot.start < score.length]
    kept = [slot for slot in made if slot.start <= last] or made[:1]
    starts = [*(slot.start for slot in kept[1:]), score.length]
    return [slot._replace(end=end) for slot, end in zip(kept, starts, strict=True)]


def _places(bar: Bar, pace: Pace, *, cadence: bool) -> list[int]:
    """Ticks within a bar at which a chord may begin."""
    if pace == "beat":
        return list(range(0, bar.length, QUARTER))
    half = half_of(bar.metre, cadence=cadence)
    return [0, half] if 0 < half < bar.length else [0]


def half_of(metre: Metre, *, cadence: bool = False) -> int:
    """Ticks from a bar's beginning to where its second chord may begin; 0 where it has one only."""
    quarter_beats = metre.bar // QUARTER if metre.bar % QUARTER == 0 else 0
    if metre.unit >= 8 and metre.beats % 6 == 0:
        return metre.bar // 2
    if quarter_beats >= 4 and quarter_beats % 2 == 0:
        return metre.bar // 2
    if cadence and metre.bar == 3 * QUARTER and metre.unit != 8:
        return 2 * QUARTER
    return metre.bar // 2 if cadence and quarter_beats == 2 else 0


def _path(
    cut: list[Slot],
    score: Score,
    melody: tuple[Note, ...],
    model: ChordModel,
    pace: Pace,
    temperature: float,
    seed: int,
) -> list[int]:
    """The state of each slot: Viterbi, or forward filtering and backward sampling (Frühwirth-Schnatter 1994)."""
    seen = _seen(cut, score, melody, model, pace)
    liked = taste(score.mode) if pace == "bar" else np.zeros(STATES)
    often = model.often(score.mode) + liked
    follows = _STEP[pace] * (model.follows(score.mode) + liked)
    seen += _SHARE[pace] * often
    seen[-1] += _ending(score, melody)
    often = often + _FIRST * _tonics()
    heat = max(temperature, 1e-9)
    score_of = often + seen[0]
    tables: list[Floats] = [score_of]
    moves: list[Floats] = []
    for number, slot in enumerate(cut[1:], 1):
        move = follows + _STEP[pace] * np.log(slot.change)
        if number == len(cut) - 1:
            move = move + _INTO_END * _dominants()[:, None] * _tonics()[None, :]
        np.fill_diagonal(move, _STEP[pace] * np.log(1 - slot.change))
        moves.append(move)
        ahead = tables[-1][:, None] + move
        best = ahead.max(0)
        if temperature:
            best = best + heat * np.log(np.exp((ahead - best) / heat).sum(0))
        tables.append(best + seen[number])
    chance = np.random.default_rng(seed)
    made = [_pick(tables[-1], temperature, chance)]
    for table, move in zip(tables[-2::-1], moves[::-1], strict=True):
        made.append(_pick(table + move[:, made[-1]], temperature, chance))
    return made[::-1]


def _pick(scores: Floats, temperature: float, chance: np.random.Generator) -> int:
    if not temperature:
        return int(scores.argmax())
    weights = np.exp((scores - scores.max()) / temperature)
    return int(chance.choice(len(weights), p=weights / weights.sum()))


def _seen(cut: list[Slot], score: Score, melody: tuple[Note, ...], model: ChordModel, pace: Pace) -> Floats:
    """How well the melody of each slot fits each chord, nats (slots, chords)."""
    sung, tonic = model.sung(score.mode), tonic_of(score)
    made = np.zeros((len(cut), STATES))
    starts = {bar.start for bar in bars(score)}
    heads = [NO_NOTE] * (len(cut) + 2)
    first = 0
    for number, slot in enumerate(cut):
        while first < len(melody) and melody[first].start + melody[first].length <= slot.start:
            first += 1
        for note in melody[first:]:
            if note.start >= slot.end:
                break
            begin = max(note.start, slot.start)
            length = min(note.start + note.length, slot.end) - begin
            if length <= 0:
                continue
            name = (note.pitch - tonic) % 12
            if begin == slot.start:
                heads[number + 1] = name
            off = (begin - score.pickup) % (QUARTER // 2 if score.metres[0].unit >= 8 else QUARTER) != 0
            weight = _ON_BAR if begin in starts else _OFF_BEAT if off else _ON_BEAT
            made[number] += _SUNG[pace] * weight * min(length / QUARTER, 2.0) * sung[:, int(off), name]
    near = model.near(score.mode)
    for number in range(len(cut)):
        made[number] += _NEAR[pace] * near[tuple(heads[number : number + 3])]
    return made


def _ending(score: Score, melody: tuple[Note, ...]) -> Floats:
    """The tonic chord where the melody's last note is in one; else nothing is asked for."""
    last = (melody[-1].pitch - tonic_of(score)) % 12
    fits = [state for state in (0, 12) if last in tones(state)]
    if not fits:
        return np.zeros(STATES)
    minor = score.mode in ("minor", "dorian", "phrygian")
    home = 12 if minor and 12 in fits else 0 if not minor and 0 in fits else fits[0]
    made = np.full(STATES, -1e6)
    made[home] = 0.0
    return made


def taste(mode: Mode, *, plain: bool = True) -> Floats:
    """What songs like beside what chorales say, nats for each chord.

    Args:
        mode: Of the key.
        plain: Whether the chords of most songs are liked best.
    """
    minor = mode in ("minor", "dorian", "phrygian")
    scale = (0, 2, 3, 5, 7, 8, 10, 11) if minor else (0, 2, 4, 5, 7, 9, 11)
    strange = [sum(tone not in scale for tone in tones(state)) for state in range(STATES)]
    made = np.repeat([_QUALITY[name] for name in NAMES], 12) + _CHROMATIC * np.array(strange)
    for name, roots, nats in _PLAIN[minor] if plain else ():
        made[[12 * NAMES.index(name) + root for root in roots]] += nats
    return made


def _tonics() -> Floats:
    made = np.zeros(STATES)
    made[[0, 12]] = 1.0
    return made


def _dominants() -> Floats:
    return np.isin(np.arange(STATES) % 12, _DOMINANTS).astype(float)
