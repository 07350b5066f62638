"""`castalia train music` on a collection of tunes: it becomes a model that the studio runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from castalia.core.seeds import SEED_LIMIT
from castalia.modalities.music.tunes.fingerprint import sketch
from castalia.modalities.music.tunes.tune import KINDS, Tune
from castalia.training.collections import Collection
from castalia.training.started import learned_and_valid, minutes, preset_of, telling
from castalia.training.tunes.batches import Tunes
from castalia.training.tunes.export import export
from castalia.training.tunes.network import LARGE, TINY
from castalia.training.tunes.recipe import Log, Recipe, measure, train

PRESETS: Mapping[str, Recipe] = {
    "tiny": Recipe(size=TINY, members=1, steps=40, batch=8, window=64),
    "small": Recipe(),
    "large": Recipe(size=LARGE, members=4, steps=2400),
}


def train_tunes(
    collection: Collection[Tune],
    folder: Path,
    *,
    preset: str = "small",
    steps: int | None = None,
    seed: int = 0,
    log: Log,
) -> Path:
    """Train a tune model and export it; the collection's test part is not looked at.

    Args:
        collection: What is learned.
        folder: Holds checkpoints while it runs, and the model at the end; a stopped run goes on from there.
        preset: A name of `PRESETS`.
        steps: Most updates of each member; None takes the preset's.
        seed: Same seed, collection and machine: same model.
        log: Told the losses.

    Returns:
        The folder with the model, for the setting `music_model`.

    Raises:
        UsageError: the preset is unknown, or the collection has no tune in one part of its split.
    """
    chosen = preset_of(PRESETS, preset)
    recipe = replace(chosen, seed=seed % SEED_LIMIT, **({"steps": steps} if steps else {}))
    learned, valid = learned_and_valid(collection)
    tunes = Tunes.of(learned, valid)
    folder.mkdir(parents=True, exist_ok=True)
    members = train(tunes, recipe, folder, log=telling(folder, log), every=max(1, min(100, recipe.steps // 4)))
    length, pitch = (float(each) for each in measure(tunes, members))
    kinds = Counter(KINDS[tune.setting.kind] for tune in learned)
    notes = [len(tune.notes) for tune in learned]
    card: dict[str, Any] = {
        "name": f"tune-{preset}",
        "kind": "tune",
        "collection": {key: value for key, value in collection.card.items() if key != "dropped"},
        "recipe": asdict(recipe),
        "pieces": {"train": len(learned), "valid": len(valid), "notes": sum(notes)},
        "kinds": dict(kinds.most_common()),
        "valid_nll": round(length + pitch, 4),
        "valid_nll_length": round(length, 4),
        "valid_nll_pitch": round(pitch, 4),
        "minutes": round(minutes(folder / "log.jsonl"), 1),
        "trained_on": [sketch(tune) for tune in learned],
    }
    export(members, tunes, folder, card)
    log({"ensemble": len(members), "valid": card["valid_nll"]})
    return folder
