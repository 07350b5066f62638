"""A picture model's folder, read with care: it may be a stranger's.

Nothing is taken on trust: files have their largest sizes, the card its ranges, and weights must be those that a network
of the card's size has, finite and no more. So what a model may take of memory is known before any of it is read.
"""

from __future__ import annotations

import json
import math
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from castalia.core.errors import MissingError, UsageError
from castalia.core.language import say
from castalia.core.rounded import STEP, WHOLE, restored
from castalia.modalities.image.draw.layers import Floats
from castalia.modalities.image.draw.outline import NUMBERS
from castalia.modalities.image.draw.shapes import Shape, shapes
from castalia.modalities.image.draw.words import Vocabulary

PARTS = ("weights.safetensors", "words.json", "learned.npz", "card.json")
_LARGEST = {
    "weights.safetensors": 500_000_000,
    "words.json": 50_000_000,
    "learned.npz": 500_000_000,
    "card.json": 10_000_000,
}
"""Bytes of a file, and of what it unpacks to."""
_MOST = 100_000_000
"""Weights of a model."""
_LATER = ("outlines", "files", "ends")
"""Of `learned.npz`: in models since they are kept."""
_STRONGEST = 1e4
"""A weight, either way: the strongest of the shipped model is in the tens."""
_DAMAGE = (*(ValueError, KeyError, LookupError, TypeError, AttributeError, OverflowError, RecursionError, MemoryError),
           *(OSError, EOFError, struct.error, zipfile.BadZipFile, zlib.error, NotImplementedError))  # fmt: skip

T = TypeVar("T")


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class _Size(_Said):
    side: Annotated[int, Field(ge=32, le=512, multiple_of=32)]
    latent: Annotated[int, Field(ge=1, le=64)]
    shallow: Annotated[int, Field(ge=2, le=512, multiple_of=2)]
    deep: Annotated[int, Field(ge=1, le=512)]
    width: Annotated[int, Field(ge=16, le=2048, multiple_of=16)]
    blocks: Annotated[int, Field(ge=1, le=32)]
    heads: Annotated[int, Field(ge=1, le=64)]
    words: Annotated[int, Field(ge=1, le=8192)]


class _Recipe(_Said):
    size: _Size


class _Direction(_Said):
    name: str
    chinese: str
    vector: list[float]
    found_by: str = ""
    effect: float = 0.0
    sure: float = 0.0
    pure: float = 0.0


class _Card(_Said):
    name: str
    styles: list[str]
    recipe: _Recipe
    directions: list[_Direction] = []


class _Words(_Said):
    words: Annotated[list[str], Field(min_length=1, max_length=1_000_000)]
    aliases: dict[str, list[str]]


class Learned(NamedTuple):
    """What a model keeps of each picture that it learned."""

    names: Sequence[str]
    thumbnails: Floats
    """(pictures, side, side, 3), levels."""
    words: NDArray[np.uint16]
    """Numbers of the words of its name, style and colour (pictures, most), 0 for none."""
    tags: NDArray[np.uint16]
    """Of what else is said of it."""
    outlines: Floats | None = None
    """See `outline` (pictures, NUMBERS); None of models that were made before they were kept."""
    files: Sequence[bytes] = ()
    """Each in small, as WebP; none of models that were made before they were kept."""


