"""Look into a GGUF file before llama.cpp does: a damaged or hostile file ends in an error here, not in a crash there.

Format: ggml's `docs/gguf.md`, versions 2 and 3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from castalia.core.errors import EngineError
from castalia.core.language import say

_STRING, _ARRAY = 8, 9
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_FORMATS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_MOST_KEYS = 4096
_MOST_TENSORS = 65_536
_MOST_STRING = 16 * 2**20
_MOST_ITEMS = 4_000_000


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself."""

    version: int
    tensors: int
    metadata: dict[str, object]
    """Scalars and strings; arrays are given by their length."""

    @property
    def architecture(self) -> str:
        """Model family, e.g. `qwen2`."""
        return str(self.metadata.get("general.architecture", ""))

    @property
    def context(self) -> int:
        """Context length in tokens that the model was trained for; 0 when unknown."""
        value = self.metadata.get(f"{self.architecture}.context_length", 0)
        return value if isinstance(value, int) else 0

    @property
    def has_template(self) -> bool:
        """Whether it brings a chat template, so that it follows a brief."""
        return bool(self.metadata.get("tokenizer.chat_template"))


def inspect(path: Path) -> Header:
    """Read and check the header.

    Raises:
        EngineError: the file is no GGUF, is cut off, or promises more than it holds.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            return _header(_Reader(stream, size))
    except FileNotFoundError as error:
        raise EngineError(
            say("There is no file {path}.", "没有文件 {path}。", path=path), hint="castalia models list"
        ) from error
    except (OSError, ValueError, struct.error, UnicodeDecodeError, OverflowError) as error:
        raise EngineError(
            say(
                "{path} is not a usable GGUF file: {why}.", "{path} 不是可用的 GGUF 文件：{why}。", path=path, why=error
            ),
            hint=say("Download it again: castalia models pull NAME.", "请重新下载：castalia models pull 名称。"),
        ) from error


class _Reader:
    """Reads little-endian values and never past the end of the file."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size
        self.size = size

    @property
    def at(self) -> int:
        return self.size - self._left

    def take(self, count: int) -> bytes:
        if count > self._left:
            raise ValueError(f"cut off at byte {self.size}")
        self._left -= count
        return self._stream.read(count)

    def skip(self, count: int) -> None:
        if count > self._left:
            raise ValueError(f"cut off at byte {self.size}")
        self._left -= count
        self._stream.seek(count, 1)

    def number(self, layout: str) -> int:
        return int(struct.unpack(layout, self.take(struct.calcsize(layout)))[0])

    def text(self) -> str:
        length = self.number("<Q")
        if length > _MOST_STRING:
            raise ValueError(f"a string of {length} bytes")
        return self.take(length).decode("utf-8", "replace")

    def value(self, kind: int) -> object:
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self._array()
        if kind not in _FORMATS:
            raise ValueError(f"metadata of unknown kind {kind}")
        return struct.unpack(_FORMATS[kind], self.take(_SIZES[kind]))[0]

    def _array(self) -> int:
        kind, count = self.number("<I"), self.number("<Q")
        if count > _MOST_ITEMS:
            raise ValueError(f"an array of {count} items")
        if kind in _SIZES:
            self.skip(count * _SIZES[kind])
        elif kind == _STRING:
            for _ in range(count):
                self.skip(self.number("<Q"))
        else:
            raise ValueError(f"an array of kind {kind}")
        return count


def _header(reader: _Reader) -> Header:
    magic = reader.take(4)
    if magic != b"GGUF":
        raise ValueError(f"it begins with {magic!r}")
    version = reader.number("<I")
    if version not in (2, 3):
        raise ValueError(f"version {version}, known are 2 and 3")
    tensors, keys = reader.number("<Q"), reader.number("<Q")
    if tensors > _MOST_TENSORS or keys > _MOST_KEYS:
        raise ValueError(f"{tensors} tensors and {keys} metadata keys")
    if tensors == 0:
        raise ValueError("it holds no tensors")
    metadata = {reader.text(): reader.value(reader.number("<I")) for _ in range(keys)}
    if not metadata.get("general.architecture"):
        raise ValueError("it names no architecture")
    farthest = max(_tensor(reader) for _ in range(tensors))
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 1 <= alignment <= 65_536:
        raise ValueError(f"alignment {alignment!r}")
    start = -(-reader.at // alignment) * alignment
    if start + farthest >= reader.size:
        raise ValueError(f"a tensor begins at byte {start + farthest}, the file ends at {reader.size}")
    return Header(version, tensors, metadata)


def _tensor(reader: _Reader) -> int:
    """The tensor's offset in the data section."""
    name = reader.text()
    dimensions = reader.number("<I")
    if dimensions > 8:
        raise ValueError(f"tensor {name[:40]!r} has {dimensions} dimensions")
    reader.skip(8 * dimensions + 4)
    return reader.number("<Q")
