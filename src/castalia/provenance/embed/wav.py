"""WAV: chunk `AIGC` (GB 45438-2025), XMP in chunk `_PMX` (XMP part 3, section 1.1.4)."""

from __future__ import annotations

import struct

from castalia.provenance.embed import riff, xmp
from castalia.provenance.embed.face import Face, Marks, Stamp, reads, stamps
from castalia.provenance.embed.riff import Chunk
from castalia.provenance.tc260 import NAME

_AIGC = NAME.encode()
_XMP = b"_PMX"
_LONGEST = 100_000
"""Bytes of an `AIGC` chunk that are read."""
_LOOPS, _LOOPS_HEAD = b"smpl", 36
"""Loops of a sampler, and the bytes before the first (Multimedia Data Standards Update, 1994)."""
_MOST = 0xFFFFFFFF
_SOUND = (b"fmt ", b"fact", b"data")
"""Chunks that belong to the samples."""


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """Both chunks follow the samples."""
    chunks = riff.split(content, b"WAVE")
    packet = xmp.write(riff.first(chunks, _XMP), mark, aigc=False)
    kept = [chunk for chunk in chunks if chunk.name not in (_AIGC, _XMP)]
    return riff.join([*kept, Chunk(_AIGC, mark.lines["aigc"].encode()), Chunk(_XMP, packet)], b"WAVE")


@reads
def read(content: bytes) -> Marks:
    """The chunk counts before the packet."""
    chunks = riff.split(content, b"WAVE")
    found = xmp.read(riff.first(chunks, _XMP))
    aigc = riff.first(chunks, _AIGC)
    own = None if aigc is None else aigc[:_LONGEST].decode("utf-8", "replace").strip("\0 \r\n")
    return Marks(aigc=own or found.aigc, source=found.source, record=found.record)


def graft(old: bytes, new: bytes) -> bytes:
    """The old file's chunks with the new one's samples and their format; loops stay on the notes that they were on."""
    more = _frames(new) - _frames(old)
    encoded = {chunk.name: chunk for chunk in riff.split(new, b"WAVE") if chunk.name in _SOUND}
    kept = [encoded.pop(chunk.name, None) or _moved(chunk, more) for chunk in riff.split(old, b"WAVE")]
    place = next((number for number, chunk in enumerate(kept) if chunk.name == b"data"), len(kept))
    return riff.join([*kept[:place], *encoded.values(), *kept[place:]], b"WAVE")


def _frames(content: bytes) -> int:
    """Samples of each channel."""
    chunks = riff.split(content, b"WAVE")
    form, data = riff.first(chunks, b"fmt "), riff.first(chunks, b"data")
    align = struct.unpack_from("<H", form, 12)[0] if form and len(form) >= 14 else 0
    return len(data) // align if data and align else 0


def _moved(chunk: Chunk, more: int) -> Chunk:
    """A chunk `smpl` for a sound that has so many samples more in front; others as they are."""
    if chunk.name != _LOOPS or more <= 0 or len(chunk.data) < _LOOPS_HEAD:
        return chunk
    data = bytearray(chunk.data)
    for number in range(struct.unpack_from("<I", data, 28)[0]):
        place = _LOOPS_HEAD + 24 * number + 8  # of its start, which its end follows
        if place + 8 > len(data):
            break
        start, end = struct.unpack_from("<2I", data, place)
        struct.pack_into("<2I", data, place, min(start + more, _MOST), min(end + more, _MOST))
    return Chunk(chunk.name, bytes(data))


FACE = Face(
    extension="wav",
    media_type="audio/wav",
    kind="sound",
    read=read,
    places={"label": "rhythm short-long-short-short before the work", **xmp.PLACES, "implicit": f"chunk `{NAME}`"},
    begins=lambda content: riff.begins(content, b"WAVE"),
    stamp=stamp,
    label="heard",
    graft=graft,
    embeds=True,
    other_names=("wave",),
)
