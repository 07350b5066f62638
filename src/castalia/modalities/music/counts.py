"""Counts of what came after which context: tables of hashed contexts, smoothed from short to long.

Each level of a chain of contexts is smoothed into the one before by the method C of Witten and Bell (1991, "The
zero-frequency problem", IEEE Trans. Inf. Theory 37).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

_HASH, _GOLDEN, _HALF = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0x9E3779B97F4A7C15), np.uint64(33)
_LEVEL = np.uint64(1009)
"""Stands between the levels of a chain."""
_PACKED, _OFFSET = 7, 64
"""Columns, of -64 to 191 each, that are mixed in at once, a byte a column."""
_SHIFTS = 8 * np.arange(_PACKED, dtype=np.uint64)[:, None]

Numbers = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Rows = NDArray[np.float32]


def hashes(several: Sequence[Sequence[Sequence[Numbers]]], salt: int) -> list[list[Hashes]]:
    """A 64-bit hash of each level's context, which includes those of the levels before: by chain and level (rows,).

    Args:
        several: Chains of levels of columns.
        salt: Of the first chain; the next one's is one more.
    """
    begins, order, ends = _layout(tuple(tuple(map(len, chain)) for chain in several))
    columns = np.array([column for chain in several for level in chain for column in level])
    shifts = _SHIFTS[(np.arange(len(columns)) - np.repeat(begins, np.diff([*begins, len(columns)])))]
    packs = np.bitwise_or.reduceat((columns + _OFFSET).astype(np.uint64) << shifts, begins)
    values = np.concatenate([packs, np.full((1, columns.shape[1]), _LEVEL)])[order]  # (turns, chains, rows)
    mixed = np.repeat(np.arange(salt + 1, salt + 1 + len(several), dtype=np.uint64)[:, None], columns.shape[1], 1)
    turns: list[Hashes] = []
    for value in values:
        mixed = _mixed(mixed, value)
        turns.append(mixed)
    return [[turns[turn][at] for turn in chain] for at, chain in enumerate(ends)]


@cache
def _layout(lengths: tuple[tuple[int, ...], ...]) -> tuple[Numbers, Numbers, list[list[int]]]:
    """How chains of levels of so many columns are mixed in turns, all chains side by side.

    Returns:
        (column with which each pack begins, pack that each turn mixes into each chain (turns, chains), -1 for the mark
        between levels; by chain, the turn after which each level ends).
    """
    begins: list[int] = []
    order: list[list[int]] = []
    ends: list[list[int]] = []
    column = 0
    for chain in lengths:
        turns, done = list[int](), list[int]()
        for level in chain:
            turns.append(-1)
            for first in range(0, level, _PACKED):
                turns.append(len(begins))
                begins.append(column + first)
            column += level
            done.append(len(turns) - 1)
        order.append(turns)
        ends.append(done)
    longest = max(map(len, order))
    padded = [turns + [-1] * (longest - len(turns)) for turns in order]
    return np.array(begins), np.array(padded).T, ends


@dataclass(frozen=True)
class Table:
    """Counts of symbols by context: one level of a chain.

    Attributes:
        keys: Sorted hashes, the upper 32 bits (contexts,).
        begins: Where a context's entries begin (contexts + 1,).
        moves: Which symbols came (entries,).
        counts: How often (entries,), at most 65,535.
    """

    keys: NDArray[np.uint32]
    begins: NDArray[np.uint32]
    moves: NDArray[np.uint8]
    counts: NDArray[np.uint16]

    def look(self, hashed: Hashes, size: int) -> Rows:
        """Counts by row (rows, size)."""
        found = np.zeros((len(hashed), size), np.float32)
        if not len(self.keys):
            return found
        short = (hashed >> np.uint64(32)).astype(np.uint32)
        places = np.minimum(self.keys.searchsorted(short), len(self.keys) - 1)
        rows = (self.keys[places] == short).nonzero()[0]
        firsts, lasts = self.begins[places[rows]].tolist(), self.begins[places[rows] + 1].tolist()
        for row, first, last in zip(rows.tolist(), firsts, lasts, strict=True):
            found[row, self.moves[first:last]] = self.counts[first:last]
        return found

    @staticmethod
    def of(hashed: Hashes, moves: Numbers, size: int, *, least: int = 1) -> Table:
        """Count symbols by context.

        Args:
            hashed: Context of each note.
            moves: The note, as a symbol.
            size: How many symbols there are.
            least: Contexts that came less often are left out.
        """
        short = (hashed >> np.uint64(32)).astype(np.uint32)
        keys, place, often = np.unique(short, return_inverse=True, return_counts=True)
        pairs, counts = np.unique(place.astype(np.int64) * size + moves, return_counts=True)
        keep = often[pairs // size] >= least
        pairs, counts = pairs[keep], counts[keep]
        left = np.flatnonzero(often >= least)
        begins = np.searchsorted(pairs // size, np.append(left, len(keys))).astype(np.uint32)
        return Table(
            keys[left].astype(np.uint32),
            begins,
            (pairs % size).astype(np.uint8),
            np.minimum(counts, 65_535).astype(np.uint16),
        )

    def arrays(self, place: str) -> dict[str, NDArray[np.generic]]:
        """Its columns as `<place>.<column>`."""
        return {f"{place}.{name}": getattr(self, name) for name in ("keys", "begins", "moves", "counts")}

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[np.generic]], place: str) -> Table:
        """The reverse of `arrays`."""
        return Table(
            np.asarray(arrays[f"{place}.keys"], np.uint32),
            np.asarray(arrays[f"{place}.begins"], np.uint32),
            np.asarray(arrays[f"{place}.moves"], np.uint8),
            np.asarray(arrays[f"{place}.counts"], np.uint16),
        )


def smoothed(counts: Rows, chances: Rows) -> Rows:
    """Counts (rows, symbols) on top of the chances that a shorter context gives."""
    weight = 0.5 * (counts > 0).sum(1, keepdims=True) + 0.5
    return ((counts + weight * chances) / (counts.sum(1, keepdims=True) + weight)).astype(np.float32)


def left_out(
    hashed: Hashes, moves: Numbers, piece: Numbers, inside: NDArray[np.bool_], size: int, *, least: int = 1
) -> Rows:
    """Counts of a collection at each note, without those of the note's own piece (notes, size).

    Args:
        hashed: Context of each note.
        moves: The note, as a symbol.
        piece: Number of the note's piece.
        inside: Whether its piece belongs to the collection.
        size: How many symbols there are.
        least: Contexts that are left with fewer have no counts, as in `Table.of` they would have none.
    """
    _, place = np.unique(hashed >> np.uint64(32), return_inverse=True)
    total = np.zeros((place.max() + 1, size), np.float32)
    np.add.at(total, (place[inside], moves[inside]), 1)
    _, mine = np.unique(place[inside] * np.int64(piece.max() + 1) + piece[inside], return_inverse=True)
    own = np.zeros((mine.max() + 1, size), np.float32)
    np.add.at(own, (mine, moves[inside]), 1)
    counts = total[place]
    counts[inside] -= own[mine]
    if least > 1:
        counts[counts.sum(1) < least] = 0
    return counts


def _mixed(mixed: Hashes, value: Hashes | np.uint64) -> Hashes:
    mixed = (mixed ^ (value + _GOLDEN)) * _HASH
    return mixed ^ (mixed >> _HALF)
