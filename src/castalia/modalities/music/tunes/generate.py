"""Write a melody note by note: the model's chances, the form, the masks of melody, several drafts side by side."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.core.score import QUARTER
from castalia.modalities.music.layers import one_thread
from castalia.modalities.music.tunes.form import PHRASE, Phrase
from castalia.modalities.music.tunes.given import UNKNOWN, Given
from castalia.modalities.music.tunes.melodic import (
    Mask,
    Nats,
    belonging,
    closing,
    lengths_at,
    near,
    pitches_at,
    rest_of,
    strong_beat,
    turning_back,
)
from castalia.modalities.music.tunes.model import TuneModel, Writing
from castalia.modalities.music.tunes.state import ECHOES, NO_PITCH, State
from castalia.modalities.music.tunes.tune import LENGTHS, LOWEST, PITCHES, REST, Setting, length_symbols

RETURNING = 6.0
"""Nats for the note that stood there when the phrase came first."""
CONTRAST = 2.0
"""Nats against going on with what stood one or two phrases ago, in a phrase that is to be new."""
CHORDS = 4.0
"""Nats against notes on a beat that do not belong to the chord."""
STEADY = 0.85
"""Divides the scores of lengths: rhythm wanders less than pitch."""
TYPICAL = 0.8
"""Cost of a good draft in proportion to that of tunes the model does not know: what returns costs little."""
VARIED = 9
"""Different pitches from which a draft is not thought dull."""
_DOUBLINGS = np.log2(np.array(LENGTHS, np.float32) / QUARTER)
LIKELIEST = 0.97
"""The smallest set of symbols whose chances sum to this is drawn from."""


@dataclass(frozen=True)
class Fixed:
    """A note or rest whose place and length are given, its pitch perhaps."""

    start: int
    ticks: int
    pitch: int
    """A symbol, `REST`, or `UNKNOWN` where the pitch is to be written."""


@dataclass(frozen=True)
class Task:
    """What is to be written.

    Attributes:
        setting: Metre, mode, kind and length.
        fixed: What is given, by its start.
        phrases: All of them, without gaps.
        lowest: Semitones above the tonic.
        highest: The same.
        chords: Ticks from which a chord holds, with its pitch classes above the tonic; empty leaves harmony open.
        temperature: Divides the scores of pitches.
        calm: Nats for each doubling of a note's length.
        cyclic: Whether its end leads to its beginning, on the chord that stands there, instead of resting on the tonic.
    """

    setting: Setting
    fixed: tuple[Fixed, ...]
    phrases: tuple[Phrase, ...]
    lowest: int
    highest: int
    chords: tuple[tuple[int, frozenset[int]], ...] = ()
    temperature: float = 0.95
    calm: float = 0.0
    cyclic: bool = False


@dataclass
class Draft:
    """One draft.

    Attributes:
        notes: (start, ticks, symbol) of each, rests too.
        cost: Summed cost of what was drawn under the model, nats.
        drawn: Notes that were drawn.
        given_up: How often no note was left and rules were given up.
    """

    notes: list[tuple[int, int, int]]
    cost: float = 0.0
    drawn: int = 0
    given_up: int = 0

    @property
    def pitches(self) -> int:
        """How many different ones it has."""
        return len({symbol for _, _, symbol in self.notes if symbol != REST})

    @property
    def mean(self) -> float:
        """Mean cost of a note."""
        return self.cost / max(self.drawn, 1)


@one_thread
def write(model: TuneModel, task: Task, *, drafts: int, seed: int) -> list[Draft]:
    """Write drafts of a task, the best first: rules kept, enough pitches, a cost near real tunes'; lower is duller.

    Args:
        model: The model.
        task: What is given and what is wanted.
        drafts: How many, side by side.
        seed: Same seed, same drafts.
    """
    rng = np.random.default_rng(seed)
    setting = task.setting
    plan = Looked(task)
    writing = model.open([setting] * drafts, [plan.given()] * drafts)
    made = [Draft([]) for _ in range(drafts)]
    while (going := writing.state.tick < setting.length).any():
        writing.begin()
        ticks, length = _lengths(writing, plan, made, going, rng)
        pitch = _pitches(writing, plan, made, (ticks, length), going, rng)
        for row in np.flatnonzero(going).tolist():
            made[row].notes.append((int(writing.state.tick[row]), int(ticks[row]), int(pitch[row])))
        writing.end(ticks, length, pitch, going)
    typical = TYPICAL * float(model.card["valid_nll"])
    return sorted(made, key=lambda each: (each.given_up, each.pitches < VARIED, abs(each.mean - typical)))


class Looked:
    """A task, looked up by tick."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.fixed = {each.start: each for each in task.fixed}
        self._starts = sorted(self.fixed)
        self._ends = [phrase.end for phrase in task.phrases]
        self._rests = [rest_of(phrase, task.setting) for phrase in task.phrases]
        self._chords = [tick for tick, _ in task.chords]

    def limit(self, tick: int) -> int:
        """Where the next given note begins, or the end."""
        place = bisect_right(self._starts, tick)
        return self._starts[place] if place < len(self._starts) else self.task.setting.length

    def phrase(self, tick: int) -> Phrase:
        """The phrase in which a tick lies."""
        return self.task.phrases[min(bisect_right(self._ends, tick), len(self._ends) - 1)]

    def lengths(self, tick: int) -> Mask:
        """See `lengths_at`."""
        rest = self._rests[min(bisect_right(self._ends, tick), len(self._ends) - 1)]
        return lengths_at(tick, self.task.setting, rest, self.limit(tick))

    def given(self) -> Given:
        """What is given, as the model's encoder reads it."""
        setting, fixed = self.task.setting, self.task.fixed
        lengths = length_symbols(np.array([each.ticks for each in fixed], np.int64)).tolist()
        pitches = [each.pitch for each in fixed]
        return Given.of([each.start for each in fixed], pitches, lengths, pickup=setting.pickup, bar=setting.bar)

    def pitches(self, tick: int, ticks: int, notes: Sequence[tuple[int, int, int]]) -> tuple[dict[str, Mask], Nats]:
        """Which pitches each rule lets a note have, and nats for and against them."""
        task, setting = self.task, self.task.setting
        sounds = [symbol for _, _, symbol in notes[-6:] if symbol != REST]
        before, earlier = (sounds[-at] if len(sounds) >= at else NO_PITCH for at in (1, 2))
        repeats = next((number for number, each in enumerate(reversed(sounds)) if each != before), len(sounds))
        follows = self.fixed.get(tick + ticks)
        after = follows.pitch if follows else NO_PITCH
        phrase, chord = self.phrase(tick), self.chord(tick)
        ends = tick + ticks >= phrase.end
        rests = ends and (chord is None or (phrase.close == "final" and not task.cyclic))
        rules, nats = pitches_at(task.lowest, task.highest, before, after, 0 if rests else repeats)
        nats = nats + turning_back(before, earlier)
        if rests:
            closes = closing(phrase.close, setting.mode)
            if np.logical_and.reduce([closes, *rules.values()]).any():  # a given pitch may leave none of them
                rules, nats = rules | {"ending": closes}, nats + near(before)
        elif chord is not None and (ends or self._leans(tick, ticks)):
            nats = nats + belonging(chord, CHORDS)
            fitting = belonging(chord, 1.0) >= 0
            # under a lead that is added to chords nothing gives way, and at an end nothing follows to explain a note
            if (ends or task.cyclic) and np.logical_and.reduce([fitting, *rules.values()]).any():
                rules = rules | {"chord": fitting}
        return rules, nats

    def _leans(self, tick: int, ticks: int) -> bool:
        """Whether a note is heard against the chord: on a strong beat, or long."""
        return self.on_strong(tick) or ticks > QUARTER

    def on_strong(self, tick: int) -> bool:
        """Whether a strong beat is there."""
        setting = self.task.setting
        return (tick - setting.pickup) % strong_beat(setting) == 0

    def fits(self, tick: int, ticks: int, symbol: int) -> bool:
        """Whether a note that comes back may stand on the chord that holds now."""
        chord = self.chord(tick)
        return chord is None or (symbol + LOWEST) % 12 in chord or not self._leans(tick, ticks)

    def chord(self, tick: int) -> frozenset[int] | None:
        """The chord that holds there."""
        place = bisect_right(self._chords, tick) - 1
        return self.task.chords[place][1] if place >= 0 else None

    def contrast(self, tick: int, state: State, row: int) -> Nats:
        """Nats against what stood one and two phrases ago, in a phrase that is to be new."""
        nats = np.zeros(PITCHES, np.float32)
        phrase = self.phrase(tick)
        if phrase.source < 0 < phrase.start:
            for number, bars in enumerate(ECHOES):
                echo = int(state.echo_pitch[row, number])
                if bars >= PHRASE and echo < REST:
                    nats[echo] -= CONTRAST * min(int(state.run[row, number]) + 1, 3) / 3
        return nats

    def came(self, tick: int, notes: Sequence[tuple[int, int, int]]) -> tuple[int, int] | None:
        """(ticks, symbol) of the note that stood there when the phrase came first, while it returns."""
        phrase = self.phrase(tick)
        if phrase.source < 0 or tick >= phrase.same:
            return None
        wanted = tick - phrase.start + phrase.source
        return next(((ticks, symbol) for start, ticks, symbol in notes if start == wanted), None)


