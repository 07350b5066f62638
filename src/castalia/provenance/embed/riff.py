"""RIFF chunks, as WAV and WebP are made of them (Multimedia Programming Interface 1.0, 1991, chapter 2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from castalia.provenance.embed.face import MalformedError

_MOST = 100_000
"""Chunks of a file."""


@dataclass(frozen=True)
class Chunk:
    """One chunk without its padding."""

    name: bytes
    data: bytes


def split(content: bytes, form: bytes) -> list[Chunk]:
    """The chunks of a file of that form; a last one that is cut off keeps what there is of it.

    Raises:
        MalformedError: it is no such file.
    """
    if not begins(content, form):
        raise MalformedError(f"not a RIFF file of the form {form.decode()}")
    chunks: list[Chunk] = []
    place, end = 12, min(len(content), 8 + max(4, struct.unpack_from("<I", content, 4)[0]))
    while place + 8 <= end:
        name, length = struct.unpack_from("<4sI", content, place)
        chunks.append(Chunk(name, content[place + 8 : min(place + 8 + length, end)]))
        place += 8 + length + length % 2
        if len(chunks) > _MOST:
            raise MalformedError(f"RIFF of more than {_MOST} chunks")
    return chunks


def join(chunks: list[Chunk], form: bytes) -> bytes:
    """A file of these chunks, each padded to an even length."""
    body = b"".join(
        struct.pack("<4sI", chunk.name, len(chunk.data)) + chunk.data + b"\0" * (len(chunk.data) % 2)
        for chunk in chunks
    )
    if len(body) + 4 > 0xFFFFFFFF:
        raise MalformedError("more than RIFF has room for")
    return struct.pack("<4sI4s", b"RIFF", len(body) + 4, form) + body


def begins(content: bytes, form: bytes) -> bool:
    """Whether a file opens like one of that form."""
    return content[:4] == b"RIFF" and content[8:12] == form


def first(chunks: list[Chunk], name: bytes) -> bytes | None:
    """The data of the first chunk of that name, or None."""
    return next((chunk.data for chunk in chunks if chunk.name == name), None)
