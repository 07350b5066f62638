"""Write four voices frame by frame: the model's chances, the masks of voice leading, several drafts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.layers import one_thread
from castalia.modalities.music.voices.ahead import Ahead
from castalia.modalities.music.voices.grid import LOWEST, SYMBOLS, VOICES, Frames, pitches_of, symbols_of
from castalia.modalities.music.voices.leading import allowed, combined
from castalia.modalities.music.voices.model import OPEN, ChoraleModel
from castalia.modalities.music.voices.state import Numbers


@dataclass(frozen=True)
class Task:
    """What is to be written.

    Attributes:
        given: Pitches (frames, voices), 0 for a rest, `OPEN` where a note is to be written.
        leaning: Nats added to the score of a pitch, by frame, voice and pitch class (frames, voices, 12); one of -inf
            is only kept to where another pitch is left. None adds nothing.
        still: Frames in which every voice that is written keeps its pitch (frames,). None names none.
        chords: Share of the advice of `Sonorities` that is followed.
        sensitive: Pitch class of the key's leading note, which is not doubled.
        temperature: Divides the scores of pitches that a voice may move to.
        likeliest: The smallest set of them whose chances sum to this is drawn from.
        lively: Multiplies the odds that a voice moves. What the model writes itself makes it stand stiller than what
            it learned; this much makes up for it (docs/log.md).
    """

    given: Frames
    leaning: NDArray[np.float32] | None = None
    still: NDArray[np.bool_] | None = None
    chords: float = 0.5
    temperature: float = 0.7
    likeliest: float = 0.9
    sensitive: int | None = None
    lively: float = 1.3

    @property
    def asked(self) -> int:
        """How many notes are drawn."""
        drawn = self.given == OPEN
        if self.still is not None:
            drawn = drawn & ~self.still[:, None]
        return int(drawn.sum())


@dataclass
class Written:
    """Drafts of one task.

    Attributes:
        frames: (drafts, frames, voices), MIDI pitches, 0 for a rest.
        cost: Mean cost of a written note under the model, nats (drafts,).
        doubt: Entropy of each note's chances, nats (drafts, frames, voices); 0 where it was given.
        given_up: How often a rule left no note and was given up (drafts,).
        liking: How much the critic takes each for a piece of the collection (drafts,).
        turned_down: By rule, how much of the model's chance it turned down, summed over notes (drafts,).
    """

    frames: NDArray[np.int64]
    cost: NDArray[np.float64]
    doubt: NDArray[np.float32]
    given_up: NDArray[np.int64]
    liking: NDArray[np.float64]
    turned_down: dict[str, NDArray[np.float64]] = field(default_factory=dict[str, "NDArray[np.float64]"])

    def order(self) -> Sequence[int]:
        """The drafts, best first: rules kept, then the critic's liking."""
        return [int(row) for row in np.lexsort((-self.liking, self.given_up))]


