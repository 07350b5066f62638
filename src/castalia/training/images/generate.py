# pyright: basic
"""Stage two: a generator learns latents from words, against a discriminator.

It begins from what needs no learning: principal components of the pictures, and each word the mean of its pictures.
Half of the time the code that it gets is moved towards the picture's own, so that it can draw what it has seen, too; a
code is never exact, so that it learns to trust the words. The adversary sees what is drawn from words alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from castalia.modalities.image.recolour import COLOURS, recoloured
from castalia.training.adversary import Adversary
from castalia.training.features import Features, unlikeness
from castalia.training.images.augment import Augmentation
from castalia.training.images.autoencode import pixels_of, tensor
from castalia.training.images.captions import filled
from castalia.training.images.grid import contact_sheet
from castalia.training.images.look import watched
from castalia.training.images.material import Material
from castalia.training.images.network import Generator, LatentCritic
from castalia.training.images.recipe import Recipe
from castalia.training.optimiser import average, schedule
from castalia.training.stages import Stage

Pixels = NDArray[np.uint8]
_RECOLOURED = 0.3
"""Share of pictures that are shown in another colour."""
_MOVED = 0.5
"""Share of pictures whose code is moved towards their own."""
_RIDGE, _MOST = 0.1, 4000
"""Of the regression that a generator begins with; pictures whose components are looked for."""
_AT_ONCE = 256
"""Codes that are found together: one by one, their memory is not given back."""
_SEEN = 4
"""One picture of a step in so many is decoded for the features' distance: that takes longer than all the rest."""
_INEXACT = 0.1
"""Deviations by which a code is off."""
_HELD_OUT = 20
"""One recoloured picture in so many is kept for measuring: a combination of words that is not learned."""


class Latents:
    """All pictures, and all of them recoloured, as latents of mean 0 and deviation 1 by channel.

    Args:
        encoder: Of stage one.
        pixels: (S, S, 3) each.
        train: Numbers of the pictures that mean and deviation are of.
    """

    def __init__(self, encoder: nn.Module, pixels: Sequence[Pixels], train: Sequence[int]) -> None:
        self._plain = torch.stack([_latents(encoder, [each])[0] for each in pixels])
        of = self._plain[list(train)]
        self.mean, self.deviation = of.mean((0, 2, 3)), of.std((0, 2, 3))
        self._coloured: list[Mapping[str, Tensor]] = []
        for each in pixels:
            made = recoloured(each, list(COLOURS))
            latents = _latents(encoder, list(made.values())) if made else []
            self._coloured.append({name: one.half() for name, one in zip(made, latents, strict=True)})

    def of(self, picture: int, colour: str = "") -> Tensor:
        """(latent, S/8, S/8)."""
        raw = self._coloured[picture][colour].float() if colour else self._plain[picture]
        return (raw - self.mean[:, None, None]) / self.deviation[:, None, None]

    def raw(self, latents: Tensor) -> Tensor:
        """What the decoder reads, of latents (B, latent, S/8, S/8) of mean 0 and deviation 1."""
        return latents * self.deviation[:, None, None] + self.mean[:, None, None]

    def colours(self, picture: int, *, held_out: bool = False) -> list[str]:
        """Colours that a picture has been given; those kept for measuring, or all others."""
        return [name for name in self._coloured[picture] if is_held_out(picture, name) == held_out]


def is_held_out(picture: int, colour: str) -> bool:
    """Whether a picture in that colour is kept for measuring; pictures by their number in the material."""
    return (picture * 7 + list(COLOURS).index(colour) * 3) % _HELD_OUT == 0


def _latents(encoder: nn.Module, pixels: Sequence[Pixels]) -> Tensor:
    with torch.no_grad():
        return encoder(tensor(np.stack(pixels)))[0]


