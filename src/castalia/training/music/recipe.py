# pyright: basic
"""The chorale recipe: counts, then a few networks that weigh them, averaged; read from top to bottom."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from castalia.modalities.music.voices.grid import VOICES, Frames
from castalia.training.music.batches import Item, Pieces, collate
from castalia.training.music.network import SMALL, UNKNOWN, Network, Size
from castalia.training.optimiser import average, resume, save, schedule

Log = Callable[[Mapping[str, Any]], None]
"""Told a line of figures now and then."""


@dataclass(frozen=True)
class Recipe:
    """All that a run is a function of, beside the collection."""

    size: Size = SMALL
    members: int = 4
    """Networks whose chances are averaged; each starts elsewhere and sees other windows."""
    steps: int = 640
    """Updates of each member."""
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


def train(pieces: Pieces, recipe: Recipe, folder: Path, *, log: Log, every: int = 80) -> list[Network]:
    """Train all members; a run that was stopped goes on from its last checkpoint, bit for bit.

    Args:
        pieces: What is learned.
        recipe: How.
        folder: Holds checkpoints, `member-<n>.safetensors` when a member is done.
        log: Told the losses (nats a note) of training and validation.
        every: Steps between lines and checkpoints.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_member(pieces, recipe, number, folder, log, every) for number in range(recipe.members)]


def _member(pieces: Pieces, recipe: Recipe, number: int, folder: Path, log: Log, every: int) -> Network:
    done = folder / f"member-{number}.safetensors"
    mean = Network(recipe.size)
    if done.exists():
        mean.load_state_dict(load_file(done))
        return mean
    torch.manual_seed(recipe.seed * 1000 + number)
    network = Network(recipe.size)
    mean.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.98))
    kept = {"network": network, "mean": mean}
    begin = resume(checkpoint := folder / f"member-{number}.checkpoint", kept, optimizer)
    began, losses = time.monotonic(), list[float]()
    for step in range(begin, recipe.steps):
        draw = (recipe.seed, number, step)
        rng = np.random.default_rng(draw)
        torch.manual_seed(int(rng.integers(2**31)))
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * schedule(step, recipe.steps)
        batch = pieces.batch(rng, recipe.batch, recipe.window, free=recipe.free)
        loss = network(batch).sum() / _asked(batch).sum()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average(mean, network, step, recipe.average)
        losses.append(float(loss.detach()))
        if (step + 1) % every == 0 or step + 1 == recipe.steps:
            log(
                {
                    "member": number,
                    "step": step + 1,
                    "minutes": round((time.monotonic() - began) / 60, 2),
                    "train": round(float(np.mean(losses[-every:])), 4),
                    "valid": round(float(np.mean(measure(pieces, [mean]))), 4),
                    "valid_given_soprano": round(float(np.mean(measure(pieces, [mean], soprano=True)[1:])), 4),
                }
            )
            save(checkpoint, kept, optimizer, step + 1)
    save_file(mean.state_dict(), done)
    checkpoint.unlink(missing_ok=True)
    return mean


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


def described(recipe: Recipe) -> str:
    """The recipe as one line of JSON."""
    return json.dumps(asdict(recipe), sort_keys=True)
