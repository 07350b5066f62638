"""Pictures for a collection: files with captions, upright, on one ground, square, of one size; copies found again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from castalia.core.errors import CastaliaError, UsageError
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.modalities.image import READABLE, read_picture
from castalia.training.collections.sources import Part

SIDE = 128
"""Pixels a side of what is kept."""
SMALLEST = 48
"""Pixels of the shorter side of a file."""
MOST_BYTES = 50_000_000
"""Of a file."""
LONGEST = 2.0
"""Sides' ratio up to which a picture is padded with ground to a square; a longer one is cut at its middle."""
_ROWS = 64
"""Of a picture with alpha that are laid over the ground at once: in full precision all would take a gigabyte."""
Fit = Literal["pad", "crop"]
VALID = 20
"""One picture in so many is kept for validation."""
CAPTIONS = ("captions.jsonl", "metadata.jsonl", "captions.csv", "metadata.csv")
"""Files with captions: a line or row a picture, its name under `file` or `file_name`, its caption under `text` or
`caption`; `zh` or `other`, the same in another language; `style`, its manner."""

_NAMELESS = frozenset(("", *"img image dsc dscf dscn pxl mvi pict photo picture screenshot mmexport 图片 照片".split()))
"""What is left of a name that a camera or telephone gave, without its numbers: it says nothing of the picture."""


@dataclass(frozen=True)
class Captioned:
    """A picture of a collection.

    Attributes:
        pixels: (SIDE, SIDE, 3).
        text: The name, then keywords, with commas between them.
        other: The same in another language; empty for none.
        style: What its manner is called; empty for none.
    """

    pixels: NDArray[np.uint8]
    text: str
    other: str = ""
    style: str = ""


@dataclass(frozen=True)
class Framing:
    """How a picture becomes a square.

    Attributes:
        ground: RGB beneath what is transparent, and beside what is padded.
        fit: `pad` keeps all of a picture, unless it is longer than `LONGEST`; `crop` cuts to the square in its middle.
    """

    ground: tuple[int, int, int] = (255, 255, 255)
    fit: Fit = "pad"

    @staticmethod
    def of(ground: str, fit: Fit) -> Framing:
        """With a colour by its name in CSS, or as #rrggbb.

        Raises:
            UsageError: it is none.
        """
        try:
            levels = ImageColor.getrgb(ground)
        except ValueError as error:
            raise UsageError(
                say("{ground!r} is no colour.", "{ground!r} 不是颜色。", ground=ground),
                hint=say("Give a name such as white, or #rrggbb.", "请给出 white 之类的名称，或 #rrggbb。"),
            ) from error
        return Framing((levels[0], levels[1], levels[2]), fit)

    @property
    def said(self) -> Mapping[str, str]:
        """For the card."""
        return {"ground": f"#{bytes(self.ground).hex()}", "fit": self.fit}


