"""Originality of four-voice music: the longest run that a score shares with an index, in any transposition.

Music is read as its successive different sonorities, however long each lasts. Of every sonority count the intervals
between its voices, and of every two the step of the bass: a run is the same when all four voices move alike, in any
key and rhythm. Ornaments hide a copy: a passing note is a sonority of its own.

The index holds a 64-bit hash of each run of `SHORTEST` sonorities with its piece and place. Longer runs are put
together from neighbouring hits, so that their length is exact unless two hashes collide, which befalls fewer than one
query in 10¹² for the shipped index.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import UsageError
from castalia.core.files import write_atomic
from castalia.core.language import say
from castalia.core.score import Score
from castalia.core.values import Draft, Finding
from castalia.quality.music import place, slices, voices_of

SHORTEST = 4
"""Sonorities of the shortest run that is found."""
BACH_TO_BACH = 10
"""Sonorities: the 95th percentile of the longest run that a chorale of Bach's shares with any of the others.

Measured on the 229 training chorales of the canonical JSB split, each against the 228 others. One pair shares 20
sonorities, more than a quarter of either, and was taken for one harmonisation and left out; with it the percentile is
10.6. Median 6, 75th percentile 7, 90th 8, 99th 17, longest 18. Other settings of the same tune stayed in, and make the
long tail. The 76 validation chorales against the training ones: median 7, 95th percentile 10, and two that share 56 and
58, which stand in both parts of the split in all but the same harmony."""
_LARGEST = 1 << 26
"""Bytes of the largest index that is read."""
_UNREADABLE = (OSError, ValueError, TypeError, AttributeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What numpy raises on files that are no .npz, or a damaged one."""
_COLUMNS = ("hashes", "pieces", "positions", "frames")

Sonority = tuple[int, ...]
"""MIDI numbers from soprano to bass; 0 is a rest."""


@dataclass(frozen=True)
class SharedRun:
    """The longest run that a score has in common with an index."""

    sonorities: int
    """Length; 0 when not even `SHORTEST` are shared."""
    tick: int = 0
    """Where it begins in the score."""
    piece: int = -1
    """Number of the indexed piece, from 0; -1 for none."""
    frame: int = 0
    """The sixteenth of that piece at which it begins, from 0."""
    last_tick: int = 0
    """Where its last sonority begins in the score."""
    last_frame: int = 0
    """The same of the piece, as far as the index knows: it may be up to three sonorities early."""

    @property
    def bar(self) -> int:
        """Bar of that piece from 1, counted in four quarters without a pickup: frames tell no metre."""
        return self.frame // 16 + 1


class MusicIndex:
    """Hashed runs of a collection of four-voice pieces.

    Args:
        hashes: Of each run, uint64, sorted.
        pieces: Piece of each run, uint16.
        positions: Sonority of the piece at which it begins, uint16.
        frames: Sixteenth of the piece at which it begins, uint16.
    """

    def __init__(
        self,
        hashes: NDArray[np.uint64],
        pieces: NDArray[np.uint16],
        positions: NDArray[np.uint16],
        frames: NDArray[np.uint16],
    ) -> None:
        self._hashes, self._pieces, self._positions, self._frames = hashes, pieces, positions, frames

    def __len__(self) -> int:
        return len(self._hashes)

    @classmethod
    def build(cls, pieces: Iterable[Sequence[Sequence[int]]]) -> MusicIndex:
        """Index pieces, each a list of sixteenth frames `[soprano, alto, tenor, bass]` of MIDI numbers, 0 for a rest.

        At most 65,536 pieces of at most 65,536 frames.
        """
        rows: list[tuple[int, int, int, int]] = []
        for number, frames in enumerate(pieces):
            events = _events((index, tuple(frame)) for index, frame in enumerate(frames))
            hashes = _hashes([sonority for _, sonority in events])
            rows += [(run, number, position, events[position][0]) for position, run in enumerate(hashes)]
        rows.sort()
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        return cls(np.array(columns[0], np.uint64), *(np.array(column, np.uint16) for column in columns[1:]))

    def longest(self, score: Score, *, without: Collection[int] = ()) -> SharedRun:
        """The longest run of the score's voices that an indexed piece holds.

        Args:
            score: A score of up to four voices; with fewer nothing is shared.
            without: Pieces that do not count.
        """
        return self.longest_of([(cut.start, cut.pitches) for cut in slices(voices_of(score))], without=without)

    def longest_of(self, sounds: Iterable[tuple[int, Sonority]], *, without: Collection[int] = ()) -> SharedRun:
        """The same for (place, sonority) pairs; `tick` is then the place."""
        return max(self.runs_of(sounds, without=without), key=lambda run: run.sonorities, default=SharedRun(0))

    def runs(self, score: Score, *, without: Collection[int] = ()) -> list[SharedRun]:
        """Every run that is shared and is not part of a longer one with the same passage, by where it ends."""
        return list(self.runs_of([(cut.start, cut.pitches) for cut in slices(voices_of(score))], without=without))

    def runs_of(self, sounds: Iterable[tuple[int, Sonority]], *, without: Collection[int] = ()) -> Iterator[SharedRun]:
        """The same for (place, sonority) pairs."""
        events = _events(sounds)
        running: dict[tuple[int, int], SharedRun] = {}
        hashes = np.array(_hashes([sonority for _, sonority in events]), np.uint64)
        begins, ends = (np.searchsorted(self._hashes, hashes, side) for side in ("left", "right"))
        for index, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
            now: dict[tuple[int, int], SharedRun] = {}
            for row in range(begin, end):
                piece, position = int(self._pieces[row]), int(self._positions[row])
                if piece in without:
                    continue
                before = running.pop((piece, position - 1), None)
                frame, last = int(self._frames[row]), events[index + SHORTEST - 1][0]
                now[piece, position] = (
                    replace(before, sonorities=before.sonorities + 1, last_tick=last, last_frame=frame)
                    if before
                    else SharedRun(SHORTEST, events[index][0], piece, frame, last, frame)
                )
            yield from running.values()
            running = now
        yield from running.values()

    def write(self, path: Path) -> None:
        """Write it as an .npz file without pickles; the same index gives the same bytes.

        Raises:
            StorageError: the file cannot be written.
        """
        packed = io.BytesIO()
        np.savez_compressed(
            packed, hashes=self._hashes, pieces=self._pieces, positions=self._positions, frames=self._frames
        )
        write_atomic(path, packed.getvalue())


