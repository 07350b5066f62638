# pyright: basic
"""How far drawn pictures are from a collection's, seen by a network that knows photographs (`Features`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.training.feature_distance import frechet, kernel, precision_and_coverage, recall
from castalia.training.features import Features, features_of
from castalia.training.images.material import Material
from castalia.training.images.recipe import Recipe
from castalia.training.stages import Watch

Pixels = NDArray[np.uint8]
MOST, LEAST = 128, 8
"""Pictures in each of both halves."""
_NEAR, _SIDE = 5, 64
"""Neighbours of precision, recall and coverage; pixels a side that are looked at, at least."""


class Look:
    """Two halves of a collection: what stands for the one is compared with the other.

    Pictures that are not learned come first into both. `floor` is the same of the pictures of the one half themselves:
    what a perfect model would reach.

    Args:
        material: Of at least twice `LEAST` pictures.

    Attributes:
        asked: Numbers of the pictures that something has to stand for.

    Raises:
        UsageError: there are fewer pictures.
        MissingError: the network was not fetched (`castalia models pull features`).
    """

    def __init__(self, material: Material) -> None:
        self._network = Features.installed()
        learned = np.random.default_rng(0).permutation(list(material.train))
        order = list(dict.fromkeys([*material.valid, *map(int, learned)]))
        half = min(MOST, len(order) // 2)
        if half < LEAST:
            raise UsageError(
                say(
                    "{n} pictures are too few to compare one half with the other; {least} are needed.",
                    "{n} 张图片不足以两半相比；至少需要 {least} 张。",
                    n=len(order),
                    least=2 * LEAST,
                ),
                hint=say("--set looks=0 trains without.", "用 --set looks=0 训练则不比较。"),
            )
        self.asked: Sequence[int] = order[: 2 * half : 2]
        self._side = max(_SIDE, len(material.pixels[0]))
        self._real = self._seen([material.pixels[at] for at in order[1 : 2 * half : 2]])
        self._floor = self._far(self._seen([material.pixels[at] for at in self.asked]))

    def figures(self, made: Sequence[Pixels]) -> Mapping[str, float]:
        """`kernel` and `frechet`, each with its floor, then `precision`, `recall` and `coverage`.

        Args:
            made: What stands for each of `asked` (S, S, 3).
        """
        seen = self._seen(made)
        near = min(_NEAR, len(seen) - 1)
        figures: dict[str, float] = {}
        for name, value in self._far(seen).items():
            figures |= {name: value, f"{name}_floor": self._floor[name]}
        precision, coverage = precision_and_coverage(self._real, seen, near=near)
        return figures | {"precision": precision, "recall": recall(self._real, seen, near=near), "coverage": coverage}

    def _seen(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        return features_of(self._network, pictures, side=self._side)

    def _far(self, seen: NDArray[np.float32]) -> Mapping[str, float]:
        return {"kernel": kernel(self._real, seen), "frechet": frechet(self._real, seen)}


def watched(material: Material, recipe: Recipe, drawn: Callable[[Sequence[int]], Sequence[Pixels]]) -> Watch | None:
    """What a stage of pictures is watched by; None where the recipe takes no looks.

    Args:
        material: What is learned.
        recipe: How.
        drawn: What stands for pictures of those numbers now (S, S, 3).
    """
    if not recipe.looks:
        return None
    look = Look(material)
    return Watch(lambda: look.figures(drawn(look.asked)), recipe.looks, recipe.patience)
