# pyright: basic
"""Losses of adversarial training, and penalties on gradients centred at zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


def pairwise(better: Tensor, worse: Tensor) -> Tensor:
    """Mean of softplus(worse - better): how far a score is from ranking each pair right, in nats.

    Jolicoeur-Martineau (2019), "The relativistic discriminator", with f = softplus. The discriminator's loss is
    `pairwise(real, fake)`, the generator's `pairwise(fake, real)`.

    Args:
        better: Scores (pairs,) that should be the higher ones.
        worse: The others' (pairs,).
    """
    return functional.softplus(worse - better).mean()


def zero_centred(scores: Tensor, inputs: Tensor) -> Tensor:
    """Mean over samples of the squared length of the score's gradient at the inputs.

    Mescheder et al. (2018), "Which training methods for GANs do actually converge?", equation 9: R1 at real samples,
    R2 at made ones. The factor γ/2 is the caller's.

    Args:
        scores: (samples,), computed from `inputs`.
        inputs: (samples, …), with `requires_grad`.
    """
    (slope,) = torch.autograd.grad(scores.sum(), inputs, create_graph=True)
    return slope.square().flatten(1).sum(1).mean()


@dataclass(frozen=True)
class Game:
    """What both sides lower, each a function of the scores (samples,) of real and of made samples, in nats.

    Attributes:
        discriminator: Low where real samples score high and made ones low.
        generator: Low where made ones score high.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]


PAIRED = Game(pairwise, lambda real, made: pairwise(made, real))
"""The relativistic pairing loss."""
SEPARATE = Game(
    lambda real, made: functional.softplus(-real).mean() + functional.softplus(made).mean(),
    lambda _, made: functional.softplus(-made).mean(),
)
"""Goodfellow et al. (2014), "Generative adversarial nets", with the generator's loss that does not saturate."""
