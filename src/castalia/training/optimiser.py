# pyright: basic
"""What every recipe does between its steps: the learning rate, the running mean, and a checkpoint to go on from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from castalia.training.best import Best
from castalia.training.weights import write_weights

WARMING = 50
"""Steps over which the learning rate rises."""


def schedule(step: int, steps: int) -> float:
    """Share of the highest learning rate: up over `WARMING` steps, down along a cosine to 2 %."""
    return min(1.0, (step + 1) / WARMING) * (0.49 * (1 + math.cos(math.pi * step / steps)) + 0.02)


def average(mean: nn.Module, network: nn.Module, step: int, keep: float) -> None:
    """Take a step's weights into the running mean, which begins as the plain mean."""
    share = min(keep, step / (step + 10))
    with torch.no_grad():
        for kept, new in zip(mean.parameters(), network.parameters(), strict=True):
            kept.lerp_(new, 1 - share)


def save(
    path: Path,
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    best: Best,
    step: int,
) -> None:
    """Everything that the next step depends on, in one file, written whole or not at all.

    Args:
        path: Of the file.
        networks: By names that no optimizer has.
        optimizers: By name.
        best: How far it has come.
        step: To go on with.
    """
    held: dict[str, Tensor] = {
        "step": torch.tensor(step),
        "least": torch.tensor(best.least, dtype=torch.float64),
        "stale": torch.tensor(best.stale),
    }
    for name, each in networks.items():
        held |= {f"{name}.{key}": value.contiguous() for key, value in each.state_dict().items()}
    for name, each in optimizers.items():
        for number, moments in each.state_dict()["state"].items():
            held |= {f"{name}.{number}.{key}": value for key, value in moments.items()}
    write_weights(save_file, held, path)


def resume(
    path: Path, networks: Mapping[str, nn.Module], optimizers: Mapping[str, torch.optim.Optimizer], best: Best
) -> int:
    """Put back what `save` kept; the step to go on with, 0 where nothing was kept."""
    if not path.exists():
        return 0
    held = load_file(path)
    for name, each in networks.items():
        prefix = f"{name}."
        each.load_state_dict({key.removeprefix(prefix): held[key] for key in held if key.startswith(prefix)})
    for name, each in optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for key in held:
            if key.startswith(f"{name}."):
                _, number, moment = key.split(".")
                state.setdefault(int(number), {})[moment] = held[key]
        each.load_state_dict({"state": state, "param_groups": each.state_dict()["param_groups"]})
    best.least, best.stale = float(held["least"]), int(held["stale"])
    return int(held["step"])
