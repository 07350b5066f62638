# pyright: basic
"""The generator and the discriminator: small residual networks without normalisation.

After Huang et al. (2024), "The GAN is dead; long live the GAN!": leaky ReLU, bilinear resampling, residual branches
whose last convolution begins at zero, a learned 4×4 basis to begin with and a learned weighing of 4×4 places to end
with. Other than there, branches are two plain 3×3 convolutions, and none is at full size: on a processor without wide
units, grouped or full-size ones cost more time than they are worth at 32×32. No part knows that the colours are alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from castalia.training.stacked_mnist.digits import COLOURS

SLOPE = 0.2
_GAIN = math.sqrt(2 / (1 + SLOPE**2))


@dataclass(frozen=True)
class Size:
    """The one dial.

    Attributes:
        widths: Channels at 4×4, 8×8 and 16×16.
        blocks: Residual blocks at each.
        noise: Numbers that a picture is made of.
    """

    widths: tuple[int, int, int] = (128, 64, 32)
    blocks: int = 1
    noise: int = 64


SMALL, TINY = Size(), Size(widths=(8, 8, 8), noise=8)


class Generator(nn.Module):
    """Noise (pictures, noise) → pictures (pictures, 3, 32, 32), not bounded; about -1 to 1."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        widths = size.widths
        self.mix = nn.Linear(size.noise, widths[0], bias=False)
        self.basis = nn.Parameter(torch.randn(widths[0], 4, 4))
        nn.init.normal_(self.mix.weight, std=size.noise**-0.5)
        layers: list[nn.Module] = []
        for number, width in enumerate(widths):
            if number:
                layers += [_convolution(widths[number - 1], width, 1), _Twice()]
            layers += [_Block(width, size) for _ in range(size.blocks)]
        half = widths[-1] // 2
        layers += [_convolution(widths[-1], half, 1), _Twice(), _Leak(half), _convolution(half, COLOURS, 3)]
        self.layers = nn.Sequential(*layers)

    def forward(self, noise: Tensor) -> Tensor:
        seeds = self.mix(noise)[:, :, None, None] * self.basis  # (pictures, channels, 4, 4)
        return self.layers(seeds.contiguous(memory_format=torch.channels_last))


class Discriminator(nn.Module):
    """Pictures (pictures, 3, 32, 32) → scores (pictures,)."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        widths = size.widths[::-1]
        layers: list[nn.Module] = [_convolution(COLOURS, widths[0], 4, stride=2), _Leak(widths[0])]
        for number, width in enumerate(widths):
            if number:
                layers += [nn.AvgPool2d(2), _convolution(widths[number - 1], width, 1)]
            layers += [_Block(width, size) for _ in range(size.blocks)]
        layers += [nn.Conv2d(widths[-1], widths[-1], 4, groups=widths[-1], bias=False), nn.Flatten()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 1, bias=False))

    def forward(self, pictures: Tensor) -> Tensor:
        return self.layers(pictures.contiguous(memory_format=torch.channels_last)).flatten()


def weights(*networks: nn.Module) -> int:
    """Numbers that are learned, of all together."""
    return sum(each.numel() for network in networks for each in network.parameters())


class _Block(nn.Module):
    def __init__(self, width: int, size: Size) -> None:
        super().__init__()
        depth = size.blocks * len(size.widths)
        self.branch = nn.Sequential(
            _Leak(width),
            _convolution(width, width, 3, gain=_GAIN * depth**-0.5),  # Zhang et al. (2019), "Fixup initialization"
            _Leak(width),
            _convolution(width, width, 3, gain=0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


class _Leak(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(x + self.bias, SLOPE)


class _Twice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _convolution(entering: int, leaving: int, side: int, *, stride: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """Without a bias; weights of variance gain² / (numbers that enter)."""
    layer = nn.Conv2d(entering, leaving, side, stride, padding=(side - 1) // 2, bias=False)
    nn.init.normal_(layer.weight, std=gain / math.sqrt(entering * side * side))
    return layer
