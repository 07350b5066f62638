"""WebP: an XMP packet in chunk `XMP ` of the extended layout (RFC 9649, sections 2.5 to 2.7)."""

from __future__ import annotations

import struct

from castalia.provenance.embed import riff, xmp
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps
from castalia.provenance.embed.riff import Chunk

_XMP = b"XMP "
_HEADER = b"VP8X"
_HAS_XMP, _HAS_ALPHA = 0x04, 0x10
_PIXELS = frozenset((b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"))


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """The packet is the last chunk but for unknown ones; a simple file becomes an extended one."""
    chunks = _extended(riff.split(content, b"WEBP"))
    packet = xmp.write(riff.first(chunks, _XMP), mark)
    header = bytearray(chunks[0].data)
    header[0] |= _HAS_XMP
    kept = [chunk for chunk in chunks[1:] if chunk.name != _XMP]
    return riff.join([Chunk(_HEADER, bytes(header)), *kept, Chunk(_XMP, packet)], b"WEBP")


@reads
def read(content: bytes) -> Marks:
    """The first packet counts."""
    return xmp.read(riff.first(riff.split(content, b"WEBP"), _XMP))


def graft(old: bytes, new: bytes) -> bytes:
    """The new pixels among the old file's other chunks."""
    before, after = _extended(riff.split(old, b"WEBP")), _extended(riff.split(new, b"WEBP"))
    header = bytearray(after[0].data)
    header[0] |= before[0].data[0] & ~_HAS_ALPHA
    pixels = [chunk for chunk in after if chunk.name in _PIXELS]
    profile = [chunk for chunk in before if chunk.name == b"ICCP"]  # comes before the pixels
    rest = [chunk for chunk in before[1:] if chunk.name not in _PIXELS and chunk.name != b"ICCP"]
    return riff.join([Chunk(_HEADER, bytes(header)), *profile, *pixels, *rest], b"WEBP")


def _extended(chunks: list[Chunk]) -> list[Chunk]:
    """The chunks behind a header `VP8X`, made from the picture's own where there is none."""
    if chunks and chunks[0].name == _HEADER and len(chunks[0].data) >= 10:
        return chunks
    if not chunks or chunks[0].name not in (b"VP8 ", b"VP8L") or len(chunks[0].data) < 10:
        raise MalformedError("WebP without a picture")
    data = chunks[0].data
    if chunks[0].name == b"VP8L":  # section 3.4: signature, then 14 bits each and the alpha bit
        bits = struct.unpack_from("<I", data, 1)[0]
        wide, high, clear = bits & 0x3FFF, bits >> 14 & 0x3FFF, bool(bits >> 28 & 1)
    else:  # RFC 6386, section 9.1: frame tag, start code, then 14 bits each
        wide, high = (size & 0x3FFF for size in struct.unpack_from("<HH", data, 6))
        wide, high, clear = wide - 1, high - 1, False
    if wide < 0 or high < 0:
        raise MalformedError("WebP without a picture")
    flags = _HAS_ALPHA if clear else 0
    header = struct.pack("<I", flags) + wide.to_bytes(3, "little") + high.to_bytes(3, "little")
    return [Chunk(_HEADER, header), *chunks]


FACE = Face(
    extension="webp",
    media_type="image/webp",
    kind="picture",
    read=read,
    places={"label": "drawn into the picture", **xmp.PLACES},
    begins=lambda content: riff.begins(content, b"WEBP"),
    stamp=stamp,
    label="drawn",
    graft=graft,
    embeds=True,
)