class Pictures:
    """How pictures are taken in; see `Intake`."""

    def __init__(self, framing: Framing | None = None) -> None:
        self._framing = framing or Framing()

    kind = "picture"
    stored = "|u1"
    same = 0.5
    apart = 16.0

    def read(
        self, source: str, dropped: dict[str, str], progress: Progress | None
    ) -> Iterator[tuple[str, Captioned, Part | None]]:
        """See `Intake.read`: a folder, a `.zip` of one, or one picture."""
        place = _place(source)
        said, files = _captions(place, dropped), [each for each in sorted(place.names) if _is_picture(each)]
        for number, name in enumerate(files):
            if progress:
                progress(say("reading {name}", "正在读取 {name}", name=name), number / len(files))
            try:
                if place.size(name) > MOST_BYTES:
                    dropped[name] = _too_large()
                    continue
                text, other, style = said.get(name) or said.get(PurePosixPath(name).name) or _beside(place, name)
                picture = read_picture(place.read(name), name)
                if min(picture.width, picture.height) < SMALLEST:
                    dropped[name] = say(
                        "{w} × {h} pixels; at least {n} are taken",
                        "{w} × {h} 像素；至少 {n}",
                        w=picture.width,
                        h=picture.height,
                        n=SMALLEST,
                    )
                    continue
                yield name, Captioned(squared(picture.pixels, framing=self._framing), text, other, style), None
            except CastaliaError as error:
                dropped[name] = error.message
            except OSError as error:
                dropped[name] = say("cannot be read: {why}", "无法读取：{why}", why=error.strerror or error)

    def unfit(self, piece: Captioned) -> str:
        """See `Intake.unfit`."""
        if not any(map(str.isalnum, piece.text)):
            return say(
                "it has no caption: neither in captions.csv, nor in a .txt beside it, nor in its name",
                "没有说明文字：captions.csv、同名 .txt 和文件名中都没有",
            )
        if int(piece.pixels.max()) - int(piece.pixels.min()) < 8:
            return say("one colour only", "只有一种颜色")
        return ""

    def prints(self, piece: Captioned) -> frozenset[str]:
        """See `Intake.prints`: sixteen rows of a difference hash of 256 bits, and eight fields' colours.

        Zauner (2010), "Implementation and benchmarking of perceptual image hash functions", on hashes of this kind.
        """
        grey = _shrunk(piece.pixels, 16, 17).mean(-1)
        rows = {f"{at}:{np.packbits(row).tobytes().hex()}" for at, row in enumerate(grey[:, 1:] > grey[:, :-1] + 6)}
        fields = _shrunk(piece.pixels, 4, 2).reshape(8, 3)
        colours = {f"{at}c{','.join(str(round(each / 32)) for each in field)}" for at, field in enumerate(fields)}
        return frozenset(rows | colours)

    def proof(self, piece: Captioned) -> NDArray[np.float64]:
        """See `Intake.proof`: 12 × 12 fields."""
        return _shrunk(piece.pixels, 12, 12)

    def part(self, piece: Captioned, prints: frozenset[str]) -> Part:
        """See `Intake.part`."""
        del prints
        return "train" if int(hashlib.sha256(piece.pixels.tobytes()).hexdigest()[:12], 16) % VALID else "valid"

    def pack(self, piece: Captioned) -> tuple[NDArray[np.uint8], Mapping[str, Any]]:
        """See `Intake.pack`."""
        said = {name: value for name in ("text", "other", "style") if (value := getattr(piece, name))}
        return piece.pixels, said

    def unpack(self, stored: NDArray[np.uint8], said: Mapping[str, Any]) -> Captioned:
        """See `Intake.unpack`."""
        return Captioned(stored, said["text"], said.get("other", ""), said.get("style", ""))


def squared(pixels: NDArray[np.uint8], side: int = SIDE, framing: Framing | None = None) -> NDArray[np.uint8]:
    """A picture as a square: alpha over a ground, then padded with it or cut at its middle.

    Args:
        pixels: (height, width, 3 or 4).
        side: Pixels of the result.
        framing: On what ground, and whether it is padded.

    Returns:
        (side, side, 3).
    """
    framing = framing or Framing()
    opaque = pixels[..., :3]
    if pixels.shape[2] == 4:
        opaque = np.concatenate([_laid(pixels[at : at + _ROWS], framing.ground) for at in range(0, len(pixels), _ROWS)])
    height, width = opaque.shape[:2]
    most = LONGEST if framing.fit == "pad" else 1
    longest = int(min(max(height, width), most * min(height, width)))
    y, x = max(0, height - longest) // 2, max(0, width - longest) // 2
    opaque = opaque[y : y + longest, x : x + longest]
    height, width = opaque.shape[:2]
    if height != width:
        square = np.full((longest, longest, 3), framing.ground, np.uint8)
        y, x = (longest - height) // 2, (longest - width) // 2
        square[y : y + height, x : x + width] = opaque
        opaque = square
    if longest == side:
        return opaque
    return np.array(Image.fromarray(opaque).resize((side, side), Image.Resampling.LANCZOS))


def _laid(pixels: NDArray[np.uint8], on: tuple[int, int, int]) -> NDArray[np.uint8]:
    whole, ground = pixels.astype(np.float64), np.array(on, np.float64)
    alpha = whole[..., 3:]
    return np.round(whole[..., :3] * alpha / 255 + ground - alpha * (ground / 255)).astype(np.uint8)


# ---------------------------------------------------------------- within