def stage(material: Material, latents: Latents, decoder: nn.Module, recipe: Recipe) -> tuple[Stage, Generator]:
    """The stage, and the running mean of what it trains.

    Args:
        material: What is learned.
        latents: Of its pictures.
        decoder: Of stage one, to look at what is drawn; it stays as it is.
        recipe: How.
    """
    captions, train, size = material.captions, material.train, recipe.size
    steps, batch, rate = recipe.of("generator"), recipe.generator_batch, recipe.generator_rate
    vocabulary = len(captions.vocabulary.words)
    network, mean = Generator(size, vocabulary), Generator(size, vocabulary)
    _begin(material, latents, network)
    mean.load_state_dict(network.state_dict())
    critic = Adversary(LatentCritic(size, vocabulary), rate=rate / 4, penalty=recipe.latent_penalty)
    augment = Augmentation(recipe.augment, colour=False)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01, betas=(0.5, 0.99))
    seen = Features.installed() if recipe.generator_features else None
    decoder.requires_grad_(requires_grad=False)

    def chosen(rng: np.random.Generator, many: int) -> tuple[Tensor, Tensor]:
        real, words = [], []
        for picture in (train[at] for at in rng.integers(0, len(train), many)):
            colours = latents.colours(picture) if rng.random() < _RECOLOURED else []
            colour = colours[rng.integers(len(colours))] if colours else ""
            real.append(latents.of(picture, colour))
            words.append(captions.draw(picture, rng, colour))
        return torch.stack(real), torch.from_numpy(filled(words))

    def step(number: int, rng: np.random.Generator) -> Mapping[str, float]:
        for group in optimizer.param_groups:
            group["lr"] = rate * schedule(number, steps)
        for group in critic.optimizer.param_groups:
            group["lr"] = rate / 4 * max(0.1, schedule(number, steps))
        real, words = chosen(rng, batch)
        meant = network.meant(words)
        towards = torch.from_numpy(np.where(rng.random(batch) < _MOVED, rng.random(batch), 0)).float()[:, None]
        code = meant + towards * (network.code(real) - meant)
        code = code + _INEXACT * network.spread * torch.randn_like(code)
        drawn = network(words, code)
        plain = (drawn - real).abs().mean()
        loss, told = plain, {"l1": plain.item()}
        if seen:
            some = [decoder(latents.raw(each[::_SEEN])) for each in (drawn, real)]
            unlike = unlikeness(seen, *some)
            loss, told["features"] = loss + recipe.generator_features * unlike, unlike.item()
        if number >= recipe.adversary_begins * steps:
            half = batch // 2
            made = network(words[:half], meant[:half])
            told |= augment.learn(critic, real[:half], made, words[:half])
            loss = loss + recipe.latent_adversary * critic.loss(made, real[:half], words[:half], augment=augment)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average(mean, network, number, 0.998)
        return told

    def measure() -> Mapping[str, float]:
        return _measured(material, latents, mean)

    def sample(path: Path) -> None:
        contact_sheet(shown(material, latents, decoder, mean), path, columns=16)

    networks = {"network": network, "mean": mean, "critic": critic.discriminator, **augment.networks}
    watch = watched(material, recipe, lambda asked: named(material, latents, decoder, mean, asked))
    optimizers = {"adam": optimizer, "adversary": critic.optimizer}
    return Stage("generator", networks, optimizers, step, measure, sample, watch), mean


def _measured(material: Material, latents: Latents, generator: Generator) -> Mapping[str, float]:
    """L1 of pictures that were learned, of pictures not learned, and of combinations of colour and picture not learned.

    Each is asked for by its name, and its colour where it was given one.
    """
    combined = [(at, colour) for at in material.train for colour in latents.colours(at, held_out=True)]
    asked = {"valid": [(at, "") for at in material.valid[:64]], "learned": [(at, "") for at in material.train[:64]]}
    asked["combined"] = [combined[at] for at in np.random.default_rng(1).permutation(len(combined))[:64]]
    found: dict[str, float] = {}
    for name, pairs in asked.items():
        if pairs:
            made = draw(generator, [material.captions.whole(*each) for each in pairs])
            found[name] = (made - torch.stack([latents.of(*each) for each in pairs])).abs().mean().item()
    return found


