# pyright: basic
"""Augmentation of pictures before they are scored: moved by a few pixels, lighter or darker, a square cut out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

MOVED, CUT = 4, 12
"""Pixels: the furthest move, and the side of the square."""


def differentiable(pictures: Tensor) -> Tensor:
    """Zhao et al. (2020), "Differentiable augmentation for data-efficient GAN training", for a dark ground (-1).

    Args:
        pictures: (pictures, colours, side, side), each augmented with chances of its own, out of torch's generator.
    """
    count, colours, side, _ = pictures.shape
    lit = pictures + (torch.rand(count, colours, 1, 1) - 0.5) * (pictures + 1)  # the ground stays
    moved = torch.randint(-MOVED, MOVED + 1, (count, 2))
    there = torch.arange(side)
    rows, columns = (moved[:, axis, None] + there + MOVED for axis in (0, 1))  # (pictures, side)
    padded = functional.pad(lit, [MOVED] * 4, value=-1.0).permute(0, 2, 3, 1)
    shifted = padded[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    middle = torch.randint(0, side, (count, 2))
    near = [(there - middle[:, axis, None]).abs() <= CUT // 2 for axis in (0, 1)]
    cut = (near[0][:, :, None] & near[1][:, None, :])[:, None]
    return torch.where(cut, torch.full_like(shifted, -1.0), shifted)
