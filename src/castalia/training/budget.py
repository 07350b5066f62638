# pyright: basic
"""How many steps fit into the minutes that a user has: a few are timed on a network that is thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from castalia.training.member import Lesson, Recipe, adam, update
from castalia.training.run_file import Run, changed
from castalia.training.started import Log

_FIRST, _TIMED = 2, 4
"""Steps that are not timed, since memory is taken and caches are filled in them, and those that are."""


@dataclass(frozen=True)
class Timed:
    """What a run's parts take.

    Attributes:
        step: Seconds of an update.
        measuring: Seconds of a measurement on the validation pieces.
    """

    step: float
    measuring: float


def timed(lesson: Lesson[Any], recipe: Recipe) -> Timed:
    """Time a few steps and a measurement; the chance of the run is left as it was."""
    with torch.random.fork_rng(devices=[]):
        network = lesson.fresh()
        optimizer = adam(network, recipe)
        seconds: list[float] = []
        for step in range(_FIRST + _TIMED):
            began = time.monotonic()
            update(lesson, network, optimizer, recipe, 0, step)
            seconds.append(time.monotonic() - began)
        began = time.monotonic()
        lesson.figures(network)
        return Timed(float(np.mean(seconds[_FIRST:])), time.monotonic() - began)


def between(steps: int, most: int) -> int:
    """Steps between measurements of a member: at least four in a run, at most `most` steps apart."""
    return max(1, min(most, steps // 4))


def steps_within(minutes: float, members: int, each: Timed, most: int) -> int:
    """The most steps of each member with which all members together take no longer than that; 1 at least.

    Args:
        minutes: Of wall clock.
        members: How many there are.
        each: What a step and a measurement take.
        most: See `between`.
    """
    mine = minutes * 60 / members
    steps = np.arange(1, int(mine / max(each.step, 1e-6)) + 2)
    apart = np.maximum(1, np.minimum(most, steps // 4))
    fits = steps[steps * each.step + -(-steps // apart) * each.measuring <= mine]
    return int(fits[-1]) if len(fits) else 1


def settled(
    run: Run[Any], folder: Path, timing: Callable[[], Timed], versions: Mapping[str, str], *, log: Log, most: int
) -> Run[Any]:
    """The run with its steps chosen, where minutes were asked for, and its run file written.

    Args:
        run: As it was asked for, or begun before.
        folder: Of the model.
        timing: See `timed`.
        versions: Of what computes now.
        log: Told what was chosen, and what has changed since the run was begun.
        most: Steps between measurements, see `between`.
    """
    if run.begun and (news := changed(run, versions)):
        log({"changed since it was begun": news})
    if run.minutes and not run.begun:
        each = timing()
        recipe: Recipe = run.recipe
        run = run.within(steps_within(run.minutes, recipe.members, each, most), asdict(each))
        seconds = {"step": round(each.step, 3), "measuring": round(each.measuring, 2)}
        log({"steps": run.recipe.steps, **{f"seconds_{name}": value for name, value in seconds.items()}})
    folder.mkdir(parents=True, exist_ok=True)
    run.write(folder)
    return run
