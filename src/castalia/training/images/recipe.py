"""The recipe of pictures: three stages, one dial of size, one number of steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from castalia.training.images.network import SMALL, Size

PARTS = {"autoencoder": 4500, "generator": 8000, "decoder": 3000}
"""How a run's steps are shared out: of so many together, each stage takes these."""
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
Many = Annotated[int, Field(ge=1)]
Some = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Recipe:
    """All that a run is a function of, beside the collection."""

    size: Size = field(default_factory=lambda: SMALL)
    steps: int = sum(PARTS.values())
    """Updates of all stages together."""
    autoencoder_batch: Many = 8
    generator_batch: Many = 24
    decoder_batch: Many = 8
    """Pictures a step."""
    autoencoder_rate: Weight = 1.5e-3
    generator_rate: Weight = 4e-4
    decoder_rate: Weight = 4e-4
    """Highest learning rates."""
    autoencoder_pull: Weight = 1e-4
    """Weight of the latents' divergence from the standard normal, a nat and element."""
    latent_adversary: Weight = 0.05
    patch_adversary: Weight = 0.7
    """Weights of the adversarial losses, of the generator and of the decoder."""
    latent_penalty: Weight = 10.0
    patch_penalty: Weight = 0.001
    """γ of the adversaries; of patches a small one, because the slopes of all of a picture's patches add up."""
    adversary_begins: Share = 0.7
    """Share of the generator's steps after which its adversary acts."""
    autoencoder_features: Weight = 0.0
    generator_features: Weight = 0.0
    decoder_features: Weight = 0.0
    """Weights of the distance by which a network of photographs tells made pictures from true ones (`unlikeness`)."""
    augment: Share = 0.0
    """How well the adversaries may know their pictures (r_t) before they are augmented; see `Augmentation`."""
    looks: Some = 0
    """Lines of the log from one look at the features of pictures to the next; see `Look`. 0 takes none."""
    patience: Some = 0
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
