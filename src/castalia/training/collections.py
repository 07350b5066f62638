"""Collections: four-voice scores taken in, cleaned, with a report of what was dropped and why, and a fixed split."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np

from castalia.core.errors import CastaliaError, UsageError
from castalia.core.files import folders, write_atomic
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.modalities.music import read_score
from castalia.modalities.music.voices.encode import frames_of
from castalia.modalities.music.voices.fingerprint import SAME, fingerprint
from castalia.modalities.music.voices.grid import HIGHEST, LOWEST, VOICES, Frames

SUFFIXES = (".mid", ".midi", ".musicxml", ".xml", ".mxl", ".abc", ".krn")
SHORTEST, LONGEST = 32, 8000
"""Frames of a piece: two bars, five hundred."""
MOST_BYTES = 20_000_000
VALID = 10
"""One piece in so many is kept for validation."""

Part = Literal["train", "valid"]


@dataclass(frozen=True)
class Collection:
    """Pieces of one owner under one licence.

    Attributes:
        name: Of the collection.
        pieces: By name, on the grid of four voices.
        split: Which pieces are trained on, by name; fixed by what the piece is, not by its name or place.
        card: Owner, licence, source, and what was dropped and why.
    """

    name: str
    pieces: Mapping[str, Frames]
    split: Mapping[str, Part]
    card: Mapping[str, Any]

    def of(self, part: Part) -> list[Frames]:
        """The pieces of one part of the split."""
        return [piece for name, piece in self.pieces.items() if self.split[name] == part]


def add(name: str, source: str, *, owner: str = "", licence: str = "", progress: Progress | None = None) -> Collection:
    """Read scores, clean them and keep them under a name.

    Args:
        name: Letters, digits, `-` and `_`.
        source: A file or folder of MIDI, MusicXML, ABC or Humdrum scores; a `.json` or `.json.gz` of grids by split
            (`{"train": [piece, …], "valid": […]}`, frames of four MIDI pitches); or `music21:bach`.
        owner: Who has the rights.
        licence: Under which they may be used.
        progress: Told how far it is.

    Raises:
        UsageError: the name or the source is wrong, or no piece is left.
    """
    if not re.fullmatch(r"[\w-]{1,60}", name):
        raise UsageError(
            say("{name!r} is no name for a collection.", "{name!r} 不能作为收藏名。", name=name),
            hint=say("Use letters, digits, - and _.", "请使用字母、数字、- 和 _。"),
        )
    dropped: dict[str, str] = {}
    pieces: dict[str, Frames] = {}
    split: dict[str, Part] = {}
    prints: dict[str, frozenset[str]] = {}
    for title, found, part in _read(source, dropped, progress):
        # a source that fixes its split is taken as it is, with what comes twice
        if why := _unfit(found) or _is_test(found) or (_known(found, prints) if part is None else ""):
            dropped[title] = why
            continue
        prints[title] = fingerprint(found)
        pieces[title] = found
        split[title] = part or ("valid" if _number(prints[title], found) % VALID == 0 else "train")
    if not pieces:
        raise UsageError(
            say("{source} holds no piece that fits.", "{source} 中没有合适的乐曲。", source=source),
            hint="; ".join(f"{title}: {why}" for title, why in list(dropped.items())[:3]),
        )
    card = {"name": name, "source": Path(source).name, "owner": owner, "licence": licence, "dropped": dropped}
    folder = _folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    grids: dict[str, Any] = {f"p{at}": each for at, each in enumerate(pieces.values())}
    np.savez_compressed(folder / "pieces.npz", **grids)
    kept = card | {"pieces": [{"name": each, "part": split[each]} for each in pieces]}
    write_atomic(folder / "card.json", (json.dumps(kept, ensure_ascii=False, indent=1) + "\n").encode())
    return Collection(name, pieces, split, card)


def find(name: str) -> Collection:
    """The collection of that name.

    Raises:
        UsageError: there is none.
    """
    folder = _folder(name)
    if not (folder / "card.json").is_file():
        raise UsageError(
            say("There is no collection {name!r}.", "没有收藏 {name!r}。", name=name),
            hint=f"castalia collections add {name} --from FOLDER",
        )
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    listed: Sequence[Mapping[str, Any]] = card.pop("pieces")
    with np.load(folder / "pieces.npz", allow_pickle=False) as arrays:
        pieces = {each["name"]: arrays[f"p{at}"] for at, each in enumerate(listed)}
    return Collection(name, pieces, {each["name"]: each["part"] for each in listed}, card)


def names() -> list[str]:
    """Names of all collections."""
    return sorted(path.parent.name for path in (folders().data / "collections").glob("*/card.json"))


def remove(name: str) -> None:
    """Delete a collection; models that were made of it stay.

    Raises:
        UsageError: there is none of that name.
    """
    find(name)
    shutil.rmtree(_folder(name))


# ---------------------------------------------------------------- within


def _folder(name: str) -> Path:
    return folders().data / "collections" / name


def _read(source: str, dropped: dict[str, str], progress: Progress | None) -> Iterator[tuple[str, Frames, Part | None]]:
    """(name, grid, part of the split where the source says it) of each piece that can be read."""
    if source.startswith("music21:"):
        yield from _from_music21(source.partition(":")[2], dropped, progress)
        return
    path = Path(source)
    if not path.exists():
        raise UsageError(
            say("{path} does not exist.", "{path} 不存在。", path=path),
            hint=say("Give a folder of scores, or music21:bach.", "请给出乐谱文件夹，或 music21:bach。"),
        )
    if path.name.endswith((".json", ".json.gz")):
        yield from _from_grids(path)
        return
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    for number, file in enumerate(found):
        title = file.name if file == path else file.relative_to(path).as_posix()
        if progress:
            progress(say("reading {name}", "正在读取 {name}", name=title), number / len(found))
        if file.stat().st_size > MOST_BYTES:
            dropped[title] = f"larger than {MOST_BYTES // 1_000_000} MB"
            continue
        try:
            yield title, frames_of(read_score(file.read_bytes(), file.suffix.lstrip(".").lower())), None
        except CastaliaError as error:
            dropped[title] = error.message


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
            if len(parts) != VOICES:
                dropped[title] = f"{len(parts)} parts, not four"
                continue
            yield title, _sounded([part.flatten().notes for part in parts]), None
        except Exception as error:  # whatever a foreign parser raises, the piece is dropped and named
            dropped[title] = str(error)[:200]


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
        return f"{len(piece)} sixteenths; {SHORTEST} to {LONGEST} are taken"
    silent = (piece == 0).mean(0)
    if (silent > 0.5).any():
        return "not four voices: one rests for more than half of the piece"
    sung = piece[piece > 0]
    if sung.min() < LOWEST or sung.max() > HIGHEST:
        return f"pitches from {sung.min()} to {sung.max()}; voices from {LOWEST} to {HIGHEST} are taken"
    return ""


def _is_test(piece: Frames) -> str:
    own = fingerprint(piece)
    same = bool(own) and any(len(own & test) >= SAME * len(own) for test in _tests())
    return "a canonical test chorale (jsb16), kept for measuring" * same


def _known(piece: Frames, prints: Mapping[str, frozenset[str]]) -> str:
    own = fingerprint(piece)
    for title, other in prints.items():
        if own and len(own & other) >= SAME * min(len(own), len(other)):
            return f"the same piece as {title}, or nearly"
    return ""


def _number(digests: frozenset[str], piece: Frames) -> int:
    """A number that follows from what the piece is, in any key."""
    said = min(digests) if digests else hashlib.sha256(np.diff(piece, axis=0).tobytes()).hexdigest()[:12]
    return int(said, 16)


@cache
def _tests() -> Sequence[frozenset[str]]:
    raw = (files("castalia") / "data" / "music" / "jsb16-test-fingerprints.json.gz").read_bytes()
    return [frozenset(entry) for entry in json.loads(gzip.decompress(raw))]
