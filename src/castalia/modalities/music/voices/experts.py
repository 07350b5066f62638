"""Counts as experts: how often a voice moved by which interval in like places, in other pieces and in this one.

Every context is relative to the voice's own last pitch, so that one piece teaches all keys. The experts of a voice are
chains of contexts, each longer than the one before and smoothed into it (`counts.py`). A network weighs them (see
`training/chorales/network.py`); for its training, a piece's own counts are taken out of the tables again, exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.counts import Rows, Table, hashes, left_out, smoothed
from castalia.modalities.music.voices.grid import VOICES, Frames
from castalia.modalities.music.voices.state import NONE, Numbers, State, walk

REACH = 16
"""Semitones of the largest interval that is counted by itself."""
MOVES = 2 * REACH + 2
"""Intervals from -16 to 16, and last: a rest, or farther."""
OTHER = MOVES - 1


def moves_of(pitches: Numbers, reference: Numbers) -> Numbers:
    """Each pitch as a move from the voice's last one, 0–33."""
    step = pitches - reference
    return np.where((pitches == 0) | (np.abs(step) > REACH), OTHER, step + REACH)


def chains(state: State, voice: int, chosen: Numbers) -> list[list[list[Numbers]]]:
    """The contexts of a voice's next note in other pieces: chains of levels, each the columns that it adds.

    Args:
        state: The past.
        voice: 0 soprano … 3 bass.
        chosen: Pitches of the voices above in the same frame (rows, ≥ voice).
    """
    reference, before = state.reference[:, voice], state.recent[0]
    beat = np.full(state.rows, state.time % 4, np.int64)
    held = state.held[:, voice]
    above = [_relative(chosen[:, other], reference) for other in range(voice)]
    moved = [(chosen[:, other] != before[:, other]).astype(np.int64) for other in range(voice)]
    others = [_relative(before[:, other], reference) for other in range(VOICES) if other != voice]
    chord = [_relative(state.chord[:, other], reference) for other in range(VOICES)]
    steps = [state.steps[:, voice, at] for at in range(6)]
    lengths = [state.lengths[:, voice, at] for at in range(6)]
    bass = others[-1:] if voice < VOICES - 1 else []
    some, few = np.minimum(held, 8), np.minimum(held, 4)
    return [
        [
            [beat, some],
            moved,
            steps[:1],
            [steps[1], lengths[0], held],
            [steps[2], lengths[1]],
            [*steps[3:5], lengths[2]],
        ],
        [[beat, few], moved, above[-1:], above[:-1], others[voice : voice + 1], others],
        [[beat, some, *moved, *above], bass, others, steps[:1], chord],
    ]


def own_chains(state: State, voice: int, chosen: Numbers) -> list[list[list[Numbers]]]:
    """The same within the piece itself: there, pitches count as they are, for what comes again."""
    before, held = state.recent[0], state.held[:, voice]
    beat = np.full(state.rows, state.time % 4, np.int64)
    above = [chosen[:, other] for other in range(voice)]
    all_held = [state.held[:, other] for other in range(VOICES)]
    line = [state.recent[at, :, voice] for at in range(8)]
    past = [state.recent[at, :, other] for at in range(1, 8) for other in range(VOICES)]
    was = [before[:, other] for other in range(VOICES)]
    return [
        [
            [beat, before[:, voice], np.minimum(held, 8), *above],
            [held, *was],
            [*all_held, *(state.chord[:, other] for other in range(VOICES))],
            past,
        ],
        [
            [beat, held, state.steps[:, voice, 0], state.steps[:, voice, 1], state.lengths[:, voice, 0]],
            [before[:, voice], state.steps[:, voice, 2], state.lengths[:, voice, 1]],
            line[1:],
        ],
    ]


EXPERTS = 5
"""Three chains over other pieces, two over the piece itself."""


