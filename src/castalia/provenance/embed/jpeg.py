"""JPEG: an XMP packet in an APP1 segment (ITU-T T.81 annex B; XMP part 3, section 1.1.3)."""

from __future__ import annotations

import struct

from castalia.provenance.embed import xmp
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_LARGEST = 0xFFFF - 2
"""Bytes of a segment's data."""
_MOST = 10_000
"""Segments before the pixels."""
_CODING = {0xE0: b"JFIF", 0xEE: b"Adobe"}
"""Application segments that say how the pixels are coded."""


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """The packet takes the place of the old one, else it follows JFIF and EXIF, which want to be first."""
    segments, pixels = _segments(content)
    packet = _XMP + xmp.write(_packet(segments), mark)
    if len(packet) > _LARGEST:
        raise MalformedError("XMP of more than a JPEG segment holds")
    kept = [(kind, data) for kind, data in segments if not _is_xmp(kind, data)]
    place = sum(1 for kind, data in kept if kind == 0xE0 or data.startswith(b"Exif\0"))
    kept.insert(place, (0xE1, packet))
    return _joined(kept, pixels)


@reads
def read(content: bytes) -> Marks:
    """The first packet counts."""
    return xmp.read(_packet(_segments(content)[0]))


def graft(old: bytes, new: bytes) -> bytes:
    """The new pixels after the old file's application segments and comments; pictures behind the first one go.

    Those are smaller or brighter copies (CIPA DC-007) that would show the picture without its label.
    """
    before, (fresh, pixels) = _segments(old)[0], _segments(new)
    kept = [each for each in before if each[0] >= 0xE0 and not _codes(*each) and not each[1].startswith(b"MPF\0")]
    first = [each for each in fresh if _codes(*each)]
    return _joined([*first, *kept, *(each for each in fresh if each[0] < 0xE0)], pixels)


def _codes(kind: int, data: bytes) -> bool:
    return kind in _CODING and data.startswith(_CODING[kind])


def _is_xmp(kind: int, data: bytes) -> bool:
    return kind == 0xE1 and data.startswith(_XMP)


def _packet(segments: list[tuple[int, bytes]]) -> bytes | None:
    return next((data[len(_XMP) :] for kind, data in segments if _is_xmp(kind, data)), None)


def _joined(segments: list[tuple[int, bytes]], pixels: bytes) -> bytes:
    head = b"".join(struct.pack(">BBH", 0xFF, kind, len(data) + 2) + data for kind, data in segments)
    return b"\xff\xd8" + head + pixels


def _segments(content: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """(marker and data of the segments before the first scan, all bytes from that scan on)."""
    if not content.startswith(b"\xff\xd8\xff"):
        raise MalformedError("not a JPEG file")
    found: list[tuple[int, bytes]] = []
    place = 2
    while place + 4 <= len(content) and len(found) < _MOST:
        if content[place] != 0xFF:
            raise MalformedError("JPEG with something between its segments")
        kind = content[place + 1]
        if kind == 0xFF:  # fill byte
            place += 1
            continue
        if kind == 0xDA:
            return found, content[place:]
        length = struct.unpack_from(">H", content, place + 2)[0]
        end = place + 2 + length
        if length < 2 or end > len(content) or kind in (0xD8, 0xD9):
            break
        found.append((kind, content[place + 4 : end]))
        place = end
    raise MalformedError("JPEG without pixels")


FACE = Face(
    extension="jpg",
    media_type="image/jpeg",
    kind="picture",
    read=read,
    places={"label": "drawn into the picture", **xmp.PLACES},
    begins=lambda content: content.startswith(b"\xff\xd8\xff"),
    stamp=stamp,
    label="drawn",
    graft=graft,
    embeds=True,
    other_names=("jpeg", "jpe"),
)
