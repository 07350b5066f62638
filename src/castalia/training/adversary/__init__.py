"""The adversary: a discriminator with its optimiser and both losses, the same for every kind of material."""

from __future__ import annotations

from castalia.training.adversary.adversary import Adversary
from castalia.training.adversary.losses import pairwise, zero_centred

__all__ = ["Adversary", "pairwise", "zero_centred"]
