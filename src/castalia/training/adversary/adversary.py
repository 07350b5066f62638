# pyright: basic
"""The discriminator at work. What trains against it calls two methods and does not know how it learns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from castalia.training.adversary.losses import PAIRED, Game, zero_centred

Augment = Callable[[Tensor], Tensor]
"""Differentiable, and the same kind of chance for real and made samples."""


def _unchanged(samples: Tensor) -> Tensor:
    return samples


class Adversary:
    """A discriminator that learns to score real samples above made ones.

    The loss and its penalties are those of Huang et al. (2024), "The GAN is dead; long live the GAN!": the relativistic
    pairing loss with R1 and R2 at every step.

    Args:
        discriminator: Samples (samples, …), and what they are made from, → scores, higher for real ones.
        rate: Learning rate of Adam with β₁ = 0.
        penalty: γ; half of it weighs both penalties. 0 leaves them out.
        decay: β₂ of Adam.
        game: Both sides' losses.
        both: Whether made samples are penalised too (R2), or real ones alone (R1).
    """

    def __init__(
        self,
        discriminator: nn.Module,
        *,
        rate: float,
        penalty: float,
        decay: float = 0.99,
        game: Game = PAIRED,
        both: bool = True,
    ) -> None:
        self.discriminator, self.penalty, self.game, self.both = discriminator, penalty, game, both
        self.optimizer = torch.optim.Adam(discriminator.parameters(), lr=rate, betas=(0.0, decay))

    def adjust(self, *, rate: float, penalty: float, decay: float) -> None:
        """Change what a schedule changes from step to step; see the class."""
        self.penalty = penalty
        for group in self.optimizer.param_groups:
            group["lr"], group["betas"] = rate, (0.0, decay)

    def learn(self, real: Tensor, made: Tensor, *given: Tensor, augment: Augment = _unchanged) -> dict[str, float]:
        """One step of the discriminator.

        Args:
            real: Samples of the collection (samples, …).
            made: As many of the generator's.
            given: What each pair of samples is made from, words for example, for the discriminator.
            augment: Applied to both alike before they are scored.

        Returns:
            The step's `loss` (nats), `r1`, `r2` where they are penalised, and the share of pairs that it ranks right,
            `right`.
        """
        penalised = {"r1": self.penalty > 0, "r2": self.penalty > 0 and self.both}
        real, made = (
            augment(each).detach().requires_grad_(steep)
            for each, steep in zip((real, made), penalised.values(), strict=True)
        )
        scores = self.discriminator(real, *given), self.discriminator(made, *given)
        loss = self.game.discriminator(*scores)
        told = {"loss": float(loss.detach()), "right": float((scores[0] > scores[1]).float().mean())}
        for name, score, samples in zip(penalised, scores, (real, made), strict=True):
            if penalised[name]:
                slope = zero_centred(score, samples)
                told[name] = float(slope.detach())
                loss = loss + self.penalty / 2 * slope
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return told

    def loss(self, made: Tensor, real: Tensor, *given: Tensor, augment: Augment = _unchanged) -> Tensor:
        """What a generator lowers to be taken for the collection: gradients flow into `made` and nowhere else.

        Args:
            made: The generator's samples (samples, …).
            real: As many of the collection.
            given: As in `learn`.
            augment: As in `learn`: where it is left out here, the generator learns what it does as a trait of the
                collection (Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training").
        """
        with torch.no_grad():
            aim = self.discriminator(augment(real), *given)
        with _frozen(self.discriminator):
            return self.game.generator(aim, self.discriminator(augment(made), *given))


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """No gradients for the weights of what is computed inside."""
    learned = [each for each in network.parameters() if each.requires_grad]
    for each in learned:
        each.requires_grad_(False)
    try:
        yield
    finally:
        for each in learned:
            each.requires_grad_(True)
