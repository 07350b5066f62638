"""Originality of a melody: the longest run of notes that it shares with an index of tunes, in any key and rhythm.

A melody is read as its successive different pitches. The index holds, tune after tune, a 16-bit hash of each run of
`GRAM` intervals. One hash alone stands in tens of places by chance; two that follow each other in both melodies do so
once in 70,000 queries, so that runs count from `GRAM + 2` notes on, and then are exact.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import UsageError
from castalia.core.files import write_atomic
from castalia.core.language import say
from castalia.core.score import Note
from castalia.core.values import Draft, Finding
from castalia.quality.melody import melody_in
from castalia.quality.music import place

GRAM = 8
"""Intervals in one hash."""
TUNE_TO_TUNE = 18
"""Notes: the 90th percentile of the longest run that a training tune shares with any of the 2,764 others.

Median 13, 75th percentile 15, 95th 21, 99th 28; the long tail is of variants of one tune under several names, which no
writer should take as leave."""
_LARGEST = 1 << 26
"""Bytes of the largest index that is read."""
_UNREADABLE = (OSError, ValueError, TypeError, AttributeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What numpy raises on files that are no .npz, or a damaged one."""


@dataclass(frozen=True)
class SharedLine:
    """The longest run that a melody has in common with an index."""

    notes: int
    """Different pitches in a row; 0 when not even the fewest are shared."""
    tick: int = 0
    """Where it begins in the melody."""
    tune: str = ""
    """Title of the indexed tune."""
    last: int = 0
    """Number of its last note among the melody's different pitches."""


