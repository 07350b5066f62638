# pyright: basic
"""The recipe of tunes: counts, then a few networks that weigh them, averaged; read from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from castalia.training.clock import Clock
from castalia.training.member import Lesson, Sample, train_members
from castalia.training.started import Log, minutes
from castalia.training.tunes.batches import Tunes, collate
from castalia.training.tunes.network import SMALL, Network, Size


@dataclass(frozen=True)
class Recipe:
    """All that a run is a function of, beside the collection."""

    size: Size = SMALL
    members: int = 2
    """Networks whose chances are averaged; each starts elsewhere and sees other stretches."""
    steps: int = 1200
    """Most updates of each member."""
    patience: int = 4
    """Measurements in a row without a better one after which a member stops."""
    batch: int = 32
    """Stretches a step."""
    window: int = 96
    """Notes of a stretch."""
    free: float = 0.6
    """Share of stretches of which no note is given."""
    rate: float = 2e-3
    """Highest learning rate."""
    decay: float = 0.1
    """Weight decay (AdamW)."""
    average: float = 0.995
    """The weights that are kept are a running mean, with this much of the past at each step."""
    seed: int = 0


def train(
    tunes: Tunes, recipe: Recipe, folder: Path, *, log: Log, every: int = 100, sample: Sample | None = None
) -> list[Network]:
    """Train all members; see `train_members`.

    Args:
        tunes: What is learned.
        recipe: How.
        folder: Holds checkpoints, and members when they are done.
        log: Told the losses (nats a note) of training and validation.
        every: Steps between lines and checkpoints.
        sample: Writes a sample now and then.
    """
    clock = Clock(minutes(folder / "log.jsonl"))
    return train_members(lesson(tunes, recipe), recipe, folder, clock=clock, log=log, every=every, sample=sample)


def lesson(tunes: Tunes, recipe: Recipe) -> Lesson[Network]:
    """What a member learns: stretches of the tunes, of which some notes are given."""

    def loss(network: Network, rng: np.random.Generator) -> Tensor:
        batch = tunes.batch(rng, recipe.batch, recipe.window, free=recipe.free)
        return network(batch).sum() / (batch["length"] >= 0).sum()

    def figures(mean: Network) -> Mapping[str, float]:
        valid, given = measure(tunes, [mean]), measure(tunes, [mean], rhythm=True)
        return {
            "valid": float(valid.sum()),
            "valid_length": float(valid[0]),
            "valid_pitch": float(valid[1]),
            "valid_pitch_given_rhythm": float(given[1]),
        }

    return Lesson(lambda: Network(recipe.size), loss, figures)


def measure(tunes: Tunes, members: Sequence[Network], *, rhythm: bool = False) -> np.ndarray:
    """Loss on the validation tunes, nats a note: of lengths, of pitches (2,); with the rhythm given, or nothing given.

    Of several members the chances are averaged.
    """
    total, notes = np.zeros(2), 0
    order = sorted(range(tunes.train, len(tunes.tunes)), key=lambda tune: len(tunes.tunes[tune].notes))
    for member in members:
        member.eval()
    with torch.no_grad():
        for first in range(0, len(order), 32):
            whole = [(tune, len(tunes.tunes[tune].notes)) for tune in order[first : first + 32]]
            batch = collate([tunes.item(tune, 0, size, np.full(size, int(rhythm))) for tune, size in whole])
            asked = batch["asked"] * (batch["length"] >= 0)[..., None]
            chance = torch.stack([torch.exp(-member(batch)) for member in members]).mean(0)
            total += (-torch.log(chance) * asked).sum((0, 1)).numpy()
            notes += sum(size for _, size in whole)
    for member in members:
        member.train()
    return total / notes
