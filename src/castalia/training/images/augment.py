# pyright: basic
"""Augmentation of what the adversary sees, as often as it needs it: colour, place, and a square cut out.

Zhao et al. (2020), "Differentiable augmentation for data-efficient GAN training": real and made pictures alike, in both
sides' losses, so that nothing of it is learned as a trait of the collection. Karras et al. (2020), "Training generative
adversarial networks with limited data", section 3: the chance grows while the adversary knows its pictures by heart.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from castalia.training.adversary import Adversary

MOST = 0.8
"""The highest chance: section 2.2, beyond it generators begin to draw what augmentation does."""
_RAMP = 20_000
"""Pictures over which the chance goes from 0 to 1; a run of the preset `small` shows its adversary some 12,000."""
_MOVED, _CUT = 1 / 8, 1 / 2
"""Shares of the side: the furthest move, and the side of the square."""


class Augmentation(nn.Module):
    """Each change by a chance of its own, out of torch's generator, for each picture.

    Args:
        aim: Of r_t, in ]0, 1[; 0 changes nothing, ever.
        colour: Whether there are colours to change: pictures, not latents.
    """

    def __init__(self, aim: float, *, colour: bool) -> None:
        super().__init__()
        self.aim, self._colour = aim, colour
        self.chance = nn.Buffer(torch.zeros(()))

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, channels, S, S), 0 their middle, as the adversary is to see them."""
        if not self.aim:
            return pictures
        changes = (*([tinted] if self._colour else []), moved, cut)
        for change in changes:
            chosen = torch.rand(len(pictures), 1, 1, 1) < self.chance
            pictures = torch.where(chosen, change(pictures), pictures)
        return pictures

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """What a checkpoint keeps of it, by name."""
        return {"augment": self} if self.aim else {}

    def learn(self, adversary: Adversary, real: Tensor, made: Tensor, *given: Tensor) -> dict[str, float]:
        """One update of an adversary that sees pictures changed, see `Adversary.learn`; its figures, renamed."""
        judged = adversary.learn(real, made, *given, augment=self)
        told = {f"critic_{name}": value for name, value in judged.items()}
        if self.aim:
            self.adjust(judged["right"], len(real))
            told["augment"] = float(self.chance)
        return told

    def adjust(self, right: float, pictures: int) -> None:
        """Take in how an update of the adversary went.

        Args:
            right: Share of pairs that it ranked right. Equation 1's r_t, the mean sign of real pictures' scores, is for
                scores that mean something alone; of a relativistic adversary they do so in pairs: r_t = 2 right - 1.
            pictures: That it was shown.
        """
        further = 1 if 2 * right - 1 > self.aim else -1
        self.chance.add_(further * pictures / _RAMP).clamp_(0, MOST)


def tinted(pictures: Tensor) -> Tensor:
    """Lighter or darker, paler or more colourful, with less or more contrast."""
    lighter, vivid, steep = torch.rand(3, len(pictures), 1, 1, 1)
    lit = pictures + lighter - 0.5
    grey = lit.mean(1, keepdim=True)
    coloured = grey + (lit - grey) * 2 * vivid
    middle = coloured.mean((1, 2, 3), keepdim=True)
    return middle + (coloured - middle) * (steep + 0.5)


def moved(pictures: Tensor) -> Tensor:
    """Up to an eighth of the side away, with zeros where nothing was."""
    count, side = len(pictures), pictures.shape[-1]
    most = max(1, round(side * _MOVED))
    there = torch.arange(side) + torch.randint(-most, most + 1, (2, count))[..., None]  # (2, B, S): rows, columns
    inside = (there >= 0) & (there < side)
    rows, columns = there.clamp(0, side - 1)
    found = pictures.permute(0, 2, 3, 1)[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    seen = (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
    return found.permute(0, 3, 1, 2) * seen


def cut(pictures: Tensor) -> Tensor:
    """With zeros in a square, half the side wide, some of which may lie outside."""
    count, side = len(pictures), pictures.shape[-1]
    near = (torch.arange(side) - torch.randint(0, side, (2, count))[..., None]).abs() <= side * _CUT / 2
    return pictures * ~(near[0][:, :, None] & near[1][:, None, :])[:, None]
