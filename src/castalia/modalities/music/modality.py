"""Music as a modality: compose a plan's scores into a draft."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from castalia.core import seeds
from castalia.core.language import say
from castalia.core.ports import Plan, Progress
from castalia.core.values import Brief, Content, Draft, Evidence
from castalia.modalities.music.decode import score_of
from castalia.modalities.music.encode import given_of, leaning_of
from castalia.modalities.music.generate import Task, write
from castalia.modalities.music.model import OPEN, ChoraleModel

DRAFTS = 4
"""Written side by side; the best by the model's own cost and the rules it kept is taken."""


def compose(
    brief: Brief,
    plan: Plan,
    model: ChoraleModel,
    assemble: Callable[[Brief, Mapping[str, str]], Content],
    *,
    attempt: int = 0,
    progress: Progress | None = None,
) -> Draft:
    """Write one draft.

    Args:
        brief: What is asked for.
        plan: The genre's scores.
        model: The chorale model.
        assemble: The genre's way of making the work from the steps' scores, given as JSON.
        attempt: The k-th try; selects the seed.
        progress: Told before each step.
    """
    began = time.monotonic()
    seed = seeds.following(brief.seed, attempt)
    parts: dict[str, str] = {}
    written, cost = 0, 0.0
    for number, step in enumerate(plan.scores):
        if progress:
            progress(say("writing {step}", "正在写：{step}", step=step.name), number / len(plan.scores))
        given = given_of(step)
        drafts = write(model, Task(given, leaning_of(step), step.temperature), drafts=DRAFTS, seed=seed)
        best = drafts.order()[0]
        parts[step.name] = score_of(drafts.frames[best], step).model_dump_json()
        written += int((given == OPEN).sum())
        cost += float(drafts.cost[best])
    return Draft(
        brief=brief,
        content=assemble(brief, parts),
        parts=parts,
        score=-cost / max(len(plan.scores), 1),
        evidence=Evidence(
            model=model.name,
            digest=model.digest,
            engine=model.build,
            threads=1,
            seed=seed,
            sampled_tokens=written,
            watermark_reason="notes are too few to carry a watermark; sound and pictures of the score carry one",
            form="masked",
            seconds=round(time.monotonic() - began, 3),
        ),
    )


__all__ = ["DRAFTS", "compose"]