@one_thread
def write(model: ChoraleModel, task: Task, *, drafts: int, seed: int) -> Written:
    """Write drafts of a task.

    Args:
        model: The model.
        task: What is given and what is wanted.
        drafts: How many, side by side.
        seed: Same seed, same drafts.
    """
    rng = np.random.default_rng(seed)
    length = len(task.given)
    writing = model.open(np.repeat(task.given[None], drafts, axis=0))
    frames = np.zeros((drafts, length, VOICES), np.int64)
    doubt = np.zeros((drafts, length, VOICES), np.float32)
    cost, given_up = np.zeros(drafts), np.zeros(drafts, np.int64)
    turned_down: dict[str, NDArray[np.float64]] = {}
    before = np.zeros((drafts, VOICES), np.int64)
    ahead = Ahead(task.given)
    for time in range(length):
        writing.begin()
        frame = np.zeros((drafts, VOICES), np.int64)
        for voice in range(VOICES):
            fixed = int(task.given[time, voice])
            if fixed != OPEN:
                frame[:, voice] = fixed
                given_up += _broken(voice, frame, task.given[time], before)
                continue
            if time and task.still is not None and task.still[time]:
                frame[:, voice] = before[:, voice]
                continue
            scores = writing.scores(voice, frame)
            chances = np.exp(scores)
            doubt[:, time, voice] = -(chances * scores).sum(1)
            known = _with_given(frame, task.given[time], voice)
            rules = allowed(voice, known, before, task.sensitive)
            rules["parallels"] &= ahead.parallels(time, voice, known)
            for name, mask in rules.items():
                turned_down[name] = turned_down.get(name, np.zeros(drafts)) + (chances * ~mask).sum(1)
            mask, why = combined(rules)
            given_up += [bool(each) for each in why]
            led = scores + ahead.lean(time, voice)
            if voice and task.chords:
                led = led + np.float32(task.chords) * model.sonorities.lean(voice, frame, time)
            if task.leaning is not None:
                lean = np.append(task.leaning[time, voice, (np.arange(SYMBOLS - 1) + LOWEST) % 12], np.float32(0))
                left = mask & (lean > -np.inf)
                given_up += ~left.any(1)
                mask = np.where(left.any(1, keepdims=True), left, mask)
                led = led + np.maximum(lean, np.float32(-50)).astype(np.float32)
            drawn = _draw(scores, led, mask, symbols_of(before[:, voice]), task, rng)
            cost -= scores[np.arange(drafts), drawn]
            frame[:, voice] = pitches_of(drawn)
        frames[:, time] = frame
        writing.end(frame)
        before = frame
    liking = np.array([model.critic.score(each) if model.critic else 0.0 for each in frames])
    return Written(frames, cost / max(task.asked, 1), doubt, given_up, liking, turned_down)


def _with_given(frame: NDArray[np.int64], given: NDArray[np.int64], voice: int) -> NDArray[np.int64]:
    """The frame as far as it is known."""
    return np.where((given != OPEN) & (np.arange(VOICES) > voice), given, frame)


def _broken(voice: int, frame: Numbers, given: Numbers, before: Numbers) -> NDArray[np.bool_]:
    """Whether a given note breaks a rule with what was written (rows,)."""
    if given[voice] == 0:
        return np.zeros(len(frame), bool)
    rules = allowed(voice, _with_given(frame, given, voice), before)
    return ~np.logical_and.reduce(list(rules.values()))[:, int(given[voice]) - LOWEST]


def _draw(
    scores: NDArray[np.float32],
    led: NDArray[np.float32],
    mask: NDArray[np.bool_],
    held: NDArray[np.int64],
    task: Task,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """One symbol a row: first whether the voice holds its pitch, then where it moves.

    Whether it moves is the model's own chance over all pitches: a temperature over both at once, advice on chords, or
    masks that take away where it could go, would make the music stand still.
    Where it moves is drawn from the likeliest that are left.

    Args:
        scores: The model's log chances (rows, SYMBOLS).
        led: The same with wishes and the advice of chords, for where it moves (rows, SYMBOLS).
        mask: What is allowed (rows, SYMBOLS), at least one symbol a row.
        held: Each row's symbol in the frame before (rows,).
        task: Temperature and nucleus of the moves.
        rng: Draws.
    """
    rows = np.arange(len(scores))
    chances = np.exp(scores - scores.max(1, keepdims=True))
    held_chance = chances[rows, held]
    moves = (chances.sum(1) - held_chance) * np.float32(task.lively)
    stays = np.where(mask[rows, held], held_chance / (held_chance + moves), 0)
    moving = np.where(mask, led / task.temperature, -np.inf)
    moving[rows, held] = -np.inf
    most = moving.max(1, keepdims=True)
    stuck = most[:, 0] == -np.inf
    chances = np.exp(moving - np.where(stuck[:, None], 0, most))
    order = np.argsort(-chances, 1, kind="stable")
    ranked = np.take_along_axis(chances, order, 1)
    total = np.maximum(ranked.sum(1, keepdims=True), 1e-30)
    ranked[np.cumsum(ranked, 1) - ranked >= task.likeliest * total] = 0
    summed = np.cumsum(ranked, 1)
    place = (summed < rng.random((len(scores), 1)) * summed[:, -1:]).sum(1)
    moved = order[rows, np.minimum(place, SYMBOLS - 1)]
    return np.where((rng.random(len(scores)) < stays) | stuck, held, moved)
