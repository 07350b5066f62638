"""Directions among a picture model's codes, each named by what it was measured to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from castalia.core.language import say
from castalia.modalities.image.draw.layers import Floats


@dataclass(frozen=True)
class Direction:
    """A direction of codes along which pictures change in one way.

    Attributes:
        name: What it does, in English.
        chinese: The same.
        vector: What is added to a code (words,), for an amount of 1.
        found_by: `sefa`, factorisation of the first layer, or regression: on `moves` of codes, or on `pictures`.
        effect: Change of what its name says for an amount of 2, mean over pictures, deviations over learned ones.
        sure: Share of pictures that change so.
        pure: Share of what its name says in all that changes.
    """

    name: str
    chinese: str
    vector: Floats
    found_by: str = ""
    effect: float = 0.0
    sure: float = 0.0
    pure: float = 0.0

    @staticmethod
    def of(held: Mapping[str, Any]) -> Direction:
        """As a model's card holds it."""
        plain = {name: value for name, value in held.items() if name != "vector"}
        return Direction(vector=np.array(held["vector"], np.float32), **plain)

    @property
    def told(self) -> str:
        """Its names, and what was measured."""
        names = f"{self.name} ({self.chinese})"
        if not self.found_by:
            return names
        return names + say(
            ": {effect:.1f} deviations, {sure:.0%} of pictures, {pure:.0%} pure, {found_by}",
            "：{effect:.1f} 个标准差，{sure:.0%} 的图片，纯度 {pure:.0%}，{found_by}",
            effect=self.effect,
            sure=self.sure,
            pure=self.pure,
            found_by=self.found_by,
        )