def _begin(material: Material, latents: Latents, network: Generator) -> None:
    """Give a generator its components, and the vectors by which captions come nearest to the codes of their pictures.

    Pearson (1901), "On lines and planes of closest fit", of the latents of the pictures that are learned; then ridge
    regression of codes on weighed words (Hoerl & Kennard 1970): of whole captions, of names alone, and of names with
    the colour that a picture was given.
    """
    captions, (width, places) = material.captions, network.components.shape
    some = material.train[:: 1 + len(material.train) // _MOST]
    own = torch.stack([latents.of(at).flatten() for at in some])
    _, _, found = torch.linalg.svd(own, full_matrices=False)
    directions = torch.zeros(width, places)
    directions[: min(width, len(found))] = found[:width]
    scale = (own @ directions.T).std(0).clamp_min(1e-3).sqrt()
    network.components.copy_(directions * scale[:, None])
    network.spread.copy_(scale)

    rows: list[tuple[Sequence[int], int, str, float]] = []
    for at in material.train:
        rows += [(captions.whole(at), at, "", 1.0), (captions.words_of(at), at, "", 0.5)]
        rows += [(captions.whole(at, colour), at, colour, 0.7) for colour in latents.colours(at)[::2]]
    counts = np.bincount([word for words, *_ in rows for word in set(words)], minlength=len(network.table.weight))
    weights = torch.from_numpy(np.maximum(counts, 1).astype(np.float32)).rsqrt()
    square, against = _RIDGE * torch.eye(len(weights)), torch.zeros(len(weights), width)
    for some in (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE)):
        codes = network.code(torch.stack([latents.of(at, colour) for _, at, colour, _ in some]))
        for (words, _, _, much), code in zip(some, codes, strict=True):
            numbers = torch.tensor(sorted(set(words)))
            share = weights[numbers] / weights[numbers].sum() * much
            square[numbers[:, None], numbers] += share[:, None] * share
            against[numbers] += share[:, None] * code * much
    with torch.no_grad():
        network.table.weight.copy_(torch.linalg.solve(square, against))
        network.table.weight[0] = 0
        network.weight.weight[:, 0] = weights.log()


def draw(generator: Generator, words: Sequence[Sequence[int]]) -> Tensor:
    """Latents of mean 0 and deviation 1 from numbers of words (rows, latent, S/8, S/8)."""
    with torch.no_grad():
        numbers = torch.from_numpy(filled(words))
        return generator(numbers, generator.meant(numbers))


def named(
    material: Material, latents: Latents, decoder: nn.Module, generator: Generator, numbers: Sequence[int]
) -> list[Pixels]:
    """What is drawn when pictures of a collection are asked for by their names (S, S, 3)."""
    made = draw(generator, [material.captions.whole(at) for at in numbers])
    with torch.no_grad():
        return [pixels_of(decoder(latents.raw(each[None])))[0] for each in made]


def shown(material: Material, latents: Latents, decoder: nn.Module, generator: Generator) -> list[Pixels]:
    """Rows: pictures that were learned, and drawn; not learned, and drawn; held out combinations, and drawn."""
    captions, train, valid = material.captions, material.train, material.valid
    combined = [(at, colour) for at in train[::7] for colour in latents.colours(at, held_out=True)][:16]
    rows: list[Pixels] = []
    for pairs in (
        [(at, "") for at in train[5 :: max(1, len(train) // 16)]][:16],
        [(at, "") for at in valid[:16]],
        combined,
    ):
        if not pairs:
            continue
        true = torch.stack([latents.of(*each) for each in pairs])
        made = draw(generator, [captions.whole(*each) for each in pairs])
        with torch.no_grad():
            for each in (true, made):
                pictures = list(pixels_of(decoder(latents.raw(each))))
                rows += pictures + [np.full_like(pictures[0], 255)] * (16 - len(pictures))
    return rows
