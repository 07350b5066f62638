"""Counts as experts: which length and which pitch came next in like places, in other tunes and in this one.

Three chains of contexts read the tunes of a collection, one this tune itself, so that its motifs come back; all count
from the tonic. A network weighs them (see `training/tunes/network.py`); for its training, a tune's own counts are taken
out of the tables again, exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.counts import Rows, Table, hashes, left_out, smoothed
from castalia.modalities.music.tunes.state import State, walk
from castalia.modalities.music.tunes.tune import LENGTHS, PITCHES, Numbers, Tune

SIZES = (len(LENGTHS), PITCHES)
"""Symbols of a length, and of a pitch."""
EXPERTS = 4
"""Three chains over other tunes, one over the tune itself."""
LEAST = 5
"""Contexts that came less often are forgotten: with them the counts say no more (measured on validation tunes)."""
_MIX = (0.35, 0.25, 0.4)
"""Shares of the other tunes' chains in what the tune's own counts are laid upon."""


def chains(state: State, length: Numbers | None) -> list[list[list[Numbers]]]:
    """The contexts of the next note in other tunes: chains of levels, each the columns that it adds.

    Args:
        state: The past.
        length: How long the note is, where its pitch is asked; None asks for its length.
    """
    now = state.inputs()
    p, n = ([state.pitches[:, at] for at in range(5)], [state.lengths[:, at] for at in range(5)])
    metre, mode, kind, place = now["metre"], now["mode"], now["kind"], now["place"]
    if length is None:
        return [
            [[metre, place], n[:1], n[1:2], n[2:3], [n[3], kind]],
            [[metre, place], [kind], [now["strain"], np.minimum(now["left"], 3)], n[:2]],
            [[metre, place, n[0]], p[:1], [p[1], n[1]], [p[2], n[2]]],
        ]
    return [
        [[mode, p[0]], p[1:2], [place, length], p[2:3], [p[3], n[0]]],
        [[mode, place, metre], [now["strain"], np.minimum(now["left"], 3)], p[:1], [kind, length], p[1:2]],
        [[mode, p[0], length], [p[1], n[0]], [p[2], n[1]], [p[3], n[2]], p[4:5]],
    ]


def own_chain(state: State, length: Numbers | None) -> list[list[Numbers]]:
    """The same within the tune itself."""
    place = state.inputs()["place"]
    p, n = ([state.pitches[:, at] for at in range(4)], [state.lengths[:, at] for at in range(4)])
    if length is None:
        return [[place, n[0]], [p[0], n[1]], [p[1], n[2]]]
    return [[p[0]], [p[1], length], [place, p[2]], [p[3], n[0]]]


@dataclass(frozen=True)
class Experts:
    """The tables of a collection, and how likely its symbols are without any context.

    Attributes:
        prior: Of lengths (lengths,), and of pitches (pitches,).
        tables: For lengths and for pitches, by chain and level.
    """

    prior: tuple[NDArray[np.float32], NDArray[np.float32]]
    tables: Sequence[Sequence[Sequence[Table]]]

    def read(self, state: State, length: Numbers | None, memory: Memory) -> tuple[Rows, Rows]:
        """What each expert says of the next note's length, or of its pitch when its length is known.

        Returns:
            (chances (rows, EXPERTS, symbols), log of 1 + how often the longest contexts were seen (rows, EXPERTS)).
        """
        what = int(length is not None)
        said: list[Rows] = []
        seen: list[Rows] = []
        for number, levels in enumerate(hashes(chains(state, length), 8 * what)):
            chances = np.tile(self.prior[what], (state.rows, 1))
            counts = np.zeros_like(chances)
            for table, hashed in zip(self.tables[what][number], levels, strict=True):
                counts = table.look(hashed, SIZES[what])
                chances = smoothed(counts, chances)
            said.append(chances)
            seen.append(np.log1p(counts.sum(1)))
        return memory.add_to(said, seen, state, length)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All tables as named arrays."""
        flat: dict[str, NDArray[np.generic]] = {f"prior.{what}": each for what, each in enumerate(self.prior)}
        for what, by_chain in enumerate(self.tables):
            for chain, levels in enumerate(by_chain):
                for level, table in enumerate(levels):
                    flat |= table.arrays(f"{what}.{chain}.{level}")
        return flat

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> Experts:
        """The reverse of `arrays`."""
        places = sorted({tuple(map(int, name.split(".")[:3])) for name in arrays if name.endswith(".keys")})
        tables: list[list[list[Table]]] = [[], []]
        for what, chain, level in places:
            while len(tables[what]) <= chain:
                tables[what].append([])
            tables[what][chain].append(Table.from_arrays(arrays, f"{what}.{chain}.{level}"))
        lengths, pitches = (np.asarray(arrays[f"prior.{what}"], np.float32) for what in range(2))
        return Experts((lengths, pitches), tables)