@dataclass(frozen=True)
class Experts:
    """The tables of a collection, and how likely its moves are without any context.

    Attributes:
        prior: By voice (voices, moves).
        tables: By voice, chain and level.
    """

    prior: Rows
    tables: Sequence[Sequence[Sequence[Table]]]

    def read(self, state: State, voice: int, chosen: Numbers, memory: Memory) -> tuple[Rows, Rows]:
        """What each expert says of a voice's next note.

        Args:
            state: The past.
            voice: 0 soprano … 3 bass.
            chosen: Pitches of the voices above in the same frame (rows, ≥ voice).
            memory: The pieces' own counts.

        Returns:
            (chances (rows, EXPERTS, MOVES), log of 1 + how often the longest contexts were seen (rows, EXPERTS)).
        """
        said: list[Rows] = []
        seen: list[Rows] = []
        for number, levels in enumerate(hashes(chains(state, voice, chosen), 0)):
            chances = np.tile(self.prior[voice], (state.rows, 1))
            counts = np.zeros((state.rows, MOVES), np.float32)
            for table, hashed in zip(self.tables[voice][number], levels, strict=True):
                counts = table.look(hashed, MOVES)
                chances = smoothed(counts, chances)
            said.append(chances)
            seen.append(np.log1p(counts.sum(1)))
        return memory.add_to(said, seen, state, voice, chosen)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All tables as named arrays."""
        flat: dict[str, NDArray[np.generic]] = {"prior": self.prior}
        for voice, by_chain in enumerate(self.tables):
            for chain, levels in enumerate(by_chain):
                for level, table in enumerate(levels):
                    flat |= table.arrays(f"{voice}.{chain}.{level}")
        return flat

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> Experts:
        """The reverse of `arrays`."""
        places = sorted({tuple(map(int, name.split(".")[:3])) for name in arrays if name != "prior"})
        tables: list[list[list[Table]]] = []
        for voice, chain, level in places:
            while len(tables) <= voice:
                tables.append([])
            while len(tables[voice]) <= chain:
                tables[voice].append([])
            tables[voice][chain].append(Table.from_arrays(arrays, f"{voice}.{chain}.{level}"))
        return Experts(np.asarray(arrays["prior"], np.float32), tables)


class Memory:
    """What pieces have sung so far, by context: the experts of what comes again.

    Args:
        rows: How many pieces.
    """

    def __init__(self, rows: int) -> None:
        self._counts: list[dict[int, dict[int, int]]] = [{} for _ in range(rows)]
        self._asked: dict[int, list[list[list[int]]]] = {}
        """Hashes of the frame that is being written, by voice: what is asked is noted afterwards."""

    def add_to(
        self, said: list[Rows], seen: list[Rows], state: State, voice: int, chosen: Numbers
    ) -> tuple[Rows, Rows]:
        """The other experts' chances with its own behind them; see `Experts.read`."""
        mean = 0.15 * said[0] + 0.6 * said[1] + 0.25 * said[2]
        self._asked[voice] = _own_hashes(state, voice, chosen)
        for levels in self._asked[voice]:
            chances, depth = mean.astype(np.float32), np.zeros(state.rows, np.float32)
            for level, hashed in enumerate(levels):
                for row, key in enumerate(hashed):
                    if (counts := self._counts[row].get(key)) is None:
                        continue
                    total, kinds = sum(counts.values()), len(counts)
                    weight = 0.5 * kinds + 0.3
                    chances[row] *= weight / (total + weight)
                    for move, count in counts.items():
                        chances[row, move] += count / (total + weight)
                    depth[row] = level + 1 + np.log1p(total) / 4
            said = [*said, chances]
            seen = [*seen, depth]
        return np.stack(said, 1), np.stack(seen, 1)

    def note(self, state: State, frame: Numbers, rows: NDArray[np.bool_] | None = None) -> None:
        """Count a frame (rows, voices) before the state advances over it; of some pieces only where `rows` says so."""
        for voice in range(VOICES):
            moves = moves_of(frame[:, voice], state.reference[:, voice]).tolist()
            for levels in self._asked.get(voice) or _own_hashes(state, voice, frame):
                for hashed in levels:
                    for row, key in enumerate(hashed):
                        if rows is None or rows[row]:
                            counts = self._counts[row].setdefault(key, {})
                            counts[moves[row]] = counts.get(moves[row], 0) + 1
        self._asked.clear()


@dataclass(frozen=True)
class Learned:
    """Experts of a collection, and what they say of pieces.

    Attributes:
        experts: Their tables.
        chances: By piece, (frames, voices, EXPERTS, MOVES); those of the collection itself without its own counts.
        seen: By piece, (frames, voices, EXPERTS).
    """

    experts: Experts
    chances: Sequence[NDArray[np.float16]]
    seen: Sequence[NDArray[np.float16]]


