# pyright: basic
"""The recipe of the experiment: a generator against the adversary; read from top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from castalia.training.adversary import PAIRED, SEPARATE, Adversary, Settling
from castalia.training.best import Best
from castalia.training.optimiser import average, resume, save
from castalia.training.stacked_mnist.augment import differentiable
from castalia.training.stacked_mnist.digits import Stacks
from castalia.training.stacked_mnist.network import SMALL, Discriminator, Generator, Size, normalised
from castalia.training.started import Log

SETTLED = 12_000
"""Steps after which settings stay as they are."""
_NORMALISED = 5000
"""Pictures over which a running mean of weights finds its normalisation."""


@dataclass(frozen=True)
class Recipe:
    """All that a run is a function of, beside the digits."""

    size: Size = SMALL
    batch: int = 64
    """Pictures a step, of either kind."""
    rate: Settling = field(default=Settling(5e-4, 1e-4, SETTLED))
    """Learning rate of both sides."""
    decay: Settling = field(default=Settling(0.9, 0.99, SETTLED))
    """β₂ of Adam."""
    penalty: Settling = field(default=Settling(0.1, 0.01, SETTLED))
    """γ; see `Adversary`."""
    average: float = 0.999
    """The weights that pictures are made with are a running mean, with this much of the past at each step."""
    paired: bool = True
    """Whether scores are compared in pairs, or each judged alone."""
    both: bool = True
    """Whether made pictures are penalised too."""
    augment: bool = False
    seed: int = 0


class Training:
    """A run that can be stopped between any two steps and goes on bit for bit.

    Args:
        stacks: What is learned.
        recipe: How.
        checkpoint: Holds all that the next step depends on; gone on from where it is there.

    Attributes:
        recipe: As given.
        step: Updates so far.
        generator: As the last step left it.
        discriminator: Likewise.
        mean: The generator with the running mean of its weights.
    """

    def __init__(self, stacks: Stacks, recipe: Recipe, checkpoint: Path) -> None:
        self._stacks, self.recipe, self._checkpoint = stacks, recipe, checkpoint
        torch.manual_seed(recipe.seed)
        self.generator, self.mean = Generator(recipe.size), Generator(recipe.size)
        self.discriminator = Discriminator(recipe.size)
        self.mean.load_state_dict(self.generator.state_dict())
        first = {"rate": recipe.rate.first, "penalty": recipe.penalty.first, "decay": recipe.decay.first}
        game = PAIRED if recipe.paired else SEPARATE
        self._adversary = Adversary(self.discriminator, **first, game=game, both=recipe.both)
        self._optimizer = torch.optim.Adam(self.generator.parameters(), lr=first["rate"], betas=(0.0, first["decay"]))
        self._networks = {"generator": self.generator, "mean": self.mean, "discriminator": self.discriminator}
        self._optimizers = {"makes": self._optimizer, "judges": self._adversary.optimizer}
        self.step = resume(checkpoint, self._networks, self._optimizers, Best(0))

    def save(self) -> None:
        """Keep all that the next step depends on."""
        save(self._checkpoint, self._networks, self._optimizers, Best(0), self.step)

    def update(self) -> dict[str, float]:
        """One step of both sides, whose chance is a function of (seed, step); its figures."""
        recipe, step = self.recipe, self.step
        rng = np.random.default_rng((recipe.seed, step))
        torch.manual_seed(int(rng.integers(2**31)))
        rate, decay = recipe.rate.at(step), recipe.decay.at(step)
        self._adversary.adjust(rate=rate, penalty=recipe.penalty.at(step), decay=decay)
        for group in self._optimizer.param_groups:
            group["lr"], group["betas"] = rate, (0.0, decay)
        augment = {"augment": differentiable} if recipe.augment else {}
        with torch.no_grad():
            made = self.generator(self._noise())
        told = self._adversary.learn(self._stacks.draw(rng, recipe.batch), made, **augment)
        made = self.generator(self._noise())
        loss = self._adversary.loss(made, self._stacks.draw(rng, recipe.batch), **augment)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        average(self.mean, self.generator, step, recipe.average)
        self.step += 1
        return {**told, "generator": float(loss.detach())}

    def _noise(self) -> Tensor:
        return torch.randn(self.recipe.batch, self.recipe.size.noise)


def train(
    training: Training,
    *,
    steps: float = math.inf,
    minutes: float = math.inf,
    processor_minutes: float = math.inf,
    log: Log,
    every: int = 50,
) -> None:
    """Take steps until one of the limits is met; a checkpoint is kept with each line, of which the last is at the end.

    Args:
        training: At any step.
        steps: To stop at, counted from the beginning of the run.
        minutes: Of wall clock, of this piece.
        processor_minutes: Of the processor, of this piece.
        log: Told the figures' means since the line before, and the seconds of the processor since then.
        every: Steps between lines.
    """
    began, spent = time.monotonic(), time.process_time()
    lines: list[Mapping[str, float]] = []
    since = spent

    def keep() -> None:
        nonlocal since
        training.save()
        means = {name: round(float(np.mean([line[name] for line in lines])), 4) for name in lines[-1]}
        log({"step": training.step, **means, "processor_seconds": round(time.process_time() - since, 1)})
        lines.clear()
        since = time.process_time()

    while (
        training.step < steps
        and time.monotonic() - began < minutes * 60
        and time.process_time() - spent < processor_minutes * 60
    ):
        lines.append(training.update())
        if len(lines) == every:
            keep()
    if lines:
        keep()


@torch.no_grad()
def pictures_of(generator: Generator, size: Size, count: int, *, seed: int, at_once: int = 500) -> Tensor:
    """Pictures (count, 3, 32, 32) of noise drawn with a seed; normalised over other noise."""
    drawn = torch.Generator().manual_seed(seed)
    normalised(generator, torch.randn(_NORMALISED, size.noise, generator=drawn))
    noise = torch.randn(count, size.noise, generator=drawn)
    return torch.cat([generator(each) for each in noise.split(at_once)])
