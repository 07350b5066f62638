# pyright: basic
"""Stage one: encoder and decoder learn to put pictures into latents and back (a KL autoencoder)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from castalia.modalities.image.recolour import COLOURS, recoloured
from castalia.training.features import Features, unlikeness
from castalia.training.images.grid import contact_sheet
from castalia.training.images.look import watched
from castalia.training.images.material import Material
from castalia.training.images.network import Decoder, Encoder, Size, divergence, drawn
from castalia.training.images.recipe import Recipe
from castalia.training.optimiser import average, schedule
from castalia.training.stages import Stage

Pixels = NDArray[np.uint8]


class Autoencoder(nn.Module):
    """Encoder and decoder, which learn together."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(size), Decoder(size)


def tensor(pixels: Pixels) -> Tensor:
    """(B, S, S, 3) in [0, 255] → (B, 3, S, S) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).float() / 127.5 - 1


def pixels_of(made: Tensor) -> Pixels:
    """The reverse of `tensor`; what lies outside is cut off."""
    return ((made.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


def stage(material: Material, recipe: Recipe) -> tuple[Stage, Autoencoder]:
    """The stage, and the running mean of what it trains."""
    pixels, valid, size = material.pixels, material.valid, recipe.size
    steps, rate = recipe.of("autoencoder"), recipe.autoencoder_rate
    network, mean = Autoencoder(size), Autoencoder(size)
    mean.load_state_dict(network.state_dict())
    network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01, betas=(0.9, 0.99))
    seen = Features.installed() if recipe.autoencoder_features else None

    def step(number: int, rng: np.random.Generator) -> Mapping[str, float]:
        for group in optimizer.param_groups:
            group["lr"] = rate * schedule(number, steps)
        numbers = rng.integers(0, len(material.train), recipe.autoencoder_batch)
        chosen = [changed(pixels[material.train[at]], rng) for at in numbers]
        real = tensor(np.stack(chosen)).to(memory_format=torch.channels_last)
        latents = network.encoder(real)
        made = network.decoder(drawn(*latents))
        plain, edges = likeness(made, real)
        far = divergence(*latents).mean()
        loss, told = plain + edges + recipe.autoencoder_pull * far, {}
        if seen:
            unlike = unlikeness(seen, made, real)
            loss, told = loss + recipe.autoencoder_features * unlike, {"features": unlike.item()}
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average(mean, network, number, 0.998)
        return {"l1": plain.item(), "edges": edges.item(), "nats": far.item(), **told}

    def again(numbers: Sequence[int]) -> list[Pixels]:
        with torch.no_grad():
            return [pixels_of(mean.decoder(mean.encoder(tensor(pixels[at][None]))[0]))[0] for at in numbers]

    def measure() -> Mapping[str, float]:
        with torch.no_grad():
            real = tensor(np.stack([pixels[at] for at in valid[:48]]))
            return {"psnr": decibels(mean.decoder(mean.encoder(real)[0]), real)}

    def sample(path: Path) -> None:
        with torch.no_grad():
            real = np.stack([pixels[at] for at in valid[:24]])
            made = pixels_of(mean.decoder(mean.encoder(tensor(real))[0]))
        contact_sheet([*real, *made], path, columns=12)

    networks, watch = {"network": network, "mean": mean}, watched(material, recipe, again)
    return Stage("autoencoder", networks, {"adam": optimizer}, step, measure, sample, watch), mean


def changed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A picture, mirrored or recoloured half of the time each."""
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    if rng.random() < 0.5:
        name = list(COLOURS)[rng.integers(len(COLOURS))]
        pixels = recoloured(pixels, [name]).get(name, pixels)
    return pixels


def likeness(made: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """How far two pictures are from each other: mean difference of values, and of their details at three scales."""
    plain, edges = (made - real).abs().mean(), made.new_zeros(())
    far = made - real
    for scale in range(3):
        small = functional.avg_pool2d(far, 2)
        edges = edges + (far - functional.interpolate(small, scale_factor=2.0)).abs().mean() / (scale + 1)
        far = small
    return plain, edges


def decibels(made: Tensor, real: Tensor) -> float:
    """Peak signal-to-noise ratio of pictures in [-1, 1], the mean over pictures."""
    error = (made.clamp(-1, 1) - real).square().flatten(1).mean(1)
    return float((10 * torch.log10(4 / error)).mean())
