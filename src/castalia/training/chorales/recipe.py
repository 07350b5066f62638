# pyright: basic
"""The chorale recipe: counts, then a few networks that weigh them, averaged; read from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from castalia.modalities.music.voices.grid import VOICES, Frames
from castalia.training.chorales.batches import Item, Pieces, collate
from castalia.training.chorales.network import SMALL, UNKNOWN, Network, Size
from castalia.training.clock import Clock
from castalia.training.member import Lesson, Sample, train_members
from castalia.training.started import Log, minutes


@dataclass(frozen=True)
class Recipe:
    """All that a run is a function of, beside the collection."""

    size: Size = SMALL
    members: int = 4
    """Networks whose chances are averaged; each starts elsewhere and sees other windows."""
    steps: int = 640
    """Most updates of each member."""
    patience: int = 4
    """Measurements in a row without a better one after which a member stops; 0 goes on and keeps the last."""
    batch: int = 24
    """Windows a step."""
    window: int = 160
    """Frames of a window."""
    free: float = 0.6
    """Share of windows of which no note is given."""
    rate: float = 2e-3
    """Highest learning rate; rises over 50 steps, falls along a cosine to 2 % of it."""
    decay: float = 0.1
    """Weight decay (AdamW)."""
    average: float = 0.995
    """The weights that are kept are a running mean, with this much of the past at each step."""
    seed: int = 0


def train(
    pieces: Pieces, recipe: Recipe, folder: Path, *, log: Log, every: int = 80, sample: Sample | None = None
) -> list[Network]:
    """Train all members; see `train_members`.

    Args:
        pieces: What is learned.
        recipe: How.
        folder: Holds checkpoints, and members when they are done.
        log: Told the losses (nats a note) of training and validation.
        every: Steps between lines and checkpoints.
        sample: Writes a sample now and then.
    """
    clock = Clock(minutes(folder / "log.jsonl"))
    return train_members(lesson(pieces, recipe), recipe, folder, clock=clock, log=log, every=every, sample=sample)


def lesson(pieces: Pieces, recipe: Recipe) -> Lesson[Network]:
    """What a member learns: windows of the pieces, of which some notes are given."""

    def loss(network: Network, rng: np.random.Generator) -> Tensor:
        batch = pieces.batch(rng, recipe.batch, recipe.window, free=recipe.free)
        return network(batch).sum() / _asked(batch).sum()

    def figures(mean: Network) -> Mapping[str, float]:
        return {
            "valid": float(np.mean(measure(pieces, [mean]))),
            "valid_given_soprano": float(np.mean(measure(pieces, [mean], soprano=True)[1:])),
        }

    return Lesson(lambda: Network(recipe.size), loss, figures)


def measure(pieces: Pieces, members: Sequence[Network], *, soprano: bool = False) -> np.ndarray:
    """Loss on the validation pieces by voice (voices,), nats a note; with the soprano given, or with nothing given.

    Of several members the chances are averaged.
    """
    total, notes = np.zeros(VOICES), 0
    order = sorted(range(pieces.train, len(pieces.frames)), key=lambda piece: len(pieces.frames[piece]))
    for member in members:
        member.eval()
    with torch.no_grad():
        for first in range(0, len(order), 10):
            items = [_whole(pieces.frames, pieces, piece, soprano=soprano) for piece in order[first : first + 10]]
            batch = collate(items)
            chance = torch.stack([torch.exp(-member(batch)) for member in members]).mean(0)
            total += (-torch.log(chance) * _asked(batch)).sum((0, 1)).numpy()
            notes += sum(len(item["target"]) for item in items)
    for member in members:
        member.train()
    return total / notes


def _whole(frames: Sequence[Frames], pieces: Pieces, piece: int, *, soprano: bool) -> Item:
    given = np.zeros((len(frames[piece]), VOICES), bool)
    given[:, 0] = soprano
    return pieces.item(piece, 0, len(given), given)


def _asked(batch: Mapping[str, Tensor]) -> Tensor:
    return (batch["target"] >= 0) & (batch["given"] == UNKNOWN)
