"""Collections: scores and pictures taken in, cleaned, with a report of what was dropped and why, and a fixed split."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import UsageError
from castalia.core.files import folders, write_atomic
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.training.collections.again import Known
from castalia.training.collections.chorales import Chorales
from castalia.training.collections.pictures import Framing, Pictures
from castalia.training.collections.shelf import Filling, Shelf
from castalia.training.collections.sources import Part
from castalia.training.collections.tunes import Tunes

P = TypeVar("P")


class Intake(Protocol[P]):
    """How pieces of one kind are taken in."""

    kind: str
    """`chorale`, `tune` or `picture`."""
    stored: str
    """Type of the numbers that are stored, as NumPy names it."""
    same: float
    """Share of its prints in another piece from which a piece is that piece, or may be: see `proof`."""
    apart: float
    """What no number of two pieces' proofs differs by when they are the same."""

    def read(
        self, source: str, dropped: dict[str, str], progress: Progress | None
    ) -> Iterator[tuple[str, P, Part | None]]:
        """(name, piece, part of the split where the source says it) of each piece that can be read."""
        ...

    def unfit(self, piece: P) -> str:
        """Why a piece cannot be learned from; empty when it can."""
        ...

    def prints(self, piece: P) -> frozenset[str]:
        """Digests of what the piece is, in any key or file format."""
        ...

    def proof(self, piece: P) -> NDArray[Any] | None:
        """What is compared where prints say that a piece may be another; None where prints are enough."""
        ...

    def part(self, piece: P, prints: frozenset[str]) -> Part:
        """Where it belongs; follows from what the piece is."""
        ...

    def pack(self, piece: P) -> tuple[NDArray[Any], Mapping[str, Any]]:
        """(numbers to store, what else the card says of it)."""
        ...

    def unpack(self, stored: NDArray[Any], said: Mapping[str, Any]) -> P:
        """The reverse of `pack`."""
        ...


ENOUGH = 8
"""Pieces from which there is one of them in training and one in validation, at least."""
INTAKES: Mapping[str, Intake[Any]] = {"chorale": Chorales(), "tune": Tunes(), "picture": Pictures()}


