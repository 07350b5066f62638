# pyright: basic
"""A stage of a run with several networks and optimizers: its steps and a checkpoint, so that it resumes bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from castalia.training.best import Best
from castalia.training.clock import Clock
from castalia.training.started import Log
from castalia.training.weights import write_weights

Figures = Mapping[str, float]
_BEST = "best:"
"""How the names of weights begin in a checkpoint that are the best so far."""


@dataclass(frozen=True)
class Watch:
    """Figures that take long, and stopping by them.

    Attributes:
        figures: Of the networks as they are now; the first is the one that should fall.
        lines: Lines of the log from one time to the next; the last step is watched, too.
        patience: See `Best`: the networks that had the smallest first figure are the stage's result.
    """

    figures: Callable[[], Figures]
    lines: int
    patience: int


@dataclass(frozen=True)
class Stage:
    """What is trained, and how.

    Attributes:
        name: Of the stage; its files are `<name>.checkpoint` while it runs and `<name>.safetensors` when it is done.
        networks: All that holds weights, running means too, by name.
        optimizers: By name.
        step: One update, told its number and a generator whose state is a function of (seed, stage, step).
        measure: Figures to log beside those of the steps.
        sample: Draws what the networks make now into a file of that path; nothing of the run changes by it.
        watch: What it may be stopped by.
    """

    name: str
    networks: Mapping[str, nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]
    step: Callable[[int, np.random.Generator], Figures]
    measure: Callable[[], Figures] = dict
    sample: Callable[[Path], None] | None = None
    watch: Watch | None = None


def run_stage(stage: Stage, *, steps: int, seed: int, folder: Path, clock: Clock, log: Log, every: int) -> None:
    """Take the stage's steps, from its last checkpoint on; the networks hold the result.

    Args:
        stage: See `Stage`.
        steps: How many in all.
        seed: Of the run.
        folder: Of the run.
        clock: Counts the minutes.
        log: Told the means of the figures since the last line.
        every: Steps between lines and checkpoints.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done, checkpoint = (folder / f"{stage.name}.{end}" for end in ("safetensors", "checkpoint"))
    if done.exists():
        _put_back(stage, load_file(done))
        return
    began, watch = 0, stage.watch
    best, kept = Best(watch.patience if watch else 0), dict[str, Tensor]()
    if checkpoint.exists():
        held = load_file(checkpoint)
        began = int(held["step"])
        _put_back(stage, held)
        if best.patience:
            best.least, best.stale = float(held["least"]), int(held["stale"])
            kept = {key.removeprefix(_BEST): held[key] for key in held if key.startswith(_BEST)}
    told: list[Figures] = []
    salt = sum(stage.name.encode())
    for step in range(began, 0 if best.done else steps):
        rng = np.random.default_rng((seed, salt, step))
        torch.manual_seed(int(rng.integers(2**31)))
        told.append(stage.step(step, rng))
        clock.step()
        if (step + 1) % every and step + 1 < steps:
            continue
        figures = {name: float(np.mean([each[name] for each in told if name in each])) for name in told[-1]}
        line = {"stage": stage.name, "step": step + 1, "minutes": round(clock.gone, 2)}
        line |= {"left": round(clock.left(steps - step - 1), 2)}
        line |= {name: float(f"{value:.4g}") for name, value in {**figures, **stage.measure()}.items()}
        if watch and ((step + 1) % (every * watch.lines) == 0 or step + 1 == steps):
            seen = watch.figures()
            line |= {name: float(f"{value:.4g}") for name, value in seen.items()}
            if best.better(next(iter(seen.values()))) and best.patience:
                kept = {key: value.clone() for key, value in _weights(stage).items()} | {"step": torch.tensor(step + 1)}
        if stage.sample and clock.time_to_be_heard():
            path = folder / "samples" / f"{stage.name}-{step + 1:06}.png"
            path.parent.mkdir(exist_ok=True)
            stage.sample(path)
            line["sample"] = str(path)
        log(line)
        told.clear()
        now = {"step": torch.tensor(step + 1)}
        if best.patience:
            now |= {"least": torch.tensor(best.least, dtype=torch.float64), "stale": torch.tensor(best.stale)}
        whole = _held(stage) | now | {_BEST + key: value for key, value in kept.items()}
        write_weights(save_file, whole, checkpoint)
        if best.done:
            break
    if kept:
        _put_back(stage, kept)
        log({"stage": stage.name, "step": int(kept["step"]), "minutes": round(clock.gone, 2), "kept": best.least})
    write_weights(save_file, _weights(stage), done)
    checkpoint.unlink(missing_ok=True)


def _weights(stage: Stage) -> dict[str, Tensor]:
    return {
        f"{name}/{key}": value.contiguous()
        for name, each in stage.networks.items()
        for key, value in each.state_dict().items()
    }


def _held(stage: Stage) -> dict[str, Tensor]:
    held = _weights(stage)
    for name, optimizer in stage.optimizers.items():
        for number, moments in optimizer.state_dict()["state"].items():
            held |= {f"{name}!{number}!{key}": value.contiguous() for key, value in moments.items()}
    return held


def _put_back(stage: Stage, held: Mapping[str, Tensor]) -> None:
    for name, each in stage.networks.items():
        prefix = f"{name}/"
        each.load_state_dict({key.removeprefix(prefix): held[key] for key in held if key.startswith(prefix)})
    for name, optimizer in stage.optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in held.items():
            if key.startswith(f"{name}!"):
                _, number, moment = key.split("!")
                state.setdefault(int(number), {})[moment] = value
        if state:
            optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