@dataclass(frozen=True)
class CopyingRule:
    """No run of the work longer than the limit stands in the index, in any transposition.

    Args:
        index: None takes the shipped one.
        limit: Most sonorities in a row that may be shared.
        without: Indexed pieces that do not count, e.g. the one that the user gave to be varied.
    """

    index: MusicIndex | None = None
    limit: int = BACH_TO_BACH
    without: frozenset[int] = frozenset()
    name: str = "music-originality"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding: the longest run, and where it stands."""
        score = draft.content.score
        index = self.index or shipped_music_index()
        run = index.longest(score, without=self.without) if score else SharedRun(0)
        return [
            Finding(
                rule=self.name,
                ok=score is not None and run.sonorities <= self.limit,
                place=place(score, run.tick) if score and run.sonorities else "",
                found=say(
                    "{n} chords in a row as in piece {piece}, bar {bar}",
                    "连续 {n} 个和弦与第 {piece} 首第 {bar} 小节相同",
                    n=run.sonorities,
                    piece=run.piece + 1,
                    bar=run.bar,
                )
                if run.sonorities
                else say("nothing shared", "无相同之处")
                if score
                else say("no score", "没有乐谱"),
                wanted=say("≤ {n} chords in a row", "相同和弦连续不超过 {n} 个", n=self.limit),
                hint=say("Write this passage anew, or try another seed.", "请重写这一处，或换种子。"),
            )
        ]


def open_music_index(path: Path | Traversable) -> MusicIndex:
    """Read an index.

    Raises:
        UsageError: there is no such file, or it is no index.
    """
    try:
        with path.open("rb") as stream:
            data: bytes = stream.read(_LARGEST)
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            columns = [stored[name] for name in _COLUMNS]
    except (
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise UsageError(
            say("No index of music at {path}: {why}.", "{path} 不是音乐索引：{why}。", path=path, why=error),
            hint=say("Build it again with `MusicIndex.build`.", "请用 `MusicIndex.build` 重新生成。"),
        ) from error
    hashes, pieces, positions, frames = columns
    kinds = [column.dtype for column in columns] == [np.uint64, np.uint16, np.uint16, np.uint16]
    if not kinds or len({column.shape for column in columns}) != 1 or hashes.ndim != 1 or np.any(np.diff(hashes) < 0):
        raise UsageError(
            say("The index of music {path} is damaged.", "音乐索引 {path} 已损坏。", path=path),
            hint=say("Build it again with `MusicIndex.build`.", "请用 `MusicIndex.build` 重新生成。"),
        )
    return MusicIndex(hashes, pieces, positions, frames)


@cache
def shipped_music_index() -> MusicIndex:
    """The index of the 229 training chorales of the canonical JSB split."""
    return open_music_index(files("castalia") / "data" / "music" / "chorales.npz")


def _events(sounds: Iterable[tuple[int, Sonority]]) -> list[tuple[int, Sonority]]:
    """The successive different sonorities, each with the place of its first moment; silence is left out."""
    audible = (sound for sound in sounds if any(sound[1]))
    return [next(same) for _, same in groupby(audible, key=lambda sound: sound[1])]


def _hashes(sonorities: Sequence[Sonority]) -> list[int]:
    """The hash of the run that begins at each sonority, as long as there is room for one."""
    lowest = [next(pitch for pitch in reversed(sonority) if pitch) for sonority in sonorities]
    codes = [
        bytes((pitch - low) & 0xFF if pitch else 0x80 for pitch in sonority)
        for sonority, low in zip(sonorities, lowest, strict=True)
    ]
    made: list[int] = []
    for begin in range(len(sonorities) - SHORTEST + 1):
        run = range(begin, begin + SHORTEST)
        steps = bytes((lowest[index] - lowest[begin]) & 0xFF for index in run)
        digest = hashlib.blake2b(steps + b"".join(codes[index] for index in run), digest_size=8).digest()
        made.append(int.from_bytes(digest, "little"))
    return made
