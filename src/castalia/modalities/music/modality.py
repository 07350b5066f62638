"""Music as a modality: compose a plan's music into a draft."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from castalia.core import seeds
from castalia.core.language import say
from castalia.core.music import ArrangementStep, MusicStep, TuneStep, VoicesStep
from castalia.core.ports import Plan, Progress
from castalia.core.score import Score
from castalia.core.values import Brief, Content, Draft, Evidence
from castalia.modalities.music.arrange.arrange import arrange
from castalia.modalities.music.composers import Composers
from castalia.modalities.music.tunes.generate import write as write_tunes
from castalia.modalities.music.tunes.request import score_of as tune_score
from castalia.modalities.music.tunes.request import task_of
from castalia.modalities.music.voices.decode import score_of
from castalia.modalities.music.voices.encode import given_of, leading_note, leaning_of, still_of
from castalia.modalities.music.voices.generate import Task, write

DRAFTS = 8
"""Written side by side; the one that the critic likes best among those that kept the rules is taken."""


TUNE_DRAFTS = 6


class Model(Protocol):
    """Weights that write music."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def build(self) -> str: ...


@dataclass(frozen=True)
class Composed:
    """What one step wrote."""

    score: Score
    model: Model
    notes: int
    """Notes, or sixteenths of a voice, that were drawn."""
    cost: float
    """Mean cost of one of them under the model, nats."""


def compose(
    brief: Brief,
    plan: Plan,
    composers: Composers,
    assemble: Callable[[Brief, Mapping[str, str]], Content],
    *,
    words: Draft | None = None,
    attempt: int = 0,
    progress: Progress | None = None,
) -> Draft:
    """Write one draft.

    Args:
        brief: What is asked for.
        plan: The genre's music.
        composers: The models.
        assemble: The genre's way of making the work from the steps' texts and scores, scores as JSON.
        words: The draft of the plan's texts, where it has some.
        attempt: The k-th try; selects the seed.
        progress: Told before each step.
    """
    began = time.monotonic()
    seed = seeds.following(brief.seed, attempt)
    parts: dict[str, str] = dict(words.parts) if words else {}
    done: list[Composed] = []
    for number, each in enumerate(plan.music):
        step = each(parts) if callable(each) else each
        if progress:
            progress(say("writing {step}", "正在写：{step}", step=step.name), number / len(plan.music))
        composed = _write(step, composers, seed)
        parts[step.name] = composed.score.model_dump_json()
        done.append(composed)
    evidence = _evidence(done, seed) if words is None else _added(words.evidence, done)
    taken = evidence.seconds + time.monotonic() - began
    return Draft(
        brief=brief,
        content=assemble(brief, parts),
        parts=parts,
        score=-sum(each.cost for each in done) / len(done) + (words.score if words else 0),
        evidence=evidence.model_copy(update={"seconds": round(taken, 3)}),
    )


def _write(step: MusicStep, composers: Composers, seed: int) -> Composed:
    match step:
        case VoicesStep():
            return _voices(step, composers, seed)
        case ArrangementStep():
            return _arrangement(step, composers, seed)
        case TuneStep():
            return _tune(step, composers, seed)


def _voices(step: VoicesStep, composers: Composers, seed: int) -> Composed:
    task = Task(
        given_of(step), leaning_of(step), still_of(step), temperature=step.temperature, sensitive=leading_note(step)
    )
    drafts = write(composers.voices, task, drafts=DRAFTS, seed=seed)
    best = drafts.order()[0]
    return Composed(score_of(drafts.frames[best], step), composers.voices, task.asked, float(drafts.cost[best]))


def _arrangement(step: ArrangementStep, composers: Composers, seed: int) -> Composed:
    score = arrange(step, composers.chords, seed=seed)
    return Composed(score, composers.chords, len(score.chords), 0.0)


def _tune(step: TuneStep, composers: Composers, seed: int) -> Composed:
    model = composers.tunes
    task, tonic = task_of(step, knows=model.knows(step.style), seed=seed)
    best = write_tunes(model, task, drafts=TUNE_DRAFTS, seed=seed)[0]
    return Composed(tune_score(best, tonic, step), model, best.drawn, best.mean)


def _evidence(done: list[Composed], seed: int) -> Evidence:
    """Of music alone: the model of the last step, which wrote the most; the others stand beside the engine."""
    last = done[-1].model
    return Evidence(
        model=last.name,
        digest=last.digest,
        engine=_engines(last.build, [each for each in done if each.model.digest != last.digest]),
        threads=1,
        seed=seed,
        sampled_tokens=sum(each.notes for each in done),
        watermark_reason="notes are too few to carry a watermark; sound and pictures of the score carry one",
        form="masked",
    )


def _added(words: Evidence, done: list[Composed]) -> Evidence:
    """Of words and music: the words' own, which `remake` loads a language model by, with the music's models named."""
    return words.model_copy(update={"engine": _engines(words.engine, done)})


def _engines(first: str, others: list[Composed]) -> str:
    named = [f"{each.model.name} {each.model.digest[:12]} ({each.model.build})" for each in others]
    return "; ".join(dict.fromkeys((first, *named)))


__all__ = ["DRAFTS", "Composed", "compose"]
