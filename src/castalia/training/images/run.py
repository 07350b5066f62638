# pyright: basic
"""`castalia train image`: a collection of captioned pictures becomes a model that the studio draws with."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from castalia.training.budget import Timed, between, settled
from castalia.training.card import described
from castalia.training.clock import Clock
from castalia.training.collections import Collection
from castalia.training.collections.pictures import Captioned
from castalia.training.images import autoencode, generate, sharpen
from castalia.training.images.captions import Captions, Said
from castalia.training.images.export import export
from castalia.training.images.network import TINY
from castalia.training.images.recipe import SHARES, Recipe
from castalia.training.images.recolour import name_of
from castalia.training.run_file import Asked, opened, versions_with
from castalia.training.stages import Stage, run_stage
from castalia.training import started
from castalia.training.started import Log, learned_and_valid, telling

PRESETS: Mapping[str, Recipe] = {
    "tiny": Recipe(size=TINY, steps=60, autoencoder_batch=4, generator_batch=8, decoder_batch=4),
    "small": Recipe(),
}
APART = 100
"""Steps between lines and checkpoints, at most."""
_TIMED = 64
"""Pictures that steps are timed with."""


class _Pixels(Sequence[NDArray[np.uint8]]):
    """Pictures of a collection by number, at the side that is learned, each read when it is asked for."""

    def __init__(self, collection: Collection[Captioned], names: Sequence[str], side: int) -> None:
        self._pieces, self._names, self._side = collection.pieces, names, side

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, at: int) -> NDArray[np.uint8]:
        return autoencode.shrunk(self._pieces[self._names[at]].pixels, self._side)


def train_images(
    collection: Collection[Captioned], folder: Path, *,
    preset: str | None = None, steps: int | None = None, minutes: float | None = None, seed: int | None = None, log: Log,
) -> Path:  # fmt: skip
    """Train a picture model and export it.

    Args:
        collection: What is learned.
        folder: Holds the run file, checkpoints and samples, and the model at the end; a stopped run goes on from there.
        preset: A name of `PRESETS`; None takes the run's that is there, else `small`.
        steps: Updates of all stages together; None takes the run's that is there, else the preset's.
        minutes: Of wall clock for all stages together, in the place of steps.
        seed: Same seed, collection and machine: same model. None takes the run's that is there, else 0.
        log: Told the losses.

    Returns:
        The folder with the model, for the setting `image_model`.

    Raises:
        UsageError: the preset is unknown, both steps and minutes are given, the folder holds another run, or the
            collection has no picture in one part of its split.
    """
    versions = versions_with(torch.get_num_threads())
    run = opened(folder, Asked(preset, steps, minutes, seed), collection, PRESETS, versions)
    learned_and_valid(collection)
    run = settled(run, folder, lambda: _timed(collection, run.recipe), versions, log=log, most=APART)
    recipe, told = run.recipe, telling(folder, log)
    clock, work = Clock(started.minutes(folder / "log.jsonl")), _Work(collection, recipe)
    for name, stage in work.stages():
        steps_ = recipe.of(name)
        every = between(steps_, APART)
        run_stage(stage, steps=steps_, seed=recipe.seed, folder=folder, clock=clock, log=told, every=every)
    export(
        work.networks(), work.latents.mean, work.latents.deviation, work.captions.vocabulary,
        {work.names[at]: work.pixels[at] for at in work.train}, folder,
        {**described(run, collection, folder), **work.card()}, bits=recipe.bits,
    )  # fmt: skip
    return folder


class _Work:
    """A collection and what its stages make, one after the other."""

    def __init__(self, collection: Collection[Captioned], recipe: Recipe, most: int | None = None) -> None:
        self.recipe = recipe
        self.names = list(collection.pieces)[:most]
        self.pixels: Sequence[NDArray[np.uint8]] = _Pixels(collection, self.names, recipe.size.side)
        self.train = [at for at, name in enumerate(self.names) if collection.split[name] == "train"]
        self.valid = [at for at, name in enumerate(self.names) if collection.split[name] != "train"] or self.train[:1]
        said, own = list[Said](), list[str]()
        for at, name in enumerate(self.names):
            piece = collection.pieces[name]
            said.append(Said(piece.text, piece.other, piece.style))
            own.append(name_of(self.pixels[at]))
        self.captions = Captions(said, own)
        self._styles = [style for style, _ in Counter(each.style for each in said if each.style).most_common()]

    def stages(self) -> Iterator[tuple[str, Stage]]:
        """Each stage; what comes after it needs its steps taken."""
        recipe, size = self.recipe, self.recipe.size
        torch.manual_seed(recipe.seed)
        first, self.autoencoder = autoencode.stage(
            self.pixels, self.train, self.valid, size, steps=recipe.of("autoencoder"),
            batch=recipe.autoencoder_batch, rate=recipe.autoencoder_rate, pull=recipe.autoencoder_pull,
        )  # fmt: skip
        yield "autoencoder", first
        self.latents = generate.Latents(self.autoencoder.encoder, self.pixels, self.train)
        torch.manual_seed(recipe.seed)
        second, self.drawing = generate.stage(
            self.latents, self.captions, self.autoencoder.decoder, self.train, self.valid, size,
            steps=recipe.of("generator"), batch=recipe.generator_batch, rate=recipe.generator_rate,
            pull=recipe.posterior_pull, adversary=recipe.latent_adversary, begin=recipe.adversary_begins,
            penalty=recipe.latent_penalty,
        )  # fmt: skip
        yield "generator", second
        torch.manual_seed(recipe.seed)
        third, self.decoder = sharpen.stage(
            self.pixels, self.latents, self.captions, self.drawing, self.autoencoder.decoder, self.train, self.valid,
            size, steps=recipe.of("decoder"), batch=recipe.decoder_batch, rate=recipe.decoder_rate,
            adversary=recipe.patch_adversary, penalty=recipe.patch_penalty,
        )  # fmt: skip
        yield "decoder", third

    def networks(self) -> Mapping[str, torch.nn.Module]:
        """What draws."""
        drawing = {"generator": self.drawing.generator, "posterior": self.drawing.posterior}
        return {"encoder": self.autoencoder.encoder, "decoder": self.decoder, **drawing}

    def card(self) -> Mapping[str, object]:
        """What the card says of pictures."""
        pictures = {"train": len(self.train), "valid": len(self.valid)}
        return {"pictures": pictures, "styles": self._styles, "words": len(self.captions.vocabulary.words)}


def _timed(collection: Collection[Captioned], recipe: Recipe) -> Timed:
    """Seconds of a step, the mean over stages by their shares of the steps; a few of each are taken."""
    taken = 0.0
    with torch.random.fork_rng(devices=[]):
        for name, stage in _Work(collection, recipe, _TIMED).stages():
            last = recipe.of(name) - 1
            for number in (last - 1, last):
                began = time.monotonic()
                stage.step(number, np.random.default_rng(number))
            taken += SHARES[name] * (time.monotonic() - began)
    return Timed(taken, measuring=2.0)
