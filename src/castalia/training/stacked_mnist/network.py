# pyright: basic
"""The generator and the discriminator: small strided convolutions.

After Radford et al. (2015), "Unsupervised representation learning with deep convolutional generative adversarial
networks", but that only the generator normalises its batches: the penalties of the adversary ask that a score belongs
to one picture. Without it the generator, of this size and in this time, made the same eight shapes again and again
(`docs/log.md`). No part knows that the colours are alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from castalia.training.stacked_mnist.digits import COLOURS

SLOPE = 0.2
_SIDE = 4
"""Places along each side at the narrow end of both networks."""


@dataclass(frozen=True)
class Size:
    """The one dial.

    Attributes:
        made: The generator's channels at 4×4, 8×8 and 16×16.
        judged: The discriminator's at 16×16, 8×8 and 4×4.
        noise: Numbers that a picture is made of.
    """

    made: tuple[int, int, int] = (192, 96, 48)
    judged: tuple[int, int, int] = (32, 64, 128)
    noise: int = 64


SMALL, TINY = Size(), Size(made=(8, 8, 8), judged=(8, 8, 8), noise=8)


class Generator(nn.Module):
    """Noise (pictures, noise) → pictures (pictures, 3, 32, 32) in [-1, 1]."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        first, *others = size.made
        self.enter = nn.Linear(size.noise, first * _SIDE**2, bias=False)
        layers: list[nn.Module] = [nn.BatchNorm2d(first), nn.ReLU()]
        for entering, leaving in zip(size.made, others, strict=False):
            layers += [_twice(entering, leaving, bias=False), nn.BatchNorm2d(leaving), nn.ReLU()]
        self.layers = nn.Sequential(*layers, _twice(size.made[-1], COLOURS), nn.Tanh())

    def forward(self, noise: Tensor) -> Tensor:
        seeds = self.enter(noise).view(len(noise), -1, _SIDE, _SIDE)  # (pictures, channels, 4, 4)
        return self.layers(seeds.contiguous(memory_format=torch.channels_last))


class Discriminator(nn.Module):
    """Pictures (pictures, 3, 32, 32) → scores (pictures,)."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for entering, leaving in zip((COLOURS, *size.judged), size.judged, strict=False):
            layers += [nn.Conv2d(entering, leaving, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(size.judged[-1] * _SIDE**2, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        return self.layers(pictures.contiguous(memory_format=torch.channels_last)).flatten()


def weights(*networks: nn.Module) -> int:
    """Numbers that are learned, of all together."""
    return sum(each.numel() for network in networks for each in network.parameters())


@torch.no_grad()
def normalised(generator: Generator, noise: Tensor, *, at_once: int = 500) -> Generator:
    """A generator whose normalisation is found anew over noise (pictures, noise), then kept: pictures are alone.

    A running mean of weights has none of its own (Izmailov et al. 2018, "Averaging weights leads to wider optima and
    better generalization", section 3.2).
    """
    layers = [each for each in generator.modules() if isinstance(each, nn.BatchNorm2d)]
    for each in layers:
        each.reset_running_stats()
        each.momentum = None  # the plain mean over all that follows
    generator.train()
    for some in noise.split(at_once):
        generator(some)
    for each in layers:
        each.momentum = 0.1
    return generator.eval()


def _twice(entering: int, leaving: int, *, bias: bool = True) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(entering, leaving, 4, 2, 1, bias=bias)
