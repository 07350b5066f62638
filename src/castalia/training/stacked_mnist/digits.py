# pyright: basic
"""MNIST's digits, and pictures of three of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from castalia.core.errors import MissingError
from castalia.core.language import say

SIDE, CLASSES, COLOURS = 32, 10, 3
MODES = CLASSES**COLOURS
TESTED = 2000
"""Digits kept for the classifier's test: neither it nor a generator learns from them."""
_SPLIT = 2026


@dataclass(frozen=True)
class Digits:
    """Digits of MNIST, with a border of two pixels.

    Attributes:
        pictures: (digits, 32, 32), float32, ground -1, ink up to 1.
        labels: (digits,), 0 to 9.
        digest: SHA-256 of the file they are from.
    """

    pictures: NDArray[np.float32]
    labels: NDArray[np.int64]
    digest: str

    def parts(self) -> tuple[Digits, Digits]:
        """Those to learn from, and `TESTED` others; always the same ones."""
        order = np.random.default_rng(_SPLIT).permutation(len(self.labels))
        taken = order[TESTED:], order[:TESTED]
        learned, tested = (Digits(self.pictures[each], self.labels[each], self.digest) for each in taken)
        return learned, tested


def read_digits(path: Path) -> Digits:
    """The digits of a file that `tools/fetch_digits.py` wrote.

    Args:
        path: Of an npz file with `pictures` (digits, 28, 28), uint8, and `labels` (digits,).

    Raises:
        MissingError: it is not there.
    """
    if not path.exists():
        raise MissingError(
            say("There are no digits at {path}.", "{path} 没有手写数字。", path=path),
            hint=say(
                "python tools/fetch_digits.py --out {path} fetches them.",
                "用 python tools/fetch_digits.py --out {path} 获取。",
                path=path,
            ),
        )
    with np.load(path, allow_pickle=False) as held:
        ink, labels = held["pictures"], held["labels"].astype(np.int64)
    bordered = np.pad(ink.astype(np.float32) / 127.5 - 1, ((0, 0), (2, 2), (2, 2)), constant_values=-1)
    return Digits(bordered, labels, hashlib.sha256(path.read_bytes()).hexdigest())


class Stacks:
    """Pictures of three digits: each colour's class is drawn evenly, then one of its digits.

    Args:
        digits: To choose from; of each class at least one.
    """

    def __init__(self, digits: Digits) -> None:
        self._pictures = torch.from_numpy(digits.pictures)
        self._of_class = [np.flatnonzero(digits.labels == each) for each in range(CLASSES)]

    def draw(self, rng: np.random.Generator, count: int) -> Tensor:
        """So many pictures (count, 3, 32, 32)."""
        classes, places = rng.integers(CLASSES, size=count * COLOURS), rng.random(count * COLOURS)
        chosen = [
            self._of_class[each][int(place * len(self._of_class[each]))]
            for each, place in zip(classes, places, strict=True)
        ]
        return self._pictures[torch.tensor(np.array(chosen))].reshape(count, COLOURS, SIDE, SIDE)
