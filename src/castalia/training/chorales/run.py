"""`castalia train music` on a collection of chorales: it becomes a model that the studio runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from castalia.modalities.music.voices.fingerprint import sketch
from castalia.modalities.music.voices.grid import Frames
from castalia.modalities.music.voices.model import ChoraleModel
from castalia.training.budget import between, settled, timed
from castalia.training.card import described, unfinished
from castalia.training.chorales.batches import Pieces
from castalia.training.chorales.critic import CriticRecipe, add_critic
from castalia.training.chorales.export import export
from castalia.training.chorales.network import LARGE, TINY, Network
from castalia.training.chorales.recipe import Recipe, lesson, measure, train
from castalia.training.collections import Collection
from castalia.training.run_file import Asked, opened, versions_with
from castalia.training.samples import write_sample
from castalia.training.started import Log, learned_and_valid, telling

PRESETS: Mapping[str, Recipe] = {
    "tiny": Recipe(size=TINY, members=1, steps=40, batch=8, window=64),
    "small": Recipe(),
    "large": Recipe(size=LARGE, members=4, steps=1200),
    "shipped": Recipe(patience=0),
}
"""`shipped` made the model that comes along, to its last step; `small` is the same and keeps the best by validation."""
CRITICS: Mapping[str, CriticRecipe] = {
    "tiny": CriticRecipe(width=16, made=8, length=64, window=32, batch=8, steps=20, rounds=2),
}
"""Where it is not the usual one."""
APART = 80
"""Steps between measurements, at most."""


def use_threads(threads: int) -> None:
    """How many threads the networks use."""
    torch.set_num_threads(threads)


def train_chorales(
    collection: Collection[Frames],
    folder: Path,
    *,
    preset: str | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int | None = None,
    log: Log,
) -> Path:
    """Train a chorale model and export it.

    Args:
        collection: What is learned.
        folder: Holds the run file, checkpoints and samples, and the model at the end; a stopped run goes on from there.
        preset: A name of `PRESETS`; None takes the run's that is there, else `small`.
        steps: Most updates of each member; None takes the run's that is there, else the preset's.
        minutes: Of wall clock for the networks of all members together, in the place of steps.
        seed: Same seed, collection and machine: same model. None takes the run's that is there, else 0.
        log: Told the losses.

    Returns:
        The folder with the model, for the setting `music_model`.

    Raises:
        UsageError: the preset is unknown, both steps and minutes are given, the folder holds another run, or the
            collection has no piece in one part of its split.
    """
    versions = versions_with(torch.get_num_threads())
    run = opened(folder, Asked(preset, steps, minutes, seed), collection, PRESETS, versions)
    learned, valid = learned_and_valid(collection)
    pieces = Pieces.of(learned, valid)
    run = settled(run, folder, lambda: timed(lesson(pieces, run.recipe), run.recipe), versions, log=log, most=APART)
    recipe = run.recipe

    def sample(network: Network, path: Path) -> None:
        write_sample("chorale", lambda there: export([network], pieces, there, unfinished("chorale")), path)

    every = between(recipe.steps, APART)
    members = train(pieces, recipe, folder, log=telling(folder, log), every=every, sample=sample)
    together = float(measure(pieces, members).mean())
    card = {
        **described(run, collection, folder),
        "pieces": {"train": len(learned), "valid": len(valid)},
        "valid_nll": round(together, 4),
        "valid_nll_given_soprano": round(float(measure(pieces, members, soprano=True)[1:].mean()), 4),
        "trained_on": [sketch(piece) for piece in learned],
    }
    export(members, pieces, folder, card)
    log({"ensemble": len(members), "valid": card["valid_nll"], "valid_given_soprano": card["valid_nll_given_soprano"]})
    add_critic(ChoraleModel(folder), learned, valid, CRITICS.get(run.preset, CriticRecipe()), log=log)
    return folder
