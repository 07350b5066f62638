"""How strong the adversary's settings are as training goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Settling:
    """A setting that goes along half a cosine from its first value to its last and stays there.

    Huang et al. (2024), "The GAN is dead; long live the GAN!", appendix: learning rate, γ and β₂ all go so.

    Attributes:
        first: At step 0.
        last: From step `steps` on.
        steps: Updates in between; 0 is at `last` from the beginning.
    """

    first: float
    last: float
    steps: int

    def at(self, step: int) -> float:
        """The setting at a step."""
        if step >= self.steps:
            return self.last
        return self.last + (self.first - self.last) * (1 + math.cos(math.pi * step / self.steps)) / 2