@dataclass(frozen=True)
class Collection(Generic[P]):
    """Pieces of one kind, one owner and one licence.

    Attributes:
        name: Of the collection.
        pieces: By name: `Frames` of chorales, `Tune` of tunes, `Captioned` of pictures, which are read when asked for.
        split: Which pieces are trained on, by name; fixed by what the pieces are, not by their names or places.
        card: Kind, owner, licence, source, and what was dropped and why.
    """

    name: str
    pieces: Mapping[str, P]
    split: Mapping[str, Part]
    card: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """A key of `INTAKES`."""
        return str(self.card.get("kind", "chorale"))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its pieces in their order and the parts they are in; names and owner do not matter."""
        whole = hashlib.sha256()
        intake = INTAKES[self.kind]
        for name, piece in self.pieces.items():
            stored, said = intake.pack(piece)
            whole.update(json.dumps([self.split[name], stored.shape, said], sort_keys=True).encode())
            whole.update(np.ascontiguousarray(stored, intake.stored).tobytes())
        return whole.hexdigest()

    def of(self, part: Part) -> list[P]:
        """The pieces of one part of the split."""
        return [piece for name, piece in self.pieces.items() if self.split[name] == part]


def add(
    name: str,
    source: str,
    *,
    kind: str = "chorale",
    owner: str = "",
    licence: str = "",
    framing: Framing | None = None,
    progress: Progress | None = None,
    within: Path | None = None,
) -> Collection[Any]:
    """Read scores or pictures, clean them and keep them under a name.

    Args:
        name: Letters, digits, `-` and `_`.
        source: A file or folder of MIDI, MusicXML, ABC or Humdrum scores. Of chorales also a `.json` or `.json.gz` of
            grids by split (`{"train": [piece, …], "valid": […]}`, frames of four MIDI pitches), or `music21:bach`; of
            tunes also `music21:ryansMammoth`, `music21:oneills1850` and `music21:airdsAirs`, several joined by `+`. Of
            pictures a folder or `.zip` of them, with captions in a file of `pictures.CAPTIONS`, in a `.txt` beside
            each, or in their names.
        kind: What its pieces are: `chorale`, four voices; `tune`, a melody; `picture`, a picture with a caption.
        owner: Who has the rights.
        licence: Under which they may be used.
        framing: How pictures become squares; None pads them with white.
        progress: Told how far it is.
        within: Folder of collections; None takes the user's own.

    Raises:
        UsageError: the name, the kind or the source is wrong, scores are to be framed, or no piece is left.
    """
    if not re.fullmatch(r"[\w-]{1,60}", name):
        raise UsageError(
            say("{name!r} is no name for a collection.", "{name!r} 不能作为收藏名。", name=name),
            hint=say("Use letters, digits, - and _.", "请使用字母、数字、- 和 _。"),
        )
    if kind not in INTAKES:
        raise UsageError(
            say("{kind!r} is no kind of collection.", "{kind!r} 不是收藏的种类。", kind=kind), hint=", ".join(INTAKES)
        )
    if framing and kind != "picture":
        raise UsageError(
            say("Scores have no ground and no frame.", "乐谱没有底色和边框。"),
            hint=say(
                "Leave out --ground and --fit, or give --as picture.", "请去掉 --ground 和 --fit，或用 --as picture。"
            ),
        )
    intake: Intake[Any] = Pictures(framing) if framing else INTAKES[kind]
    dropped: dict[str, str] = {}
    said: dict[str, dict[str, Any]] = {}
    free: dict[str, str] = {}
    known = Known(intake.same, intake.apart)
    (folder := _folder(name, within)).mkdir(parents=True, exist_ok=True)
    try:
        with Filling(folder) as archive:
            for title, found, part in intake.read(source, dropped, progress):
                prints, proof = intake.prints(found), intake.proof(found)
                # a source that fixes its split is taken as it is, with what comes twice
                if why := intake.unfit(found) or (known.again(prints, proof) if part is None else ""):
                    dropped[title] = why
                    continue
                known.note(title, prints, proof)
                stored, more = intake.pack(found)
                archive.put(stored)
                said[title] = {"name": title, "part": part or intake.part(found, prints), **more}
                if part is None:
                    free[hashlib.sha256(np.ascontiguousarray(stored, intake.stored).tobytes()).hexdigest()] = title
            if not said:
                raise UsageError(
                    say("{source} holds no piece that fits.", "{source} 中没有合适的作品。", source=source),
                    hint="; ".join(f"{title}: {why}" for title, why in list(dropped.items())[:3])
                    or say(
                        "It was searched for pieces of the kind {kind}; other kinds: --as {others}",
                        "已按种类 {kind} 查找；其他种类：--as {others}",
                        kind=kind,
                        others=" | ".join(each for each in INTAKES if each != kind),
                    ),
                )
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()
    _even(said, [free[digest] for digest in sorted(free)])
    card: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "source": Path(source).name,
        "owner": owner,
        "licence": licence,
        "dropped": dropped,
    }
    card |= {"framing": framing.said} if framing else {}
    kept = card | {"pieces": list(said.values())}
    write_atomic(folder / "card.json", (json.dumps(kept, ensure_ascii=False, indent=1) + "\n").encode())
    return _collection(folder, card, said)


def find(name: str) -> Collection[Any]:
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
    return _collection(folder, card, {each["name"]: each for each in listed})


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


def _collection(folder: Path, card: Mapping[str, Any], said: Mapping[str, Mapping[str, Any]]) -> Collection[Any]:
    pieces = Shelf[Any](folder, said, INTAKES[card.get("kind", "chorale")].unpack)
    return Collection(folder.name, pieces, {title: each["part"] for title, each in said.items()}, card)


def _even(said: Mapping[str, dict[str, Any]], free: Sequence[str]) -> None:
    """Give training and validation a piece each where chance left one of them without.

    Args:
        said: What the card says of each piece.
        free: Names of those whose part no source fixes, in an order that follows from what they are.
    """
    if len(said) < ENOUGH:
        return
    parts = {each["part"] for each in said.values()}
    for missing, other in (("train", "valid"), ("valid", "train")):
        spare = [title for title in free if said[title]["part"] == other]  # what is kept for tests stays there
        if missing not in parts and spare:
            said[spare[0]]["part"] = missing


def _folder(name: str, within: Path | None = None) -> Path:
    return (within or folders().data / "collections") / name
