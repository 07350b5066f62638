"""WAV: chunk `AIGC` (GB 45438-2025), XMP in chunk `_PMX` (XMP part 3, section 1.1.4)."""

from __future__ import annotations

from castalia.provenance.embed import riff, xmp
from castalia.provenance.embed.face import Face, Marks, Stamp, reads, stamps
from castalia.provenance.embed.riff import Chunk
from castalia.provenance.tc260 import NAME

_AIGC = NAME.encode()
_XMP = b"_PMX"
_LONGEST = 100_000
"""Bytes of an `AIGC` chunk that are read."""
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
    """The old file's chunks with the new one's samples and their format."""
    encoded = {chunk.name: chunk for chunk in riff.split(new, b"WAVE") if chunk.name in _SOUND}
    kept = [encoded.pop(chunk.name, None) or chunk for chunk in riff.split(old, b"WAVE")]
    place = next((number for number, chunk in enumerate(kept) if chunk.name == b"data"), len(kept))
    return riff.join([*kept[:place], *encoded.values(), *kept[place:]], b"WAVE")


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
