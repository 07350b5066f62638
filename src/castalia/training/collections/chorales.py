"""Chorales for a collection: four-voice scores on the grid, cleaned, the test set kept out."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import CastaliaError, UsageError
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.modalities.music import read_score
from castalia.modalities.music.voices.encode import frames_of
from castalia.modalities.music.voices.fingerprint import SAME, fingerprint
from castalia.modalities.music.voices.grid import HIGHEST, LOWEST, VOICES, Frames
from castalia.training.collections.sources import Part, files_in

SHORTEST, LONGEST = 32, 8000
"""Frames of a piece: two bars, five hundred."""
_VOICES = ("Soprano", "Alto", "Tenor", "Bass")
VALID = 10
"""One piece in so many is kept for validation."""


class Chorales:
    """How chorales are taken in; see `Intake`."""

    kind = "chorale"
    stored = "<i8"
    same = SAME
    apart = 0.0

    def read(
        self, source: str, dropped: dict[str, str], progress: Progress | None
    ) -> Iterator[tuple[str, Frames, Part | None]]:
        """See `Intake.read`."""
        if source.startswith("music21:"):
            yield from _from_music21(source.partition(":")[2], dropped, progress)
            return
        if source.endswith((".json", ".json.gz")) and Path(source).is_file():
            yield from _from_grids(Path(source))
            return
        for title, file in files_in(source, dropped, progress):
            try:
                yield title, frames_of(read_score(file.read_bytes(), file.suffix.lstrip(".").lower())), None
            except CastaliaError as error:
                dropped[title] = error.message

    def unfit(self, piece: Frames) -> str:
        """See `Intake.unfit`."""
        return _unfit(piece) or _is_test(piece)

    def prints(self, piece: Frames) -> frozenset[str]:
        """See `Intake.prints`."""
        return fingerprint(piece)

    def proof(self, piece: Frames) -> None:
        """See `Intake.proof`: prints are enough."""

    def part(self, piece: Frames, prints: frozenset[str]) -> Part:
        """See `Intake.part`."""
        said = min(prints) if prints else hashlib.sha256(np.diff(piece, axis=0).tobytes()).hexdigest()[:12]
        return "valid" if int(said, 16) % VALID == 0 else "train"

    def pack(self, piece: Frames) -> tuple[NDArray[np.int64], Mapping[str, Any]]:
        """See `Intake.pack`."""
        return piece, {}

    def unpack(self, stored: NDArray[np.int64], said: Mapping[str, Any]) -> Frames:
        """See `Intake.unpack`."""
        del said
        return stored


# ---------------------------------------------------------------- within


def _from_grids(path: Path) -> Iterator[tuple[str, Frames, Part | None]]:
    raw = path.read_bytes()
    held = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    parts: tuple[Part, ...] = ("train", "valid")
    for part in parts:
        for number, piece in enumerate(held.get(part, ())):
            yield f"{part}/{number}", np.array(piece, np.int64).reshape(-1, VOICES), part


def _from_music21(
    composer: str, dropped: dict[str, str], progress: Progress | None
) -> Iterator[tuple[str, Frames, Part | None]]:
    try:
        corpus: Any = import_module("music21.corpus")
    except ImportError as error:
        raise UsageError(
            say("music21 is not installed.", "未安装 music21。"), hint="pip install 'castalia[train]'"
        ) from error
    paths: Sequence[Any] = corpus.getComposer(composer)
    for number, path in enumerate(paths):
        title = Path(path).name
        if progress:
            progress(say("reading {name}", "正在读取 {name}", name=title), number / len(paths))
        try:
            parts: Any = corpus.parse(path).parts
            sung = _sung([(str(part.partName or ""), part) for part in parts])
            if len(sung) != VOICES:
                dropped[title] = say("not four voices: {n} part(s)", "不是四部：{n} 个声部", n=len(parts))
                continue
            yield title, _sounded([part.flatten().notes for part in sung]), None
        except Exception as error:  # whatever a foreign parser raises, the piece is dropped and named
            dropped[title] = str(error)[:200]


def _sung(parts: Sequence[tuple[str, Any]]) -> Sequence[Any]:
    """All parts where they are four; else the four that are named as voices, where instruments play with a choir."""
    if len(parts) == VOICES:
        return [part for _, part in parts]
    found = [[part for name, part in parts if re.match(rf"{voice}\b(?!\s*\d)", name)] for voice in _VOICES]
    return [part for each in found for part in each] if all(len(each) == 1 for each in found) else []


def _sounded(parts: Sequence[Any]) -> Frames:
    """Notes of music21, by part, on the grid."""
    length = max(int(4 * (note.offset + note.quarterLength)) for part in parts for note in part)
    grid = np.zeros((length, VOICES), np.int64)
    for voice, part in enumerate(parts):
        for note in part:
            first = round(4 * note.offset)
            grid[first : first + max(1, round(4 * note.quarterLength)), voice] = note.pitches[-1].midi
    return grid


def _unfit(piece: Frames) -> str:
    """Why a piece cannot be learned from; empty when it can."""
    if not SHORTEST <= len(piece) <= LONGEST:
        return say(
            "{n} sixteenths; {least} to {most} are taken",
            "{n} 个十六分音符；可收 {least} 至 {most} 个",
            n=len(piece),
            least=SHORTEST,
            most=LONGEST,
        )
    silent = (piece == 0).mean(0)
    if (silent > 0.5).any():
        return say("not four voices: one rests for more than half of it", "不是四部：有一个声部休止过半")
    sung = piece[piece > 0]
    if sung.min() < LOWEST or sung.max() > HIGHEST:
        return say(
            "pitches from {low} to {high}; voices from {lowest} to {highest} are taken",
            "音高从 {low} 到 {high}；可收 {lowest} 至 {highest} 的声部",
            low=sung.min(),
            high=sung.max(),
            lowest=LOWEST,
            highest=HIGHEST,
        )
    return ""


def _is_test(piece: Frames) -> str:
    own = fingerprint(piece)
    same = bool(own) and any(len(own & test) >= SAME * len(own) for test in _tests())
    return say("a canonical test chorale (jsb16), kept for measuring", "标准测试曲（jsb16），留作评测") if same else ""


@cache
def _tests() -> Sequence[frozenset[str]]:
    raw = (files("castalia") / "data" / "music" / "jsb16-test-fingerprints.json.gz").read_bytes()
    return [frozenset(entry) for entry in json.loads(gzip.decompress(raw))]
