"""Explain four voices: what the model expected at each note, and which rules took away what it wanted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from castalia.core.explained import Choice, ExplainedNote, MusicExplanation, Refusal
from castalia.core.music import VoicesStep
from castalia.core.score import Note, Score
from castalia.modalities.music.files.bars import Bar, bars, place_of
from castalia.modalities.music.layers import one_thread
from castalia.modalities.music.voices.ahead import Ahead
from castalia.modalities.music.voices.encode import FRAME, frames_of, given_of, leading_note, leaning_of, still_of
from castalia.modalities.music.voices.grid import LOWEST, REST, SYMBOLS, VOICES, Frames, pitches_of, symbols_of
from castalia.modalities.music.voices.leading import Mask, allowed
from castalia.modalities.music.voices.model import OPEN, ChoraleModel
from castalia.modalities.music.voices.reasons import Seen, reason

REFUSALS = 12
"""Largest examples that are told."""
_ALIKE = 4
"""Examples of one rule."""
_RATHER = 3
_LEAST = 0.02
"""Chance below which a refused pitch is no example."""


def explain(model: ChoraleModel, step: VoicesStep, score: Score) -> MusicExplanation:
    """What the model expected at each note of a finished score, and what rules turned down.

    The model reads the score note by note, as it did while it was written; chances are its own, before the rules, the
    temperature and the plan's wishes. A note is looked at where it begins. There the model was asked two things: does
    the voice move, and where to. That it moves is known of a note that stands, so that its entropy and chance are of
    the second alone; over both, moves that nobody expected would count as certain. Passages are left to the quality
    desk.

    Args:
        model: Whose chances are asked.
        step: What was asked for; what is kept in it counts as given.
        score: The finished work: the step's parts, four of them for a voice.
    """
    given = given_of(step)
    frames = np.zeros_like(given)
    found = frames_of(score)[: len(given)]
    frames[: len(found)] = found
    walked = Walk(model, given, frames, leaning_of(step), still_of(step), leading_note(step))
    lines = bars(score)
    voices = [number for number, part in enumerate(score.parts) if part.kind == "voice"][:VOICES]
    notes = [
        _note(walked, voice, part, note, place_of(lines, note.start))
        for voice, part in enumerate(voices)
        for note in score.parts[part].notes
    ]
    drawn = int(walked.drawn.sum())
    return MusicExplanation(
        model=model.name,
        notes=tuple(sorted(notes, key=lambda note: (note.start, note.part))),
        asked=drawn,
        masked={rule: float(share.sum()) / max(drawn, 1) for rule, share in walked.turned_down.items()},
        masked_by_any=float(walked.lost.sum()) / max(drawn, 1),
        refusals=tuple(_refusals(walked, voices, lines, score)),
    )


class Walk:
    """The model led along a finished piece.

    Args:
        model: The model.
        given: Pitches (frames, voices), `OPEN` where they were written.
        frames: The finished piece (frames, voices).
        leaning: The plan's wishes (frames, voices, 12).
        still: Frames in which all voices hold by the plan (frames,); None names none.
        sensitive: Pitch class of the leading note; None leaves it alone.

    Attributes:
        drawn: Where the model was asked (frames, voices).
        chances: (frames, voices, SYMBOLS); 0 where it was not.
        turned_down: By rule (frames, voices), the chance that it turned down.
        lost: (frames, voices), the chance that any rule turned down.
        refused: Of each pitch the rules against it and what they looked at, where its chance is worth telling.
    """

    @one_thread
    def __init__(
        self,
        model: ChoraleModel,
        given: Frames,
        frames: Frames,
        leaning: NDArray[np.float32],
        still: NDArray[np.bool_] | None = None,
        sensitive: int | None = None,
    ) -> None:
        self.frames = frames
        self.drawn = given == OPEN
        if still is not None:
            self.drawn[1:] &= ~still[1:, None]
        self.chances = np.zeros((*given.shape, SYMBOLS))
        self.turned_down: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(given.shape))
        self.lost = np.zeros(given.shape)
        self.refused: list[tuple[float, int, int, int, tuple[str, ...], Seen]] = []
        writing = model.open(given[None])
        before = np.zeros(VOICES, np.int64)
        ahead = Ahead(given)
        for time, frame in enumerate(frames):
            writing.begin()
            for voice in range(VOICES):
                if not self.drawn[time, voice]:
                    continue
                above = np.where(np.arange(VOICES) < voice, frame, 0)
                self.chances[time, voice] = np.exp(writing.scores(voice, above[None])[0])
                known = np.where((given[time] != OPEN) & (np.arange(VOICES) > voice), given[time], above)
                rules = _rules(voice, known, before, sensitive) | {"plan": _planned(leaning[time, voice])}
                rules["parallels"] &= ahead.parallels(time, voice, known[None])[0]
                self._weigh(time, voice, rules, Seen(known, before))
            writing.end(frame[None])
            before = frame

    def moved(self, time: int, voice: int) -> tuple[NDArray[np.float64], float]:
        """(chances of where a voice goes, given that it moves (SYMBOLS,), the chance that it moves).

        A pitch that is sung again does not move: then the chances are of all, holding too.
        """
        chances = self.chances[time, voice]
        if time == 0 or self.frames[time, voice] == self.frames[time - 1, voice]:
            return chances, 1.0
        left = chances.copy()
        left[int(symbols_of(self.frames[time - 1, voice]))] = 0
        moves = float(left.sum())
        return left / max(moves, 1e-12), min(1.0, moves)

    def _weigh(self, time: int, voice: int, rules: Mapping[str, Mask], seen: Seen) -> None:
        chances = self.chances[time, voice]
        for rule, mask in rules.items():
            self.turned_down[rule][time, voice] = (chances * ~mask).sum()
        left = np.logical_and.reduce(list(rules.values()))
        self.lost[time, voice] = (chances * ~left).sum()
        for symbol in np.flatnonzero(~left & (chances >= _LEAST)).tolist():
            if self.frames[time, voice] == pitches_of(np.array(symbol)):
                continue  # rules were given up here, or it was sung after all
            against = tuple(rule for rule, mask in rules.items() if not mask[symbol])
            self.refused.append((float(chances[symbol]), time, voice, symbol, against, seen))


def _rules(voice: int, known: NDArray[np.int64], before: NDArray[np.int64], sensitive: int | None) -> dict[str, Mask]:
    """What each rule of voice leading allows; rests, which none does, are told apart from the range."""
    rules = {name: mask[0].copy() for name, mask in allowed(voice, known[None], before[None], sensitive).items()}
    rules["range"][REST] = True
    return rules | {"rest": np.arange(SYMBOLS) != REST}


def _planned(leaning: NDArray[np.float32]) -> Mask:
    """What the plan leaves of the symbols, e.g. the closing chord."""
    return np.append(leaning[(np.arange(REST) + LOWEST) % 12] > -np.inf, True)


def _note(walked: Walk, voice: int, part: int, note: Note, place: tuple[int, float]) -> ExplainedNote:
    first, last = note.start // FRAME, -(-(note.start + note.length) // FRAME)
    told = {"part": part, "start": note.start, "pitch": note.pitch, "bar": place[0], "beat": place[1]}
    if first >= len(walked.drawn) or not walked.drawn[first, voice]:
        return ExplainedNote.model_validate(told | {"given": True})
    chances, moves = walked.moved(first, voice)
    taken = int(symbols_of(walked.frames[first, voice]))
    order = np.argsort(-chances, kind="stable").tolist()
    better = order[: order.index(taken)]
    rather = tuple(Choice(int(pitches_of(np.array(each))), float(chances[each])) for each in better[:_RATHER])
    spans = range(first, min(last, len(walked.drawn)))
    each = [
        walked.chances[at, voice, int(symbols_of(walked.frames[at, voice]))] for at in spans if walked.drawn[at, voice]
    ]
    positive = chances[chances > 0]
    return ExplainedNote.model_validate(
        told
        | {
            "entropy": max(0.0, float(-(positive * np.log(positive)).sum())),
            "chance": min(1.0, float(chances[taken])),
            "moves": moves,
            "rank": len(better) + 1,
            "cost": max(0.0, float(-np.log(np.maximum(each, 1e-12)).sum())),
            "rather": rather,
            "turned_down": {
                rule: float(share[first, voice])
                for rule, share in walked.turned_down.items()
                if share[first, voice] >= 0.0005
            },
        }
    )


def _refusals(walked: Walk, voices: list[int], lines: tuple[Bar, ...], score: Score) -> list[Refusal]:
    """The largest, some of each rule, of each pitch of a voice where it was wanted most in a row of sixteenths."""
    told: list[Refusal] = []
    seen: list[tuple[int, int, int]] = []
    for chance, time, voice, symbol, rules, known in sorted(walked.refused, key=lambda each: (-each[0], *each[1:4])):
        alike = sum(each.rules[0] == rules[0] for each in told)
        if alike == _ALIKE or any(other[1:] == (voice, symbol) and abs(other[0] - time) <= 4 for other in seen):
            continue
        seen.append((time, voice, symbol))
        bar, beat = place_of(lines, time * FRAME)
        pitch = int(pitches_of(np.array(symbol)))
        why = "; ".join(reason(rule, voice, pitch, known, score) for rule in rules)
        told.append(
            Refusal(
                part=voices[voice], start=time * FRAME, bar=bar, beat=beat, pitch=pitch, chance=chance, rules=rules,
                why=why,
            )
        )  # fmt: skip
        if len(told) == REFUSALS:
            break
    return told
