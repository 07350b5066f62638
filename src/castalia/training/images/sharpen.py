# pyright: basic
"""Stage three: the decoder learns to make sharp pictures of what the generator draws, against an adversary on patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from castalia.training.adversary import Adversary
from castalia.training.images.autoencode import decibels, likeness, tensor
from castalia.training.images.captions import Captions, filled
from castalia.training.images.generate import Drawing, Latents, shown
from castalia.training.images.grid import contact_sheet
from castalia.training.images.network import Decoder, PatchCritic, Size, drawn
from castalia.training.images.recolour import recoloured
from castalia.training.optimiser import average, schedule
from castalia.training.stages import Stage

Pixels = NDArray[np.uint8]
_TRUE = 4
"""One picture in so many is decoded from its own latents, so that the decoder stays the encoder's."""
_RECOLOURED = 0.3


def stage(
    pixels: Sequence[Pixels], latents: Latents, captions: Captions, drawing: Drawing, decoder: nn.Module,
    train: Sequence[int], valid: Sequence[int], size: Size,
    *, steps: int, batch: int, rate: float, adversary: float, penalty: float,
) -> tuple[Stage, nn.Module]:  # fmt: skip
    """The stage, and the running mean of the decoder.

    Args:
        pixels: (S, S, 3) each.
        latents: Of the same pictures.
        captions: Of the same pictures.
        drawing: Of stage two; it stays as it is.
        decoder: Of stage one, from which this one begins.
        train: Numbers of the pictures to learn.
        valid: Numbers of those to measure on.
        size: Of the networks.
        steps: Of the whole stage.
        batch: Pictures a step.
        rate: Highest learning rate.
        adversary: Weight of the adversarial loss.
        penalty: γ of the adversary.
    """
    network, mean = Decoder(size), Decoder(size)
    for each in (network, mean):
        each.load_state_dict(decoder.state_dict())
    network.to(memory_format=torch.channels_last)
    critic = Adversary(PatchCritic(size), rate=rate, penalty=penalty)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01, betas=(0.5, 0.99))

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
            made = drawing.generator(torch.from_numpy(filled(words)), drawn(*drawing.posterior(given)))
        kept = torch.arange(batch) % _TRUE == 0
        return latents.raw(torch.where(kept[:, None, None, None], given, made)), tensor(np.stack(real))

    def step(number: int, rng: np.random.Generator) -> Mapping[str, float]:
        for group in (*optimizer.param_groups, *critic.optimizer.param_groups):
            group["lr"] = rate * schedule(number, steps)
        given, real = chosen(rng)
        made = network(given)
        told = {f"critic_{name}": value for name, value in critic.learn(real, made).items()}
        plain, edges = likeness(made, real)
        fooled = critic.loss(made, real)
        optimizer.zero_grad()
        (plain + edges + adversary * fooled).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average(mean, network, number, 0.995)
        return {"l1": plain.item(), "edges": edges.item(), "fooled": fooled.item(), **told}

    def measure() -> Mapping[str, float]:
        with torch.no_grad():
            real = tensor(np.stack([pixels[at] for at in valid[:48]]))
            return {"psnr": decibels(mean(latents.raw(torch.stack([latents.of(at) for at in valid[:48]]))), real)}

    def sample(path: Path) -> None:
        rows = shown(latents, captions, mean, drawing.generator, train, valid, size)
        contact_sheet(rows, path, columns=16)

    networks = {"network": network, "mean": mean, "critic": critic.discriminator}
    return Stage("decoder", networks, {"adam": optimizer, "adversary": critic.optimizer}, step, measure, sample), mean
