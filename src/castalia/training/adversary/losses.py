# pyright: basic
"""Losses of adversarial training: the relativistic pairing loss and penalties on gradients centred at zero."""

from __future__ import annotations

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
