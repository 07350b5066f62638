"""GIF: an XMP packet in an application extension (XMP part 3, section 1.1.2; GIF89a, section 26)."""

from __future__ import annotations

from castalia.provenance.embed import xmp
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps

_XMP = b"\x21\xff\x0bXMP DataXMP"
_TAIL = bytes([1, *range(255, -1, -1), 0])
"""After the packet: whoever reads it as blocks of bytes with their lengths comes to its end from anywhere."""
_BLANK, _TRAILER, _IMAGE, _EXTENSION = 0, 0x3B, 0x2C, 0x21
_COMMENT = 0xFE


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """The packet is the first block behind the header; one that was there is taken out."""
    head, blocks = _split(content)
    old = next((each for each in blocks if each.startswith(_XMP)), None)
    packet = xmp.write(old[len(_XMP) : -len(_TAIL)] if old else None, mark)
    kept = [each for each in blocks if not each.startswith(_XMP)]
    return b"".join((b"GIF89a", head[6:], _XMP, packet, _TAIL, *kept, b"\x3b"))


@reads
def read(content: bytes) -> Marks:
    """The first packet counts."""
    _, blocks = _split(content)
    found = next((each for each in blocks if each.startswith(_XMP)), None)
    return xmp.read(found[len(_XMP) : -len(_TAIL)] if found else None)


def graft(old: bytes, new: bytes) -> bytes:
    """The new frames behind the old file's packet and comments."""
    _, before = _split(old)
    head, after = _split(new)
    kept = [each for each in before if each.startswith(_XMP) or each[1:2] == bytes([_COMMENT])]
    return b"".join((b"GIF89a", head[6:], *kept, *after, b"\x3b"))


def begins(content: bytes) -> bool:
    """The signature."""
    return content[:6] in (b"GIF87a", b"GIF89a")


def _split(content: bytes) -> tuple[bytes, list[bytes]]:
    """Header with the global palette, and each block: extensions and images with their data."""
    if not begins(content) or len(content) < 13:
        raise MalformedError("not a GIF")
    place = 13 + _palette(content[10])
    head, blocks = content[:place], list[bytes]()
    while place < len(content) and content[place] != _TRAILER:
        start = place
        if content.startswith(_XMP, place):
            end = content.find(_TAIL, place)
            if end < 0:
                raise MalformedError("GIF with an XMP packet that does not end")
            place = end + len(_TAIL)
        elif content[place] == _EXTENSION:
            place = _past(content, place + 2)
        elif content[place] == _IMAGE:
            place = _past(content, place + 11 + _palette(content[place + 9] if place + 9 < len(content) else 0))
        elif content[place] == _BLANK:
            place += 1
            continue
        else:
            raise MalformedError("GIF with a block of no known kind")
        blocks.append(content[start:place])
    return head, blocks


def _palette(flags: int) -> int:
    """Bytes of the palette that flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _past(content: bytes, place: int) -> int:
    """Where the sub-blocks that begin here have ended."""
    while place < len(content):
        if not content[place]:
            return place + 1
        place += 1 + content[place]
    raise MalformedError("GIF that ends within a block")


FACE = Face(
    extension="gif",
    media_type="image/gif",
    kind="picture",
    read=read,
    places={"label": "drawn into every frame", **xmp.PLACES},
    begins=begins,
    stamp=stamp,
    label="drawn",
    graft=graft,
    embeds=True,
)
