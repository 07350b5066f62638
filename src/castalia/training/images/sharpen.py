# pyright: basic
"""Stage three: the decoder learns to make sharp pictures of what is drawn, against an adversary on patches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from castalia.modalities.image.recolour import recoloured
from castalia.training.adversary import Adversary
from castalia.training.features import Features, unlikeness
from castalia.training.images.augment import Augmentation
from castalia.training.images.autoencode import decibels, likeness, tensor
from castalia.training.images.captions import filled
from castalia.training.images.generate import Latents, named, shown
from castalia.training.images.grid import contact_sheet
from castalia.training.images.look import watched
from castalia.training.images.material import Material
from castalia.training.images.network import Decoder, Generator, PatchCritic
from castalia.training.images.recipe import Recipe
from castalia.training.optimiser import average, schedule
from castalia.training.stages import Stage

_TRUE = 4
"""One picture in so many is decoded from its own latents, so that the decoder stays the encoder's."""
_RECOLOURED = 0.3


def stage(
    material: Material, latents: Latents, generator: Generator, decoder: nn.Module, recipe: Recipe
) -> tuple[Stage, nn.Module]:
    """The stage, and the running mean of the decoder.

    Args:
        material: What is learned.
        latents: Of its pictures.
        generator: Of stage two; it stays as it is.
        decoder: Of stage one, from which this one begins.
        recipe: How.
    """
    pixels, captions, train, valid = material.pixels, material.captions, material.train, material.valid
    size, steps, batch, rate = recipe.size, recipe.of("decoder"), recipe.decoder_batch, recipe.decoder_rate
    network, mean = Decoder(size), Decoder(size)
    for each in (network, mean):
        each.load_state_dict(decoder.state_dict())
    network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    critic = Adversary(PatchCritic(size), rate=rate, penalty=recipe.patch_penalty)
    augment = Augmentation(recipe.augment, colour=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01, betas=(0.5, 0.99))
    seen = Features.installed() if recipe.decoder_features else None

    def chosen(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Latents that the decoder reads, and the pictures that they should become."""
        real, own, words = [], [], []
        for picture in (train[at] for at in rng.integers(0, len(train), batch)):
            colours = latents.colours(picture) if rng.random() < _RECOLOURED else []
            colour = colours[rng.integers(len(colours))] if colours else ""
            real.append(recoloured(pixels[picture], [colour])[colour] if colour else pixels[picture])
            own.append(latents.of(picture, colour))
            words.append(captions.whole(picture, colour))
        given = torch.stack(own)
        with torch.no_grad():
            numbers = torch.from_numpy(filled(words))
            meant = generator.meant(numbers)
            towards = torch.from_numpy(rng.random(batch)).float()[:, None]
            made = generator(numbers, meant + towards * (generator.code(given) - meant))
        kept = torch.arange(batch) % _TRUE == 0
        return latents.raw(torch.where(kept[:, None, None, None], given, made)), tensor(np.stack(real))

    def step(number: int, rng: np.random.Generator) -> Mapping[str, float]:
        for group in (*optimizer.param_groups, *critic.optimizer.param_groups):
            group["lr"] = rate * schedule(number, steps)
        given, real = chosen(rng)
        made = network(given)
        told = augment.learn(critic, real, made)
        plain, edges = likeness(made, real)
        fooled = critic.loss(made, real, augment=augment)
        loss = plain + edges + recipe.patch_adversary * fooled
        if seen:
            unlike = unlikeness(seen, made, real)
            loss, told["features"] = loss + recipe.decoder_features * unlike, unlike.item()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average(mean, network, number, 0.995)
        return {"l1": plain.item(), "edges": edges.item(), "fooled": fooled.item(), **told}

    def measure() -> Mapping[str, float]:
        with torch.no_grad():
            real = tensor(np.stack([pixels[at] for at in valid[:48]]))
            return {"psnr": decibels(mean(latents.raw(torch.stack([latents.of(at) for at in valid[:48]]))), real)}

    def sample(path: Path) -> None:
        contact_sheet(shown(material, latents, mean, generator), path, columns=16)

    networks = {"network": network, "mean": mean, "critic": critic.discriminator, **augment.networks}
    watch = watched(material, recipe, lambda asked: named(material, latents, mean, generator, asked))
    optimizers = {"adam": optimizer, "adversary": critic.optimizer}
    return Stage("decoder", networks, optimizers, step, measure, sample, watch), mean
