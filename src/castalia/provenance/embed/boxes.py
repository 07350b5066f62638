"""Boxes of the ISO base media file format (ISO/IEC 14496-12:2022, section 4.2), and the offsets of their chunks."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from castalia.provenance.embed.face import MalformedError

_MOST = 100_000
"""Boxes of a file."""
_HOLDERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl"))
"""Boxes on the way from `moov` to the tables of offsets."""


@dataclass(frozen=True)
class Box:
    """One box, by offsets."""

    name: bytes
    start: int
    inside: int
    """After size and name."""
    end: int


def split(content: bytes, start: int = 0, end: int | None = None) -> list[Box]:
    """The boxes one after the other between two places.

    Raises:
        MalformedError: one ends after what holds it, or one inside another has no length of its own.
    """
    end = len(content) if end is None else end
    found: list[Box] = []
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", content, start)
        inside = start + 8
        if size == 1:
            if start + 16 > end:
                break
            size, inside = struct.unpack_from(">Q", content, start + 8)[0], start + 16
        stop = end if size == 0 else start + size
        if (size == 0 and end != len(content)) or stop > end or stop < inside or len(found) >= _MOST:
            raise MalformedError("a media box that ends after what holds it")
        found.append(Box(name, start, inside, stop))
        start = stop
    return found


def inner(content: bytes, box: Box | None, name: bytes, skip: int = 0) -> Box | None:
    """The first box of that name inside another, after `skip` bytes of its own."""
    if box is None or box.inside + skip > box.end:
        return None
    return next((each for each in split(content, box.inside + skip, box.end) if each.name == name), None)


def make(name: bytes, *parts: bytes) -> bytes:
    """A box of these parts."""
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, name) + body


def moved(content: bytes, moov: Box, by: int) -> bytes:
    """The bytes of `moov` with every chunk offset (section 8.7.5) that lies after it moved."""
    found = bytearray(content[moov.start : moov.end])
    _move(found, Box(moov.name, 0, moov.inside - moov.start, len(found)), moov.end, by, 0)
    return bytes(found)


def _move(found: bytearray, box: Box, after: int, by: int, depth: int) -> None:
    for each in split(bytes(found), box.inside, box.end):
        if each.name in _HOLDERS and depth < len(_HOLDERS):
            _move(found, each, after, by, depth + 1)
        elif each.name in (b"stco", b"co64"):
            kind, size = (">I", 4) if each.name == b"stco" else (">Q", 8)
            count = struct.unpack_from(">I", found, each.inside + 4)[0] if each.inside + 8 <= each.end else 0
            if each.inside + 8 + count * size > each.end:
                raise MalformedError("a table of offsets that ends after its box")
            for place in range(each.inside + 8, each.inside + 8 + count * size, size):
                offset = struct.unpack_from(kind, found, place)[0]
                if offset >= after:
                    if offset + by >= 1 << (8 * size):
                        raise MalformedError("more than a table of offsets has room for")
                    struct.pack_into(kind, found, place, offset + by)
