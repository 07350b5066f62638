# pyright: basic
"""The discriminator at work. What trains against it calls two methods and does not know how it learns."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from castalia.training.adversary.losses import pairwise, zero_centred


class Adversary:
    """A discriminator that learns to score real samples above made ones.

    The loss and its penalties are those of Huang et al. (2024), "The GAN is dead; long live the GAN!": the relativistic
    pairing loss with R1 and R2 at every step.

    Args:
        discriminator: Samples (samples, …), and what they are made from, → scores, higher for real ones.
        rate: Learning rate of Adam with β₁ = 0.
        penalty: γ; half of it weighs both penalties. 0 leaves them out.
        decay: β₂ of Adam.
    """

    def __init__(self, discriminator: nn.Module, *, rate: float, penalty: float, decay: float = 0.99) -> None:
        self.discriminator, self.penalty = discriminator, penalty
        self.optimizer = torch.optim.Adam(discriminator.parameters(), lr=rate, betas=(0.0, decay))

    def learn(
        self, real: Tensor, made: Tensor, *given: Tensor, augment: Callable[[Tensor], Tensor] = lambda each: each
    ) -> dict:
        """One step of the discriminator.

        Args:
            real: Samples of the collection (samples, …).
            made: As many of the generator's.
            given: What each pair of samples is made from, words for example, for the discriminator.
            augment: Applied to both alike before they are scored.

        Returns:
            The step's `loss` (nats), `r1`, `r2`, and the share of pairs that it ranks right, `right`.
        """
        real, made = (augment(each).detach().requires_grad_(self.penalty > 0) for each in (real, made))
        scores = self.discriminator(real, *given), self.discriminator(made, *given)
        loss = pairwise(*scores)
        told = {"loss": float(loss.detach()), "right": float((scores[0] > scores[1]).float().mean())}
        if self.penalty:
            r1, r2 = zero_centred(scores[0], real), zero_centred(scores[1], made)
            told |= {"r1": float(r1.detach()), "r2": float(r2.detach())}
            loss = loss + self.penalty / 2 * (r1 + r2)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return told

    def loss(self, made: Tensor, real: Tensor, *given: Tensor) -> Tensor:
        """What a generator lowers to be taken for the collection: gradients flow into `made`."""
        return pairwise(self.discriminator(made, *given), self.discriminator(real, *given))
