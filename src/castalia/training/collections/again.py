"""Pieces that come again in a collection."""

from __future__ import annotations

import zlib
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from castalia.core.language import say

_MEANS = 48
"""Of stretches of a proof, by which most pieces are told apart at once."""


class Known:
    """Prints of the pieces so far, to find one that comes again; see `Intake`.

    Of pieces with a proof less than a kilobyte each is kept, and a piece is compared with all others in one pass.

    Args:
        same: Share of prints.
        apart: What no number of two proofs differs by.
    """

    def __init__(self, same: float, apart: float) -> None:
        self._same, self._apart = same, apart
        self._holders: dict[str, list[str]] = {}
        self._sizes: dict[str, int] = {}
        self._titles: list[str] = []
        self._means, self._proofs = np.empty((0, _MEANS), np.float32), np.empty((0, 0), np.uint8)
        self._prints: list[NDArray[np.uint32]] = []

    def again(self, prints: frozenset[str], proof: NDArray[np.float64] | None) -> str:
        """Why a piece is one that was there, or nearly; empty where it is none."""
        title = self._by_prints(prints) if proof is None else self._by_proof(_numbers(prints), proof.ravel())
        return say("the same piece as {title}, or nearly", "与 {title} 相同或几乎相同", title=title) if title else ""

    def note(self, title: str, prints: frozenset[str], proof: NDArray[np.float64] | None) -> None:
        """Remember a piece."""
        if proof is None:
            self._sizes[title] = len(prints)
            for digest in prints:
                self._holders.setdefault(digest, []).append(title)
            return
        at = len(self._titles)
        self._titles.append(title)
        self._prints.append(_numbers(prints))
        if at == len(self._means):
            more = max(64, at)
            self._means = np.concatenate([self._means, np.empty((more, _MEANS), np.float32)])
            self._proofs = np.concatenate(
                [self._proofs.reshape(at, proof.size), np.empty((more, proof.size), np.uint8)]
            )
        self._means[at], self._proofs[at] = _means(proof.ravel()), np.rint(proof.ravel())

    def _by_prints(self, prints: frozenset[str]) -> str:
        shared = Counter(title for digest in prints for title in self._holders.get(digest, ()))
        return next(
            (title for title, many in shared.items() if many >= self._same * min(len(prints), self._sizes[title])), ""
        )

    def _by_proof(self, prints: NDArray[np.uint32], proof: NDArray[np.float64]) -> str:
        near = (np.abs(self._means[: len(self._titles)] - _means(proof)) < self._apart).all(1)
        for at in np.flatnonzero(near).tolist():
            shared = len(np.intersect1d(prints, self._prints[at], assume_unique=True))
            enough = shared >= self._same * min(len(prints), len(self._prints[at]))
            if enough and np.abs(proof - self._proofs[at]).max() < self._apart:
                return self._titles[at]
        return ""


def _means(proof: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.array([each.mean() for each in np.array_split(proof, _MEANS)], np.float32)


def _numbers(prints: frozenset[str]) -> NDArray[np.uint32]:
    return np.array(sorted({zlib.crc32(each.encode()) for each in prints}), np.uint32)
