"""`castalia train music`: a collection becomes a model that the studio runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import torch

from castalia.core.seeds import SEED_LIMIT
from castalia.modalities.music.voices.fingerprint import sketch
from castalia.modalities.music.voices.grid import Frames
from castalia.modalities.music.voices.model import ChoraleModel
from castalia.training.collections import Collection
from castalia.training.music.batches import Pieces
from castalia.training.music.critic import CriticRecipe, add_critic
from castalia.training.music.export import export
from castalia.training.music.network import LARGE, TINY
from castalia.training.music.recipe import Log, Recipe, measure, train
from castalia.training.started import learned_and_valid, minutes, preset_of, telling

PRESETS: Mapping[str, Recipe] = {
    "tiny": Recipe(size=TINY, members=1, steps=40, batch=8, window=64),
    "small": Recipe(),
    "large": Recipe(size=LARGE, members=4, steps=1200),
}
CRITICS: Mapping[str, CriticRecipe] = {
    "tiny": CriticRecipe(width=16, made=8, length=64, window=32, batch=8, steps=20, rounds=2),
}
"""Where it is not the usual one."""


def use_threads(threads: int) -> None:
    """How many threads the networks use."""
    torch.set_num_threads(threads)


def train_music(
    collection: Collection[Frames],
    folder: Path,
    *,
    preset: str = "small",
    steps: int | None = None,
    seed: int = 0,
    log: Log,
) -> Path:
    """Train a chorale model and export it.

    Args:
        collection: What is learned.
        folder: Holds checkpoints while it runs, and the model at the end; a stopped run goes on from there.
        preset: A name of `PRESETS`.
        steps: Updates of each member; None takes the preset's.
        seed: Same seed, collection and machine: same model.
        log: Told the losses.

    Returns:
        The folder with the model, for the setting `music_model`.

    Raises:
        UsageError: the preset is unknown, or the collection has no piece in one part of its split.
    """
    recipe = replace(preset_of(PRESETS, preset), seed=seed % SEED_LIMIT, **({"steps": steps} if steps else {}))
    learned, valid = learned_and_valid(collection)
    pieces = Pieces.of(learned, valid)
    folder.mkdir(parents=True, exist_ok=True)
    members = train(pieces, recipe, folder, log=telling(folder, log), every=max(1, min(80, recipe.steps // 4)))
    together = float(measure(pieces, members).mean())
    card = {
        "name": f"chorale-{preset}",
        "kind": "chorale",
        "collection": {key: value for key, value in collection.card.items() if key != "dropped"},
        "recipe": asdict(recipe),
        "pieces": {"train": len(learned), "valid": len(valid)},
        "valid_nll": round(together, 4),
        "valid_nll_given_soprano": round(float(measure(pieces, members, soprano=True)[1:].mean()), 4),
        "minutes": round(minutes(folder / "log.jsonl"), 1),
        "trained_on": [sketch(piece) for piece in learned],
    }
    export(members, pieces, folder, card)
    log({"ensemble": len(members), "valid": card["valid_nll"], "valid_given_soprano": card["valid_nll_given_soprano"]})
    add_critic(ChoraleModel(folder), learned, valid, CRITICS.get(preset, CriticRecipe()), log=log)
    return folder
