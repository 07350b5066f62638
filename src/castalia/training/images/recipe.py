"""The recipe of pictures: three stages, one dial of size, one number of steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from castalia.training.images.network import SMALL, Size

PARTS = {"autoencoder": 4500, "generator": 8000, "decoder": 1500}
"""How a run's steps are shared out: of so many together, each stage takes these."""


@dataclass(frozen=True)
class Recipe:
    """All that a run is a function of, beside the collection."""

    size: Size = field(default_factory=lambda: SMALL)
    steps: int = sum(PARTS.values())
    """Updates of all stages together."""
    autoencoder_batch: int = 8
    generator_batch: int = 24
    decoder_batch: int = 8
    """Pictures a step."""
    autoencoder_rate: float = 1.5e-3
    generator_rate: float = 4e-4
    decoder_rate: float = 4e-4
    """Highest learning rates."""
    autoencoder_pull: float = 1e-4
    """Weight of the latents' divergence from the standard normal, a nat and element."""
    latent_adversary: float = 0.05
    patch_adversary: float = 0.02
    """Weights of the adversarial losses, of the generator and of the decoder."""
    latent_penalty: float = 10.0
    patch_penalty: float = 1.0
    """γ of the adversaries."""
    adversary_begins: float = 0.7
    """Share of the generator's steps after which its adversary acts."""
    autoencoder_features: float = 0.0
    generator_features: float = 0.0
    decoder_features: float = 0.0
    """Weights of the distance by which a network of photographs tells made pictures from true ones (`unlikeness`)."""
    augment: float = 0.0
    """How well the adversaries may know their pictures (r_t) before they are augmented; see `Augmentation`."""
    looks: int = 0
    """Lines of the log from one look at the features of pictures to the next; see `Look`. 0 takes none."""
    patience: int = 0
    """Looks in a row without a smaller distance after which a stage stops and keeps its best; 0 goes on to the end."""
    bits: Literal[8, 16] = 8
    """Of a weight in the exported model."""
    seed: int = 0

    @property
    def members(self) -> int:
        """Models that are averaged."""
        return 1

    def of(self, stage: str) -> int:
        """Steps of a stage, a key of `PARTS`."""
        return max(1, round(self.steps * PARTS[stage] / sum(PARTS.values())))
