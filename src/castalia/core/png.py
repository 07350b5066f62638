"""Pixels ↔ PNG of one plain kind, so that the core needs no library of pictures.

Eight bits a channel, each row less the row above it (filter 2, "Up"; PNG third edition, section 9.2), one IDAT chunk.
Any program reads such a file; only such a file is read here.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_BEGIN = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">II5B")
_KINDS = {3: 2, 4: 6}
"""Colour type (section 11.2.1) by channels: RGB, and RGB with alpha."""
_UP = 2
_LEVEL = 3
"""Of deflate: beyond it a photograph takes twice the time for 2 % less."""
_DATA = len(_BEGIN) + 12 + _HEADER.size
"""Where the IDAT chunk begins."""


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels as PNG, without loss.

    Args:
        pixels: Shape (height, width, 3 or 4), each side at least 1.
    """
    height, width, channels = pixels.shape
    rows = pixels.reshape(height, width * channels)
    filtered = np.empty((height, 1 + width * channels), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])  # modulo 256
    header = _HEADER.pack(width, height, 8, _KINDS[channels], 0, 0, 0)
    return b"".join(
        (
            _BEGIN,
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(filtered.tobytes(), _LEVEL)),
            _chunk(b"IEND", b""),
        )
    )


def decode(png: bytes) -> NDArray[np.uint8]:
    """The pixels of what `encode` wrote, shape (height, width, 3 or 4).

    Raises:
        ValueError: another program wrote it, or it is damaged.
    """
    height, width, channels = size(png)
    length = int.from_bytes(png[_DATA : _DATA + 4])
    expected = height * (1 + width * channels)
    try:  # no more than the header promises
        raw = zlib.decompressobj().decompress(png[_DATA + 8 : _DATA + 8 + length], expected)
    except zlib.error as error:
        raise ValueError(f"damaged PNG: {error}") from error
    if len(raw) != expected:
        raise ValueError(f"damaged PNG: {len(raw)} bytes of {expected}")
    filtered = np.frombuffer(raw, np.uint8).reshape(height, -1)
    if (filtered[:, 0] != _UP).any():
        raise ValueError("PNG of another program")
    return np.cumsum(filtered[:, 1:], axis=0, dtype=np.uint8).reshape(height, width, channels)


def size(png: bytes) -> tuple[int, int, int]:
    """(height, width, channels) that the header tells.

    Raises:
        ValueError: it is no PNG of the kind that is written here.
    """
    if not png.startswith(_BEGIN + struct.pack(">I", _HEADER.size) + b"IHDR") or png[_DATA + 4 : _DATA + 8] != b"IDAT":
        raise ValueError("not a plain PNG")
    width, height, depth, kind, *methods = _HEADER.unpack_from(png, len(_BEGIN) + 8)
    channels = next((channels for channels, each in _KINDS.items() if each == kind), 0)
    if depth != 8 or not channels or any(methods) or not (width and height):
        raise ValueError("PNG of another kind: 8 bits, RGB or RGBA, not interlaced is wanted")
    return height, width, channels


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