def _lengths(
    writing: Writing, plan: Looked, made: Sequence[Draft], going: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each draft's next note: ticks, and the same as a symbol."""
    rows = len(made)
    ticks, length = np.full(rows, LENGTHS[0]), np.zeros(rows, np.int64)
    scores = writing.scores(None)
    draws = rng.random(rows)
    for row in np.flatnonzero(going).tolist():
        tick = int(writing.state.tick[row])
        if fixed := plan.fixed.get(tick):
            ticks[row], length[row] = fixed.ticks, length_symbols(np.array(fixed.ticks))
            continue
        mask = plan.lengths(tick)
        if not mask.any():  # between given notes off the grid
            made[row].given_up += 1
            ticks[row] = max(1, min(plan.limit(tick), plan.phrase(tick).end) - tick)
            length[row] = length_symbols(ticks[row])
            continue
        longer = _DOUBLINGS if plan.on_strong(tick) else np.minimum(_DOUBLINGS, 0)  # else it would be syncopated
        led = scores[row] + plan.task.calm * longer
        if came := plan.came(tick, made[row].notes):
            led[length_symbols(np.array(came[0]))] += RETURNING
        length[row] = _drawn(led, mask, draws[row], STEADY)
        ticks[row] = LENGTHS[length[row]]
        made[row].cost -= float(scores[row, length[row]])
    return ticks, length


def _pitches(
    writing: Writing,
    plan: Looked,
    made: Sequence[Draft],
    note: tuple[NDArray[np.int64], NDArray[np.int64]],
    going: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Of each draft's next note: the pitch, a symbol."""
    ticks, length = note
    pitch = np.full(len(made), REST)
    scores = writing.scores(length)
    draws = rng.random(len(made))
    for row in np.flatnonzero(going).tolist():
        tick = int(writing.state.tick[row])
        fixed = plan.fixed.get(tick)
        if fixed and fixed.pitch != UNKNOWN:
            pitch[row] = fixed.pitch
            continue
        rules, nats = plan.pitches(tick, int(ticks[row]), made[row].notes)
        mask = np.logical_and.reduce(list(rules.values()))
        if not mask.any():
            made[row].given_up += 1
            mask = np.arange(PITCHES) != REST
            mask[:REST] &= np.abs(np.arange(REST) + LOWEST - (plan.task.lowest + plan.task.highest) // 2) <= 12
        led = scores[row] + nats + plan.contrast(tick, writing.state, row)
        came = plan.came(tick, made[row].notes)
        if came and came[1] != REST and plan.fits(tick, int(ticks[row]), came[1]):
            led[came[1]] += RETURNING
        pitch[row] = _drawn(led, mask, draws[row], plan.task.temperature)
        made[row].cost -= float(scores[row, pitch[row]])
        made[row].drawn += 1
    return pitch


def _drawn(scores: Nats, mask: Mask, draw: float, temperature: float) -> int:
    """One of the likeliest symbols that are allowed."""
    left = np.where(mask, scores / temperature, -np.inf)
    chances = np.exp(left - left.max())
    order = np.argsort(-chances, kind="stable")
    ranked = chances[order] / chances.sum()
    ranked[np.cumsum(ranked) - ranked >= LIKELIEST] = 0
    summed = np.cumsum(ranked)
    return int(order[min(int((summed < draw * summed[-1]).sum()), len(order) - 1)])