class TuneIndex:
    """Hashed runs of intervals of a collection of tunes.

    Args:
        hashes: Of each run, tune after tune, uint16.
        begins: Where a tune's runs begin, and at last their number (tunes + 1,), uint32.
        titles: Of the tunes.
    """

    def __init__(self, hashes: NDArray[np.uint16], begins: NDArray[np.uint32], titles: Sequence[str]) -> None:
        self._hashes, self._begins, self._titles = hashes, begins, titles
        self._order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[self._order]

    def __len__(self) -> int:
        return len(self._titles)

    @classmethod
    def build(cls, tunes: Iterable[tuple[str, Sequence[int]]]) -> TuneIndex:
        """Index tunes, each a title and its pitches, without rests; repeated notes count once."""
        titles: list[str] = []
        runs: list[list[int]] = []
        for title, pitches in tunes:
            titles.append(title)
            runs.append(_grams([pitch for pitch, _ in groupby(pitches)]))
        begins = np.cumsum([0, *map(len, runs)])
        return cls(np.array([each for run in runs for each in run], np.uint16), begins.astype(np.uint32), titles)

    def longest(self, notes: Sequence[tuple[int, int]], *, without: Collection[str] = ()) -> SharedLine:
        """The longest run of a melody that an indexed tune holds.

        Args:
            notes: (tick, pitch) of each.
            without: Titles of tunes that do not count.
        """
        line = [next(same) for _, same in groupby(notes, key=lambda note: note[1])]
        grams = np.array(_grams([pitch for _, pitch in line]), np.uint16)
        best, most = SharedLine(0), 1
        running: dict[int, int] = {}
        tunes = {number for number, title in enumerate(self._titles) if title in without}
        first, last = (np.searchsorted(self._sorted, grams, side) for side in ("left", "right"))
        starts = {int(begin) for begin in self._begins}
        for number, (begin, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
            now: dict[int, int] = {}
            for position in self._order[begin:end].tolist():
                now[position] = 1 + (running.get(position - 1, 0) if position not in starts else 0)
                if now[position] > most:
                    tune = self._tune(position)
                    if tune in tunes:
                        continue
                    most = now[position]
                    length = most + GRAM
                    at = number + GRAM + 1 - length
                    best = SharedLine(length, line[at][0], self._titles[tune], number + GRAM)
            running = now
        return best

    def write(self, path: Path) -> None:
        """Write it as an .npz file without pickles; the same index gives the same bytes.

        Raises:
            StorageError: the file cannot be written.
        """
        packed = io.BytesIO()
        titles = np.frombuffer("\n".join(self._titles).encode(), np.uint8)
        np.savez_compressed(packed, hashes=self._hashes, begins=self._begins, titles=titles)
        write_atomic(path, packed.getvalue())

    def _tune(self, position: int) -> int:
        return int(np.searchsorted(self._begins, position, "right")) - 1


@dataclass(frozen=True)
class TuneCopyingRule:
    """No run of the tune longer than the limit stands in the index, in any key.

    Args:
        index: None takes the shipped one.
        limit: Most different notes in a row that may be shared.
        given: Starts, in ticks, of notes that the user gave; they are not looked at.
        theme: Notes of a melody that the user gave to be varied; a tune that it is itself does not count.
        part: Number of the melody's part.
    """

    index: TuneIndex | None = None
    limit: int = TUNE_TO_TUNE
    given: frozenset[int] = frozenset()
    theme: tuple[Note, ...] = ()
    part: int = 0
    name: str = "tune-originality"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding: the longest run, and where it stands."""
        score, notes = melody_in(draft, self.part)
        index = self.index or shipped_tune_index()
        stretches = [
            [(note.start, note.pitch) for note in stretch]
            for theirs, stretch in groupby(notes, key=lambda note: note.start in self.given)
            if not theirs
        ]
        own = index.longest([(note.start, note.pitch) for note in self.theme])
        without = {own.tune} if own.notes > self.limit else set[str]()
        run = max(
            (index.longest(each, without=without) for each in stretches),
            key=lambda each: each.notes,
            default=SharedLine(0),
        )
        return [
            Finding(
                rule=self.name,
                ok=bool(notes) and run.notes <= self.limit,
                place=place(score, run.tick) if score and run.notes else "",
                found=say(
                    "{n} notes in a row as in “{title}”", "连续 {n} 个音与《{title}》相同", n=run.notes, title=run.tune
                )
                if run.notes
                else say("nothing shared", "无相同之处")
                if notes
                else say("no melody", "没有旋律"),
                wanted=say("≤ {n} notes in a row", "相同的音连续不超过 {n} 个", n=self.limit),
                hint=say("Write this passage anew, or try another seed.", "请重写这一处，或换种子。"),
            )
        ]


def open_tune_index(path: Path | Traversable) -> TuneIndex:
    """Read an index.

    Raises:
        UsageError: there is no such file, or it is no index.
    """
    try:
        with path.open("rb") as stream:
            data: bytes = stream.read(_LARGEST)
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            hashes, begins, titles = (stored[name] for name in ("hashes", "begins", "titles"))
        named = titles.tobytes().decode().split("\n")
        kinds = [each.dtype for each in (hashes, begins, titles)] == [np.uint16, np.uint32, np.uint8]
        if not kinds or len(begins) != len(named) + 1 or begins[-1] != len(hashes):
            raise ValueError("its columns do not fit")
    except _UNREADABLE as error:
        raise UsageError(
            say("No index of tunes at {path}: {why}.", "{path} 不是曲调索引：{why}。", path=path, why=error),
            hint=say("Build it again with `TuneIndex.build`.", "请用 `TuneIndex.build` 重新生成。"),
        ) from error
    return TuneIndex(hashes, begins, named)


@cache
def shipped_tune_index() -> TuneIndex:
    """The index of the tunes that the shipped model was trained on."""
    return open_tune_index(files("castalia") / "data" / "music" / "tunes.npz")


def _grams(pitches: Sequence[int]) -> list[int]:
    """Hashes of all runs of `GRAM` intervals."""
    steps = bytes((after - before) & 0xFF for before, after in pairwise(pitches))
    runs = (steps[at : at + GRAM] for at in range(len(steps) - GRAM + 1))
    return [int.from_bytes(hashlib.blake2b(run, digest_size=2).digest(), "little") for run in runs]
