# pyright: basic
"""Training of one network of several: its steps, its measurements, its checkpoints, and its best by validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from castalia.training.best import Best
from castalia.training.clock import Clock
from castalia.training.optimiser import average, resume, save, schedule
from castalia.training.started import Log
from castalia.training.weights import write_weights

N = TypeVar("N", bound=nn.Module)
Sample = Callable[[Any, Path], None]
"""Has a network write something into a file of that path."""


class Recipe(Protocol):
    """What the recipes of all kinds say of a member's training."""

    @property
    def members(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def patience(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def decay(self) -> float: ...
    @property
    def average(self) -> float: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True)
class Lesson(Generic[N]):
    """What is learned.

    Attributes:
        fresh: A network with weights as drawn.
        loss: Of a batch drawn with a generator.
        figures: Of the running mean, on the validation pieces: `valid` is the loss that says which is best.
    """

    fresh: Callable[[], N]
    loss: Callable[[N, np.random.Generator], Tensor]
    figures: Callable[[N], Mapping[str, float]]


def train_members(
    lesson: Lesson[N], recipe: Recipe, folder: Path, *, clock: Clock, log: Log, every: int, sample: Sample | None = None
) -> list[N]:
    """Train all members; a run that was stopped goes on from its last checkpoint, bit for bit.

    Args:
        lesson: What is learned.
        recipe: How.
        folder: Holds checkpoints, `member-<n>.safetensors` when a member is done: its best by validation.
        clock: Counts the minutes.
        log: Told the figures.
        every: Steps between lines and checkpoints.
        sample: Called at lines, when the clock says so, with the running mean; it changes nothing of the run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_member(number, lesson, recipe, folder, clock, log, every, sample) for number in range(recipe.members)]


def _member(
    number: int,
    lesson: Lesson[N],
    recipe: Recipe,
    folder: Path,
    clock: Clock,
    log: Log,
    every: int,
    sample: Sample | None,
) -> N:
    done = folder / f"member-{number}.safetensors"
    kept_best = lesson.fresh()
    if done.exists():
        kept_best.load_state_dict(load_file(done))
        return kept_best
    torch.manual_seed(recipe.seed * 1000 + number)
    network, mean = lesson.fresh(), lesson.fresh()
    mean.load_state_dict(network.state_dict())
    optimizer = adam(network, recipe)
    kept: dict[str, nn.Module] = {"network": network, "mean": mean, "best": kept_best}
    best, losses = Best(recipe.patience), list[float]()
    begin = resume(checkpoint := folder / f"member-{number}.checkpoint", kept, {"optimizer": optimizer}, best)
    for step in range(begin, 0 if best.done else recipe.steps):
        losses.append(update(lesson, network, optimizer, recipe, number, step))
        average(mean, network, step, recipe.average)
        clock.step()
        if (step + 1) % every == 0 or step + 1 == recipe.steps:
            figures = lesson.figures(mean)
            if best.better(figures["valid"]):
                kept_best.load_state_dict(mean.state_dict())
            ahead = (0 if best.done else recipe.steps - step - 1) + (recipe.members - number - 1) * recipe.steps
            line = {
                "member": number,
                "step": step + 1,
                "minutes": round(clock.gone, 2),
                "left": round(clock.left(ahead), 2),
                "train": round(float(np.mean(losses[-every:])), 4),
                **{name: round(value, 4) for name, value in figures.items()},
            }
            if sample and clock.time_to_be_heard():
                path = folder / "samples" / f"member-{number}-step-{step + 1}.mid"
                sample(mean, path)
                line["sample"] = str(path)
            log(line)
            save(checkpoint, kept, {"optimizer": optimizer}, best, step + 1)
            if best.done:
                break
    write_weights(save_file, kept_best.state_dict(), done)
    checkpoint.unlink(missing_ok=True)
    return kept_best


def adam(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimizer of all recipes: AdamW."""
    return torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.98))


def update(
    lesson: Lesson[N], network: N, optimizer: torch.optim.Optimizer, recipe: Recipe, number: int, step: int
) -> float:
    """One step, whose chance is a function of (seed, member, step); the loss."""
    rng = np.random.default_rng((recipe.seed, number, step))
    torch.manual_seed(int(rng.integers(2**31)))
    for group in optimizer.param_groups:
        group["lr"] = recipe.rate * schedule(step, recipe.steps)
    loss = lesson.loss(network, rng)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())
