"""Explain a melody: what the model expected at each note, and which rules took away what it wanted."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from castalia.core.explained import Choice, ExplainedNote, MusicExplanation, Refusal
from castalia.core.language import say
from castalia.core.music import TuneStep
from castalia.core.score import Note, Score
from castalia.modalities.music.files.bars import bars, place_of
from castalia.modalities.music.layers import one_thread
from castalia.modalities.music.tunes.form import Phrase
from castalia.modalities.music.tunes.generate import Looked
from castalia.modalities.music.tunes.given import UNKNOWN
from castalia.modalities.music.tunes.melodic import REPEATS, Mask
from castalia.modalities.music.tunes.model import TuneModel
from castalia.modalities.music.tunes.request import task_of
from castalia.modalities.music.tunes.tune import LOWEST, REST, Numbers, length_symbols, pitch_symbols

REFUSALS = 12
"""Largest examples that are told."""
_ALIKE = 4
"""Examples of one rule."""
_RATHER = 3
_LEAST = 0.02
"""Chance below which a refused pitch is no example."""


@one_thread
def explain(model: TuneModel, step: TuneStep, score: Score, *, seed: int) -> MusicExplanation:
    """What the model expected at each note of a finished melody, and what rules turned down.

    The model reads the melody note by note, as it did while it was written; chances are its own, before the rules, the
    temperature, and the wish for what returns. A note's entropy and chance are of its pitch, its length being known;
    its cost is of both. Passages are left to the quality desk.

    Args:
        model: Whose chances are asked.
        step: What was asked for; what is kept in it counts as given.
        score: The finished work, the melody in its first part.
        seed: With which it was written: it chose the form.
    """
    task, tonic = task_of(step, knows=model.knows(step.style), seed=seed)
    looked = Looked(task)
    writing = model.open([task.setting], [looked.given()])
    lines = bars(score)
    told: list[ExplainedNote] = []
    refusals: list[Refusal] = []
    turned: dict[str, float] = defaultdict(float)
    lost, asked = 0.0, 0
    past: list[tuple[int, int, int]] = []
    for note in _filled(score.parts[0].notes, step.length):
        writing.begin()
        ticks = np.array([note.length])
        length = length_symbols(ticks)
        pitch = pitch_symbols(np.array([note.pitch - tonic])) if note.pitch else np.array([REST])
        bar, beat = place_of(lines, note.start)
        fixed = looked.fixed.get(note.start)
        open_length = fixed is None
        begins = -float(writing.scores(None)[0, length[0]]) if open_length else 0.0
        chances = np.exp(writing.scores(length)[0].astype(np.float64))
        where = {"part": 0, "start": note.start, "pitch": note.pitch, "bar": bar, "beat": beat}
        if fixed is not None and fixed.pitch != UNKNOWN:
            told += [ExplainedNote.model_validate(where | {"given": True})] if note.pitch else []
        else:
            rules, _ = looked.pitches(note.start, note.length, past)
            shares = {rule: float((chances * ~mask).sum()) for rule, mask in rules.items()}
            asked += 1
            for rule, share in shares.items():
                turned[rule] += share
            lost += float((chances * ~np.logical_and.reduce(list(rules.values()))).sum())
            refusals += _refused(chances, rules, int(pitch[0]), note, (bar, beat), tonic, looked.phrase(note.start))
            if note.pitch:
                told.append(_note(chances, int(pitch[0]), tonic, begins, where, shares))
        past.append((note.start, note.length, int(pitch[0])))
        writing.end(ticks, length, pitch, np.ones(1, bool))
    return MusicExplanation(
        model=model.name,
        notes=tuple(told),
        asked=asked,
        each="note",
        masked={rule: share / max(asked, 1) for rule, share in turned.items()},
        masked_by_any=lost / max(asked, 1),
        refusals=tuple(_largest(refusals)),
    )


def _filled(notes: tuple[Note, ...], length: int) -> list[Note]:
    """The notes with the rests between them, as notes of pitch 0."""
    found: list[Note] = []
    now = 0
    for note in notes:
        if note.start > now:
            found.append(Note(now, note.start - now, 0))
        found.append(note)
        now = note.start + note.length
    return [*found, Note(now, length - now, 0)] if now < length else found


def _note(
    chances: Numbers, taken: int, tonic: int, begins: float, where: dict[str, float], shares: dict[str, float]
) -> ExplainedNote:
    order = np.argsort(-chances, kind="stable").tolist()
    better = order[: order.index(taken)]
    positive = chances[chances > 0]
    return ExplainedNote.model_validate(
        where
        | {
            "entropy": max(0.0, float(-(positive * np.log(positive)).sum())),
            "chance": min(1.0, float(chances[taken])),
            "rank": len(better) + 1,
            "cost": max(0.0, begins - float(np.log(max(chances[taken], 1e-12)))),
            "rather": tuple(Choice(_pitch(each, tonic), float(chances[each])) for each in better[:_RATHER]),
            "turned_down": {rule: share for rule, share in shares.items() if share >= 0.0005},
        }
    )


def _refused(
    chances: Numbers,
    rules: dict[str, Mask],
    taken: int,
    note: Note,
    place: tuple[int, float],
    tonic: int,
    phrase: Phrase,
) -> list[Refusal]:
    """The pitches that were wanted here and turned down."""
    left = np.logical_and.reduce(list(rules.values()))
    found: list[Refusal] = []
    for symbol in np.flatnonzero(~left & (chances >= _LEAST)).tolist():
        if symbol == taken:
            continue  # rules were given up here
        against = tuple(rule for rule, mask in rules.items() if not mask[symbol])
        why = "; ".join(reason(rule, phrase) for rule in against)
        found.append(
            Refusal(
                part=0,
                start=note.start,
                bar=place[0],
                beat=place[1],
                pitch=_pitch(symbol, tonic),
                chance=min(1.0, float(chances[symbol])),
                rules=against,
                why=why,
            )
        )
    return found


def _largest(refusals: list[Refusal]) -> list[Refusal]:
    """The largest, some of each rule."""
    told: list[Refusal] = []
    for each in sorted(refusals, key=lambda each: (-each.chance, each.start)):
        if sum(other.rules[0] == each.rules[0] for other in told) < _ALIKE:
            told.append(each)
    return told[:REFUSALS]


def reason(rule: str, phrase: Phrase) -> str:
    """Why a pitch may not come, in words."""
    match rule:
        case "ending":
            if phrase.close == "open":
                return say("this phrase ends away from home", "此乐句结束于主音之外")
            return say("this phrase ends on the tonic", "此乐句结束于主音")
        case "leaps":
            return say("a leap of more than an octave", "跳进超过八度")
        case "repeats":
            return say("struck {n} times already", "已连续 {n} 次", n=REPEATS)
        case "rest":
            return say("the melody would fall silent", "旋律将休止")
        case _:
            return say("outside the compass", "超出音域")


def _pitch(symbol: int, tonic: int) -> int:
    return 0 if symbol == REST else symbol + LOWEST + tonic