def learn(pieces: Sequence[Frames], others: Sequence[Frames] = ()) -> Learned:
    """Count a collection, and read its own pieces and some others with it.

    Args:
        pieces: The collection; each is read with its own counts taken out.
        others: Pieces that are only read.
    """
    every, count = [*pieces, *others], len(pieces)
    hashed, moves = _contexts(every)
    sizes = [len(piece) for piece in every]
    piece_of = np.repeat(np.arange(len(every)), sizes)
    inside = piece_of < count
    prior = np.stack([np.bincount(moves[inside, voice], minlength=MOVES) + 0.1 for voice in range(VOICES)])
    prior = (prior / prior.sum(1, keepdims=True)).astype(np.float32)
    said: list[Rows] = []
    seen: list[Rows] = []
    tables: list[list[list[Table]]] = []
    for voice in range(VOICES):
        tables.append([])
        for levels in hashed[voice]:
            chances = np.tile(prior[voice], (len(piece_of), 1))
            counts, made = chances, list[Table]()
            for level in levels:
                made.append(Table.of(level[inside], moves[inside, voice], MOVES))
                counts = left_out(level, moves[:, voice], piece_of, inside, MOVES)
                chances = smoothed(counts, chances)
            tables[-1].append(made)
            said.append(chances)
            seen.append(np.log1p(counts.sum(1)))
    corpus = len(said) // VOICES
    chances, depth = _with_memory(every, said, seen, corpus)
    ends = np.cumsum(sizes)[:-1]
    return Learned(Experts(prior, tables), np.split(chances, ends), np.split(depth, ends))


# ---------------------------------------------------------------- within


def _own_hashes(state: State, voice: int, chosen: Numbers) -> list[list[list[int]]]:
    """Of `own_chains`, by chain, level and row."""
    found = hashes(own_chains(state, voice, chosen), 16 * voice + 100)
    return [[level.tolist() for level in levels] for levels in found]


def _relative(pitch: Numbers, reference: Numbers) -> Numbers:
    return np.where(pitch > 0, pitch - reference, NONE + pitch)


def _contexts(
    pieces: Sequence[Frames],
) -> tuple[list[list[list[NDArray[np.uint64]]]], Numbers]:
    """Hashes by voice, chain and level, and moves (all frames, voices), piece after piece."""
    hashed: list[list[list[list[NDArray[np.uint64]]]]] = [[] for _ in range(VOICES)]
    moves: list[Numbers] = []
    rows: list[tuple[Numbers, int]] = []
    for state, frame, going in walk(pieces):
        moves.append(np.stack([moves_of(frame[:, v], state.reference[:, v]) for v in range(VOICES)], 1)[going])
        rows.append((np.flatnonzero(going), state.time))
        for voice in range(VOICES):
            for number, levels in enumerate(hashes(chains(state, voice, frame), 0)):
                found = [each[going] for each in levels]
                if len(hashed[voice]) <= number:
                    hashed[voice].append([[] for _ in found])
                for level, each in enumerate(found):
                    hashed[voice][number][level].append(each)
    piece = np.concatenate([row for row, _ in rows])
    time = np.concatenate([np.full(len(row), at) for row, at in rows])
    order = np.lexsort((time, piece))
    flat = [[[np.concatenate(level)[order] for level in levels] for levels in by] for by in hashed]
    return flat, np.concatenate(moves)[order]


def _with_memory(
    pieces: Sequence[Frames], said: list[Rows], seen: list[Rows], corpus: int
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Put the pieces' own experts beside the others (all frames, voices, EXPERTS[, MOVES])."""
    begins = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])[:-1]])
    total = sum(map(len, pieces))
    chances = np.zeros((total, VOICES, EXPERTS, MOVES), np.float16)
    depth = np.zeros((total, VOICES, EXPERTS), np.float16)
    memory = Memory(len(pieces))
    for state, frame, going in walk(pieces):
        place = np.where(going, begins + state.time, 0)
        for voice in range(VOICES):
            mine = range(voice * corpus, (voice + 1) * corpus)
            whole, deep = memory.add_to(
                [said[each][place] for each in mine], [seen[each][place] for each in mine], state, voice, frame
            )
            chances[place[going], voice], depth[place[going], voice] = whole[going], deep[going]
        memory.note(state, frame, going)
    return chances, depth
