# pyright: basic
"""The recipe of tunes: counts, then a few networks that weigh them, averaged; read from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from castalia.training.optimiser import average, resume, save, schedule
from castalia.training.tunes.batches import Tunes, collate
from castalia.training.tunes.network import SMALL, Network, Size

Log = Callable[[Mapping[str, Any]], None]
"""Told a line of figures now and then."""


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


def train(tunes: Tunes, recipe: Recipe, folder: Path, *, log: Log, every: int = 100) -> list[Network]:
    """Train all members; a run that was stopped goes on from its last checkpoint, bit for bit.

    Args:
        tunes: What is learned.
        recipe: How.
        folder: Holds checkpoints, `member-<n>.safetensors` when a member is done: its best by validation.
        log: Told the losses (nats a note) of training and validation.
        every: Steps between lines and checkpoints.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_member(tunes, recipe, number, folder, log, every) for number in range(recipe.members)]


def _member(tunes: Tunes, recipe: Recipe, number: int, folder: Path, log: Log, every: int) -> Network:
    done = folder / f"member-{number}.safetensors"
    best = Network(recipe.size)
    if done.exists():
        best.load_state_dict(load_file(done))
        return best
    torch.manual_seed(recipe.seed * 1000 + number)
    network, mean = Network(recipe.size), Network(recipe.size)
    mean.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.98))
    kept: dict[str, nn.Module] = {"network": network, "mean": mean, "best": best}
    begin = resume(checkpoint := folder / f"member-{number}.checkpoint", kept, optimizer)
    least, stale = (float(measure(tunes, [best]).sum()), 0) if begin else (float("inf"), 0)
    began, losses = time.monotonic(), list[float]()
    for step in range(begin, recipe.steps):
        draw = (recipe.seed, number, step)
        rng = np.random.default_rng(draw)
        torch.manual_seed(int(rng.integers(2**31)))
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * schedule(step, recipe.steps)
        batch = tunes.batch(rng, recipe.batch, recipe.window, free=recipe.free)
        loss = network(batch).sum() / (batch["length"] >= 0).sum()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average(mean, network, step, recipe.average)
        losses.append(float(loss.detach()))
        if (step + 1) % every == 0 or step + 1 == recipe.steps:
            valid, given = measure(tunes, [mean]), measure(tunes, [mean], rhythm=True)
            log(
                {
                    "member": number,
                    "step": step + 1,
                    "minutes": round((time.monotonic() - began) / 60, 2),
                    "train": round(float(np.mean(losses[-every:])), 4),
                    "valid": round(float(valid.sum()), 4),
                    "valid_length": round(float(valid[0]), 4),
                    "valid_pitch": round(float(valid[1]), 4),
                    "valid_pitch_given_rhythm": round(float(given[1]), 4),
                }
            )
            stale += 1
            if valid.sum() < least:
                least, stale = float(valid.sum()), 0
                best.load_state_dict(mean.state_dict())
            save(checkpoint, kept, optimizer, step + 1)
            if stale == recipe.patience:
                break
    save_file(best.state_dict(), done)
    checkpoint.unlink(missing_ok=True)
    return best


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