class ModelFolder:
    """See the module.

    Raises:
        MissingError: a file of `PARTS` is not there.
        UsageError: a file is too large, or the card or the words are none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if missing := [name for name in PARTS if not (path / name).is_file()]:
            raise MissingError(
                say(
                    "{folder} is no picture model: {names} missing.",
                    "{folder} 不是图片模型：缺少 {names}。",
                    folder=path,
                    names=", ".join(missing),
                ),
                hint="castalia train image --collection NAME",
            )
        for name in PARTS:
            if (size := (path / name).stat().st_size) > _LARGEST[name]:
                self._refuse(name, _too_large(size, name))
        self.card: Mapping[str, Any] = self._read("card.json", lambda file: _checked(_Card, file))
        said: Mapping[str, Any] = self._read("words.json", lambda file: _checked(_Words, file))
        self.vocabulary = Vocabulary(said["words"], said["aliases"])
        self.size: Mapping[str, int] = self.card["recipe"]["size"]
        if self.size["width"] % self.size["heads"]:
            self._refuse("card.json", "recipe.size.heads")
        if any(len(each["vector"]) != self.size["words"] for each in self.card.get("directions", ())):
            self._refuse("card.json", "directions")

    def weights(self) -> Mapping[str, Floats]:
        """The weights by name, in full precision.

        Raises:
            UsageError: they are not those of a network of the card's size.
        """
        wanted = shapes(self.size, len(self.vocabulary.words))
        if (many := sum(map(math.prod, wanted.values()))) > _MOST:
            self._refuse("card.json", say("{n} weights; at most {most}", "{n} 个权重；最多 {most}", n=many, most=_MOST))
        return self._read("weights.safetensors", lambda file: _weights(file, wanted))

    def learned(self) -> Learned:
        """What is kept of each picture that was learned.

        Raises:
            UsageError: the file holds something else.
        """
        return self._read("learned.npz", lambda file: _learned(file, len(self.vocabulary.words)))

    def _read(self, name: str, read: Callable[[Path], T]) -> T:
        try:
            return read(self.path / name)
        except ValidationError as error:
            first = error.errors()[0]
            self._refuse(name, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        except _DAMAGE as error:
            self._refuse(name, str(error) or type(error).__name__)
        except Exception as error:  # safetensors has an error of its own, of no other kind
            if type(error).__module__.partition(".")[0] not in ("safetensors", "safetensors_rust"):
                raise
            self._refuse(name, str(error))

    def _refuse(self, name: str, why: str) -> NoReturn:
        raise UsageError(
            say(
                "{file} is not of a picture model that can be used: {why}.",
                "{file} 不是可用的图片模型文件：{why}。",
                file=self.path / name,
                why=why[:200],
            ),
            hint=say(
                "Fetch the model again, or train one: castalia train image --collection NAME",
                "请重新获取该模型，或自行训练：castalia train image --collection NAME",
            ),
        )


def _checked(kind: type[BaseModel], file: Path) -> Mapping[str, Any]:
    held = json.loads(file.read_text(encoding="utf-8"))
    kind.model_validate(held)
    return held


def _weights(file: Path, wanted: Mapping[str, Shape]) -> Mapping[str, Floats]:
    open_file: Any = import_module("safetensors").safe_open
    with open_file(file, "np") as held:
        there = {name: tuple(held.get_slice(name).get_shape()) for name in held.keys()}  # noqa: SIM118 - no mapping
        _compare(there, wanted)
        with np.errstate(over="ignore", invalid="ignore"):
            weights = restored({name: held.get_tensor(name) for name in there})
    for name, values in weights.items():
        if not np.abs(values).max(initial=0) <= _STRONGEST:  # so NaN is caught too
            raise ValueError(say("{name} is not finite, or far too strong", "{name} 非有限值或过大", name=name))
    if not (weights["deviation"] > 0).all():
        raise ValueError(say("deviation is not positive", "deviation 不为正"))
    return weights


def _compare(there: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> None:
    """Raises ValueError where what is there is not what is wanted, in full or as whole numbers with steps."""
    expected = {
        kept: shape
        for name, of in wanted.items()
        for kept, shape in ({name + WHOLE: of, name + STEP: of[:1]} if name + WHOLE in there else {name: of}).items()
    }
    for name in sorted({*there, *expected}):
        if there.get(name) != expected.get(name):
            raise ValueError(
                say(
                    "{name} is {found}; wanted: {wanted}",
                    "{name} 为 {found}；应为 {wanted}",
                    name=name[:80],
                    found=_shape(there.get(name)),
                    wanted=_shape(expected.get(name)),
                )
            )


def _shape(of: Shape | None) -> str:
    return say("not there", "无") if of is None else " × ".join(map(str, of)) or "1"


def _learned(file: Path, vocabulary: int) -> Learned:
    with zipfile.ZipFile(file) as archive:
        if (size := sum(item.file_size for item in archive.infolist())) > _LARGEST[file.name]:
            raise ValueError(_too_large(size, file.name))
        listed, thumbnails, words, tags = (_array(archive, name) for name in ("names", "thumbnails", "words", "tags"))
        more = [_array(archive, name) for name in _LATER] if f"{_LATER[0]}.npy" in archive.namelist() else []
    names = TypeAdapter(list[str]).validate_python(listed.tolist())
    count, side = len(names), thumbnails.shape[1]
    if not names or thumbnails.shape != (count, side, side, 3) or not 1 <= side <= 64:
        raise ValueError("thumbnails")
    for name, each in (("words", words), ("tags", tags)):
        if each.ndim != 2 or len(each) != count or each.dtype != np.uint16 or each.max(initial=0) > vocabulary:
            raise ValueError(name)
    outlines, small = _later(count, more)
    return Learned(names, thumbnails.astype(np.uint8).astype(np.float32), words, tags, outlines, small)


def _later(count: int, more: Sequence[NDArray[Any]]) -> tuple[Floats | None, Sequence[bytes]]:
    if not more:
        return None, ()
    outlines, files, ends = more
    if outlines.shape != (count, NUMBERS) or outlines.dtype != np.uint8:
        raise ValueError("outlines")
    if files.ndim != 1 or files.dtype != np.uint8 or ends.shape != (count,) or ends.dtype != np.uint32:
        raise ValueError("files")
    if ends[-1] != len(files) or (np.diff(ends.astype(np.int64)) < 0).any():
        raise ValueError("ends")
    held = files.tobytes()
    lengths: Floats = np.divide(outlines, 255, dtype=np.float32)
    return lengths, [held[begin:end] for begin, end in pairwise([0, *ends.tolist()])]


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """One array of an `.npz`; numpy itself takes the memory that a header promises before it looks at what is there."""
    item = archive.getinfo(f"{name}.npy")
    with archive.open(item) as member:
        numpy: Any = np.lib.format
        version = numpy.read_magic(member)
        read = numpy.read_array_header_1_0 if version == (1, 0) else numpy.read_array_header_2_0
        shape, by_columns, kind = read(member)
        if by_columns or kind.hasobject or math.prod(shape) * kind.itemsize != item.file_size - member.tell():
            raise ValueError(f"{name}: {kind} {shape}")
        return np.frombuffer(member.read(), kind).reshape(shape)


def _too_large(size: int, name: str) -> str:
    return say("{size} bytes; at most {most}", "{size} 字节；最多 {most}", size=size, most=_LARGEST[name])