class Memory:
    """What tunes have played so far, by context: the expert of what comes again.

    Args:
        rows: How many tunes.
    """

    def __init__(self, rows: int) -> None:
        self._counts: list[dict[int, dict[int, int]]] = [{} for _ in range(rows)]

    def add_to(self, said: list[Rows], seen: list[Rows], state: State, length: Numbers | None) -> tuple[Rows, Rows]:
        """The other experts' chances with its own behind them; see `Experts.read`."""
        chances: Rows = np.tensordot(np.array(_MIX, np.float32), np.stack(said), 1).astype(np.float32)
        depth = np.zeros(state.rows, np.float32)
        for level, hashed in enumerate(hashes([own_chain(state, length)], 100 + int(length is not None))[0]):
            for row, key in enumerate(hashed.tolist()):
                if (counts := self._counts[row].get(key)) is None:
                    continue
                total, kinds = sum(counts.values()), len(counts)
                weight = 0.5 * kinds + 0.3
                chances[row] *= weight / (total + weight)
                for symbol, count in counts.items():
                    chances[row, symbol] += count / (total + weight)
                depth[row] = level + 1 + np.log1p(total) / 4
        return np.stack([*said, chances], 1), np.stack([*seen, depth], 1)

    def note(self, state: State, length: Numbers, pitch: Numbers, rows: NDArray[np.bool_]) -> None:
        """Count a note before the state advances over it, in the tunes that take it."""
        going = np.flatnonzero(rows).tolist()
        for what, symbols in enumerate((length.tolist(), pitch.tolist())):
            for hashed in hashes([own_chain(state, length if what else None)], 100 + what)[0]:
                keys = hashed.tolist()
                for row in going:
                    counts = self._counts[row].setdefault(keys[row], {})
                    counts[symbols[row]] = counts.get(symbols[row], 0) + 1


@dataclass(frozen=True)
class Learned:
    """Experts of a collection, and what they say of tunes.

    Attributes:
        experts: Their tables.
        chances: Of lengths and of pitches, by tune: (notes, EXPERTS, symbols); those of the collection itself without
            its own counts.
        seen: The same, (notes, EXPERTS).
    """

    experts: Experts
    chances: tuple[Sequence[NDArray[np.float16]], Sequence[NDArray[np.float16]]]
    seen: tuple[Sequence[NDArray[np.float16]], Sequence[NDArray[np.float16]]]


def learn(tunes: Sequence[Tune], others: Sequence[Tune] = ()) -> Learned:
    """Count a collection, and read its own tunes and some others with it.

    Args:
        tunes: The collection; each is read with its own counts taken out.
        others: Tunes that are only read.
    """
    every = [*tunes, *others]
    sizes = [len(tune.notes) for tune in every]
    hashed, symbols = _contexts(every, sizes)
    tune_of = np.repeat(np.arange(len(every)), sizes)
    inside = tune_of < len(tunes)
    priors: list[NDArray[np.float32]] = []
    tables: list[list[list[Table]]] = []
    said: list[list[Rows]] = []
    seen: list[list[Rows]] = []
    for what, size in enumerate(SIZES):
        counted = np.bincount(symbols[what][inside], minlength=size) + 0.1
        priors.append((counted / counted.sum()).astype(np.float32))
        tables.append([])
        said.append([])
        seen.append([])
        for levels in hashed[what]:
            chances = np.tile(priors[what], (len(tune_of), 1))
            counts, made = chances, list[Table]()
            for level in levels:
                made.append(Table.of(level[inside], symbols[what][inside], size, least=LEAST))
                counts = left_out(level, symbols[what], tune_of, inside, size, least=LEAST)
                chances = smoothed(counts, chances)
            tables[what].append(made)
            said[what].append(chances)
            seen[what].append(np.log1p(counts.sum(1)))
    whole, deep = _with_memory(every, sizes, said, seen)
    ends = np.cumsum(sizes)[:-1]
    return Learned(
        Experts((priors[0], priors[1]), tables),
        (np.split(whole[0], ends), np.split(whole[1], ends)),
        (np.split(deep[0], ends), np.split(deep[1], ends)),
    )


# ---------------------------------------------------------------- within


def _contexts(
    tunes: Sequence[Tune], sizes: Sequence[int]
) -> tuple[list[list[list[NDArray[np.uint64]]]], tuple[Numbers, Numbers]]:
    """Hashes of lengths and of pitches by chain and level, and both as symbols (all notes,), tune after tune."""
    begins, total = np.concatenate([[0], np.cumsum(sizes)[:-1]]), sum(sizes)
    hashed: list[list[list[NDArray[np.uint64]]]] = [[], []]
    symbols = np.zeros(total, np.int64), np.zeros(total, np.int64)
    for number, (state, length, pitch, going) in enumerate(walk(tunes)):
        place = (begins + number)[going]
        symbols[0][place], symbols[1][place] = length[going], pitch[going]
        for what in range(2):
            for at, found in enumerate(hashes(chains(state, length if what else None), 8 * what)):
                if len(hashed[what]) <= at:
                    hashed[what].append([np.zeros(total, np.uint64) for _ in found])
                for level, each in enumerate(found):
                    hashed[what][at][level][place] = each[going]
    return hashed, symbols


def _with_memory(
    tunes: Sequence[Tune], sizes: Sequence[int], said: list[list[Rows]], seen: list[list[Rows]]
) -> tuple[list[NDArray[np.float16]], list[NDArray[np.float16]]]:
    """Put the tunes' own expert beside the others: (all notes, EXPERTS[, symbols]) of lengths and of pitches."""
    begins, total = np.concatenate([[0], np.cumsum(sizes)[:-1]]), sum(sizes)
    chances = [np.zeros((total, EXPERTS, size), np.float16) for size in SIZES]
    depth = [np.zeros((total, EXPERTS), np.float16) for _ in SIZES]
    memory = Memory(len(tunes))
    for number, (state, length, pitch, going) in enumerate(walk(tunes)):
        place = np.where(going, begins + number, 0)
        for what in range(2):
            whole, deep = memory.add_to(
                [each[place] for each in said[what]],
                [each[place] for each in seen[what]],
                state,
                length if what else None,
            )
            chances[what][place[going]], depth[what][place[going]] = whole[going], deep[going]
        memory.note(state, length, pitch, going)
    return chances, depth
