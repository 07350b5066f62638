"""The adversary: a discriminator with its optimiser and both losses, the same for every kind of material."""

from __future__ import annotations

from castalia.training.adversary.adversary import Adversary
from castalia.training.adversary.losses import PAIRED, SEPARATE, Game, pairwise, zero_centred
from castalia.training.adversary.schedule import Settling

__all__ = ["PAIRED", "SEPARATE", "Adversary", "Game", "Settling", "pairwise", "zero_centred"]
