# pyright: basic
"""`castalia train image`: a collection of captioned pictures becomes a model that the studio draws with."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.modalities.image.draw.model import DrawingModel
from castalia.training import started
from castalia.training.budget import Timed, between, settled
from castalia.training.card import described
from castalia.training.clock import Clock
from castalia.training.collections import Collection
from castalia.training.collections.pictures import Captioned
from castalia.training.images import autoencode, generate, sharpen
from castalia.training.images.directions import find_directions
from castalia.training.images.export import add_to_card, export
from castalia.training.images.material import Material
from castalia.training.images.network import LARGE, TINY
from castalia.training.images.recipe import PARTS, Recipe
from castalia.training.run_file import Asked, opened, versions_with
from castalia.training.stages import Stage, run_stage
from castalia.training.started import Log, learned_and_valid, telling

PRESETS: Mapping[str, Recipe] = {
    "tiny": Recipe(size=TINY, steps=60, autoencoder_batch=4, generator_batch=8, decoder_batch=4),
    "small": Recipe(),
    # For a day of a processor, or many thousand pictures: wider and deeper, and stopped when it gets no better.
    "large": Recipe(
        size=LARGE,
        steps=60_000,
        autoencoder_batch=16,
        generator_batch=48,
        decoder_batch=16,
        autoencoder_features=0.2,
        decoder_features=0.2,
        augment=0.6,
        looks=5,
        patience=8,
    ),
}
APART = 100
"""Steps between lines and checkpoints, at most."""
_TIMED = 64
"""Pictures that steps are timed with."""


def train_images(
    collection: Collection[Captioned], folder: Path, *,
    preset: str | None = None, steps: int | None = None, minutes: float | None = None, seed: int | None = None,
    changes: Mapping[str, str] = {}, log: Log,
) -> Path:  # fmt: skip
    """Train a picture model and export it.

    Args:
        collection: What is learned.
        folder: Holds the run file, checkpoints and samples, and the model at the end; a stopped run goes on from there.
        preset: A name of `PRESETS`; None takes the run's that is there, else `small`.
        steps: Updates of all stages together; None takes the run's that is there, else the preset's.
        minutes: Of wall clock for all stages together, in the place of steps.
        seed: Same seed, collection and machine: same model. None takes the run's that is there, else 0.
        changes: Values of other fields of `Recipe`, as typed, by name.
        log: Told the losses.

    Returns:
        The folder with the model, for the setting `image_model`.

    Raises:
        UsageError: the preset is unknown, both steps and minutes are given, a change is none, the folder holds another
            run, or the collection has no picture in one part of its split.
        MissingError: the recipe looks at features, and their network was not fetched.
    """
    versions = versions_with(torch.get_num_threads())
    run = opened(folder, Asked(preset, steps, minutes, seed, changes), collection, PRESETS, versions)
    if run.recipe.patience and not run.recipe.looks:
        raise UsageError(
            say(
                "patience is {n}, but looks is 0: nothing is measured that a stage could stop by.",
                "patience 为 {n}，但 looks 为 0：没有可据以停止的测量。",
                n=run.recipe.patience,
            ),
            hint="--set looks=5",
        )
    learned_and_valid(collection)
    run = settled(run, folder, lambda: _timed(collection, run.recipe), versions, log=log, most=APART)
    recipe, told = run.recipe, telling(folder, log)
    clock, material = Clock(started.minutes(folder / "log.jsonl")), Material.of(collection, recipe.size.side)
    work = Work(material, recipe)
    for name, stage in work.stages():
        steps_ = recipe.of(name)
        every = between(steps_, APART)
        run_stage(stage, steps=steps_, seed=recipe.seed, folder=folder, clock=clock, log=told, every=every)
    export(
        work.networks(), work.latents, material, folder, {**described(run, collection, folder), **work.card()},
        bits=recipe.bits,
    )  # fmt: skip
    add_directions(folder, log=log)
    return folder


def add_directions(folder: Path, *, log: Log = lambda _: None) -> DrawingModel:
    """Find directions in an exported model and write them into its card, in the place of those that are there.

    It takes a minute or two, in which `log` is told how many pictures were drawn for it.

    Raises:
        MissingError: the folder holds no model.
    """
    add_to_card(folder, {"directions": find_directions(DrawingModel(folder), log=log)})
    return DrawingModel(folder)


class Work:
    """A collection and what its stages make, one after the other."""

    def __init__(self, material: Material, recipe: Recipe) -> None:
        self.material, self.recipe = material, recipe

    def stages(self) -> Iterator[tuple[str, Stage]]:
        """Each stage; what comes after it needs its steps taken."""
        material, recipe = self.material, self.recipe
        torch.manual_seed(recipe.seed)
        first, self.autoencoder = autoencode.stage(material, recipe)
        yield "autoencoder", first
        self.latents = generate.Latents(self.autoencoder.encoder, material.pixels, material.train)
        torch.manual_seed(recipe.seed)
        second, self.generator = generate.stage(material, self.latents, self.autoencoder.decoder, recipe)
        yield "generator", second
        torch.manual_seed(recipe.seed)
        decoder = self.autoencoder.decoder
        third, self.decoder = sharpen.stage(material, self.latents, self.generator, decoder, recipe)
        yield "decoder", third

    def networks(self) -> Mapping[str, torch.nn.Module]:
        """What draws."""
        return {"encoder": self.autoencoder.encoder, "decoder": self.decoder, "generator": self.generator}

    def card(self) -> Mapping[str, object]:
        """What the card says of pictures."""
        material = self.material
        pictures = {"train": len(material.train), "valid": len(material.valid)}
        return {
            "pictures": pictures,
            "styles": material.captions.styles,
            "words": len(material.captions.vocabulary.words),
        }


def _timed(collection: Collection[Captioned], recipe: Recipe) -> Timed:
    """Seconds of a step, the mean over stages by their shares of the steps."""
    return Timed(steps_once(collection, recipe), measuring=2.0)


def steps_once(collection: Collection[Captioned], recipe: Recipe) -> float:
    """Take the last two steps of each stage of a recipe, with some pictures; what they take, see `_timed`."""
    taken = 0.0
    with torch.random.fork_rng(devices=[]):
        for name, stage in Work(Material.of(collection, recipe.size.side, _TIMED), recipe).stages():
            last = recipe.of(name) - 1
            for number in (last - 1, last):
                began = time.monotonic()
                stage.step(number, np.random.default_rng(number))
            taken += PARTS[name] / sum(PARTS.values()) * (time.monotonic() - began)
    return taken
