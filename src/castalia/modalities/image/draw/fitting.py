"""Which learned picture fills in what words leave open: the one whose name and keywords fit them best."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.image.draw.folder import Learned
from castalia.modalities.image.draw.layers import Floats

Rows = NDArray[np.intp]
_SAID = 0.7
"""How much a keyword of a learned picture counts against a word of its name."""
_MAIN = 3.0
"""How much what is asked for counts against what is said of it."""
_PLAIN = 5.0
"""How much likelier a name is that says nothing else."""
_FEW, _ASIDE = 6, 0.02
"""Pictures, and share of them, below which a word is a thing of its own, which would be drawn over another: the share
for what stands beside it, as a table under a teapot."""
_UNLIKE = 0.005
"""How likely a name is that shares no other word with those it is chosen from, as a hot dog of dogs: others have .1."""


@dataclass(frozen=True)
class Fit:
    """What fills in.

    Attributes:
        picture: Number of the learned picture that chance chose.
        missing: Of the words that were asked for, those that it has in no way, and the main ones that do not name it.
        left: Of the missing words those that would only blur it: what few pictures have, see `_FEW`.
    """

    picture: int
    missing: Sequence[int]
    left: Sequence[int]


class Fitting:
    """The names and keywords of learned pictures, to be searched.

    Args:
        learned: The pictures.
        apart: Words that are no part of a name, as of a manner.
        same: Words that mean the same.
    """

    def __init__(self, learned: Learned, apart: Set[int], same: Sequence[Set[int]]) -> None:
        names = [[int(word) for word in row if word and word not in apart] for row in learned.words]
        self._apart = apart
        self._rows = np.concatenate([learned.words, learned.tags], 1)
        self._held, self._tags = learned.words, learned.tags
        self._same = {word: each for each in same for word in each}
        self._said = np.array([len(each) for each in names])
        self._ends = frozenset(each[-1] for each in names if each)

    def main(self, parts: Sequence[Sequence[int]]) -> Sequence[int]:
        """What is asked for: of the parts of a phrase, the last in which a learned name ends, else the last."""
        ending = [part for part in parts if self._ends.intersection(part)]
        return (ending or parts or [()])[-1]

    def fit(self, words: Sequence[int], parts: Sequence[Sequence[int]], rng: np.random.Generator) -> Fit | None:
        """A picture that has most of the words, which chance chooses; None where none has any.

        Args:
            words: That were said.
            parts: Of them those of the first clause, see `main`; what is not in them stands beside what is asked for.
            rng: Chooses.

        Rare words count more (Spärck Jones 1972, "A statistical interpretation of term specificity"), what is asked for
        counts more than what is said of it. Of pictures that have as much, those whose names say little else are
        likelier; where each name says something else, those that are like the others.
        """
        if not words:
            return None
        main, clause = self.main(parts), {word for part in parts for word in part}
        meant = [list(self._same.get(word, {word})) for word in words]
        has, said = (np.stack([np.isin(held, each).any(1) for each in meant], 1) for held in (self._held, self._tags))
        rarity = np.log((1 + len(has)) / (has | said).sum(0).clip(1))
        rarity[np.isin(words, main)] *= _MAIN
        score = np.where(has, 1, _SAID * said) @ rarity  # (pictures,)
        fits = np.flatnonzero((score > 0) & (score > score.max() - 1e-6))
        if not len(fits):
            return None
        more = self._said[fits] - has[fits][:, [word not in self._apart for word in words]].sum(1)
        likely = (1.0 + more.clip(0)) ** -_PLAIN
        if more.min() > 0:
            likely *= self._typical(fits, np.flatnonzero(score >= _SAID * score.max() - 1e-6), words)
        chosen = int(rng.choice(fits, p=likely / likely.sum()))
        there = has[chosen] | (said[chosen] & ~np.isin(words, main))
        absent, often = ~(has[chosen] | said[chosen]), (has | said).sum(0)
        aside = np.array([word not in clause for word in words])
        few = often < np.where(aside, max(_FEW, _ASIDE * len(has)), _FEW)
        missing, left = (
            [word for word, here in zip(words, each.tolist(), strict=True) if here] for each in (~there, absent & few)
        )
        return Fit(chosen, missing, left)

    def _typical(self, fits: Rows, of: Rows, words: Sequence[int]) -> Floats:
        """How much each of these pictures is like others (Rocchio 1971): the mean cosine of what more is said of them.

        Args:
            fits: Which are asked about.
            of: They and others, in their order.
            words: That were asked for: all have some of them.
        """
        rows = self._rows[of]
        weights: Floats = np.where(np.isin(rows, words), 0, self._rarity[rows]).astype(np.float32)
        weights /= np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-6)
        mine = np.searchsorted(of, fits)
        total = np.bincount(rows.ravel(), weights.ravel())
        like = (total[rows[mine]] - weights[mine]) * weights[mine]
        return (_UNLIKE + like.sum(1) / len(of)).astype(np.float32)

    @cached_property
    def _rarity(self) -> Floats:
        """How much each word counts by its number, the rarer the more; none where there is no word."""
        rare = np.log(1 + len(self._rows) / np.bincount(self._rows.ravel()).clip(1)).astype(np.float32)
        rare[0] = 0
        return rare
