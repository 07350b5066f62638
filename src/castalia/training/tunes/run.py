"""`castalia train music` on a collection of tunes: it becomes a model that the studio runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from castalia.modalities.music.tunes.fingerprint import sketch
from castalia.modalities.music.tunes.tune import KINDS, Tune
from castalia.training.budget import between, settled, timed
from castalia.training.card import described, unfinished
from castalia.training.collections import Collection
from castalia.training.run_file import Asked, opened, versions_with
from castalia.training.samples import write_sample
from castalia.training.started import Log, learned_and_valid, telling
from castalia.training.tunes.batches import Tunes
from castalia.training.tunes.export import export
from castalia.training.tunes.network import LARGE, TINY, Network
from castalia.training.tunes.recipe import Recipe, lesson, measure, train

PRESETS: Mapping[str, Recipe] = {
    "tiny": Recipe(size=TINY, members=1, steps=40, batch=8, window=64),
    "small": Recipe(),
    "large": Recipe(size=LARGE, members=4, steps=2400),
}
APART = 100
"""Steps between measurements, at most."""


def train_tunes(
    collection: Collection[Tune],
    folder: Path,
    *,
    preset: str | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int | None = None,
    log: Log,
) -> Path:
    """Train a tune model and export it; the collection's test part is not looked at.

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
            collection has no tune in one part of its split.
    """
    versions = versions_with(torch.get_num_threads())
    run = opened(folder, Asked(preset, steps, minutes, seed), collection, PRESETS, versions)
    learned, valid = learned_and_valid(collection)
    tunes = Tunes.of(learned, valid)
    run = settled(run, folder, lambda: timed(lesson(tunes, run.recipe), run.recipe), versions, log=log, most=APART)
    recipe = run.recipe
    kinds = dict(Counter(KINDS[tune.setting.kind] for tune in learned).most_common())

    def sample(network: Network, path: Path) -> None:
        card = unfinished("tune", kinds=kinds, valid_nll=float(measure(tunes, [network]).sum()))
        write_sample("tune", lambda there: export([network], tunes, there, card), path)

    every = between(recipe.steps, APART)
    members = train(tunes, recipe, folder, log=telling(folder, log), every=every, sample=sample)
    length, pitch = (float(each) for each in measure(tunes, members))
    card: dict[str, Any] = {
        **described(run, collection, folder),
        "pieces": {"train": len(learned), "valid": len(valid), "notes": sum(len(tune.notes) for tune in learned)},
        "kinds": kinds,
        "valid_nll": round(length + pitch, 4),
        "valid_nll_length": round(length, 4),
        "valid_nll_pitch": round(pitch, 4),
        "trained_on": [sketch(tune) for tune in learned],
    }
    export(members, tunes, folder, card)
    log({"ensemble": len(members), "valid": card["valid_nll"]})
    return folder
