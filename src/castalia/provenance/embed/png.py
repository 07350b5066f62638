"""PNG: an XMP packet in an iTXt chunk (PNG third edition, sections 5.3 and 11.3.3.4; XMP part 3, section 1.1.5)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from castalia.provenance.embed import xmp
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"XML:com.adobe.xmp\0"
_PIXELS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"sBIT", b"bKGD", b"hIST"))
"""Chunks that describe the pixels as they were coded."""
_MOST = 100_000
"""Chunks of a file."""


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """The packet takes the place of the old one, else it follows the header."""
    pieces: list[bytes] = [_SIGNATURE]
    written = False
    packet = xmp.write(_packet(content), mark)
    for kind, data, raw in _chunks(content):
        if kind == b"iTXt" and data.startswith(_KEYWORD):
            continue
        pieces.append(raw)
        if not written:  # IHDR is the first chunk
            pieces.append(_chunk(b"iTXt", _KEYWORD + b"\0\0\0\0" + packet))
            written = True
    return b"".join(pieces)


@reads
def read(content: bytes) -> Marks:
    """The first packet counts."""
    return xmp.read(_packet(content))


def graft(old: bytes, new: bytes) -> bytes:
    """The new pixels among the old file's other chunks, in the order of section 5.6."""
    kept = [(kind, raw) for kind, _, raw in _chunks(old) if kind not in _PIXELS]
    fresh = [(kind, raw) for kind, _, raw in _chunks(new)]
    head = [raw for kind, raw in fresh if kind == b"IHDR"]
    rest = [raw for kind, raw in fresh if kind in _PIXELS and kind != b"IHDR"]
    return b"".join([_SIGNATURE, *head, *(raw for kind, raw in kept if kind != b"IEND"), *rest,
                     *(raw for kind, raw in kept if kind == b"IEND")])  # fmt: skip


def _packet(content: bytes) -> bytes | None:
    for kind, data, _ in _chunks(content):
        if kind == b"iTXt" and data.startswith(_KEYWORD):
            compressed, rest = data[len(_KEYWORD)] == 1, data[len(_KEYWORD) + 2 :]
            _, _, rest = rest.partition(b"\0")  # language
            _, _, rest = rest.partition(b"\0")  # translated keyword
            return _inflated(rest) if compressed else rest
    return None


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, xmp.LONGEST + 1)
    except zlib.error as error:
        raise MalformedError(f"PNG: {error}") from error


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(type, data, whole chunk) in order."""
    if not content.startswith(_SIGNATURE + b"\0\0\0\x0dIHDR"):
        raise MalformedError("not a PNG file")
    place = len(_SIGNATURE)
    for _ in range(_MOST):
        if place + 12 > len(content):
            return
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 12 + length
        if end > len(content):
            raise MalformedError("a PNG chunk that ends after its file")
        data = content[place + 8 : end - 4]
        if kind == b"IEND":  # with whatever follows it
            yield kind, data, content[place:]
            return
        yield kind, data, content[place:end]
        place = end
    raise MalformedError(f"PNG of more than {_MOST} chunks")


FACE = Face(
    extension="png",
    media_type="image/png",
    kind="picture",
    read=read,
    places={"label": "drawn into the picture", **xmp.PLACES},
    begins=lambda content: content.startswith(_SIGNATURE),
    stamp=stamp,
    label="drawn",
    graft=graft,
    embeds=True,
)