def _too_large() -> str:
    return say("larger than {n} MB", "大于 {n} MB", n=MOST_BYTES // 1_000_000)


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.names = dict.fromkeys(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file())

    def size(self, name: str) -> int:
        return (self._path / name).stat().st_size

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()


class _One(_Folder):
    def __init__(self, path: Path) -> None:
        self._path = path.parent
        beside = path.with_suffix(".txt")
        self.names = dict.fromkeys([path.name, *([beside.name] if beside.is_file() else [])])


class _Zip:
    def __init__(self, path: Path) -> None:
        try:
            self._file = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise UsageError(
                say("{path} is no zip file, or damaged.", "{path} 不是 zip 文件，或已损坏。", path=path),
                hint=say("Unpack it, and give the folder.", "请解压后给出文件夹。"),
            ) from error
        self.names = dict.fromkeys(each.filename for each in self._file.infolist() if not each.is_dir())

    def size(self, name: str) -> int:
        return self._file.getinfo(name).file_size

    def read(self, name: str) -> bytes:
        try:
            with self._file.open(name) as member:
                return member.read(MOST_BYTES + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
            raise UsageError(say("cannot be unpacked: {why}", "无法解压：{why}", why=str(error)[:100])) from error


def _place(source: str) -> _Folder | _Zip:
    path = Path(source)
    if not path.exists():
        raise UsageError(
            say("{path} does not exist.", "{path} 不存在。", path=path),
            hint=say("Give a folder of pictures, or a .zip of one.", "请给出图片文件夹或其 .zip。"),
        )
    if path.is_dir():
        return _Folder(path)
    return _Zip(path) if path.suffix.lower() == ".zip" else _One(path)


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower().lstrip(".") in READABLE and not hidden


def _captions(place: _Folder | _Zip, dropped: dict[str, str]) -> Mapping[str, tuple[str, str, str]]:
    """(text, other, style) by file name, of the first file of `CAPTIONS` in each folder."""
    found: dict[str, tuple[str, str, str]] = {}
    there = {*place.names, *(PurePosixPath(each).name for each in place.names)}
    for name in place.names:
        path = PurePosixPath(name)
        if path.name not in CAPTIONS:
            continue
        if place.size(name) > MOST_BYTES:
            dropped[name] = _too_large()
            continue
        text = place.read(name).decode("utf-8-sig", errors="replace")
        rows, seen, astray = list((_lines if path.suffix == ".jsonl" else _rows)(text, name, dropped)), 0, list[str]()
        for each in rows:
            row = {str(key).strip().lower(): value for key, value in each.items()}
            file = str(row.get("file") or row.get("file_name") or "")
            said = str(row.get("text") or row.get("caption") or "")
            if file:
                other, style = str(row.get("zh") or row.get("other") or ""), str(row.get("style") or "")
                found[where := (path.parent / file).as_posix()] = (said, other, style)
                seen += 1
                astray += [file] if where not in there else []
        if rows and not seen:
            keys = ", ".join(map(str, rows[0]))[:100]
            dropped[name] = say(
                "it names no picture: it has `{keys}` and no `file`",
                "没有指明图片：只有 `{keys}`，没有 `file`",
                keys=keys,
            )
        elif astray:
            dropped[name] = say(
                "{n} of its {all} captions are of pictures that are not there, as {file}",
                "{all} 条说明中有 {n} 条的图片不存在，如 {file}",
                n=len(astray),
                all=seen,
                file=astray[0],
            )
    return found


def _lines(text: str, name: str, dropped: dict[str, str]) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.strip():
                yield dict(json.loads(line))
        except (ValueError, TypeError) as error:
            dropped[f"{name}:{number}"] = say("no JSON object: {why}", "不是 JSON 对象：{why}", why=str(error)[:80])


def _rows(text: str, name: str, dropped: dict[str, str]) -> Iterator[Mapping[str, Any]]:
    try:
        head = text.partition("\n")[0]
        yield from csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=head.count))
    except csv.Error as error:
        dropped[name] = say("no table: {why}", "不是表格：{why}", why=str(error)[:80])


def _beside(place: _Folder | _Zip, name: str) -> tuple[str, str, str]:
    """The caption of a `.txt` of the same name; else the file's own name, without numbers and what cameras write."""
    path = PurePosixPath(name)
    text = path.with_suffix(".txt").as_posix()
    if text in place.names and place.size(text) < 100_000:
        return " ".join(place.read(text).decode("utf-8-sig", errors="replace").split()), "", ""
    words = path.stem.replace("_", " ").replace("-", " ").split()
    return " ".join(word for word in words if word.rstrip("0123456789").lower() not in _NAMELESS), "", ""


def _shrunk(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float64]:
    """Means of height × width fields (height, width, 3)."""
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX), np.float64)
