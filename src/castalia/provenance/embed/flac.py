"""FLAC: fields of the Vorbis comment block (RFC 9639, sections 8.1 and 8.6); the frames of sound are not touched."""

from __future__ import annotations

import struct

from castalia.provenance.embed import id3
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps
from castalia.provenance.embed.mp3 import NAMES, marks_of
from castalia.provenance.tc260 import NAME

_COMMENT = 4
_OF_FRAMES = (0, 3)
"""Blocks that describe the frames: STREAMINFO and SEEKTABLE."""
_LARGEST = (1 << 24) - 1
_MOST = 10_000
"""Blocks of a file, and fields of a comment."""


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """The comment block with our fields, where the old one was, else second."""
    lead, blocks, sound = _split(content)
    old = next((data for kind, data in blocks if kind == _COMMENT), struct.pack("<I8sI", 8, b"Castalia", 0))
    vendor, fields = _comment(old)
    kept = [field for field in fields if field.partition(b"=")[0].upper() not in _OURS]
    own = [f"{name}={mark.lines[layer]}".encode() for name, layer in NAMES.items()]
    new = struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(kept) + len(own))
    new += b"".join(struct.pack("<I", len(field)) + field for field in (*kept, *own))
    if len(new) > _LARGEST:
        raise MalformedError("more than a FLAC comment has room for")
    place = next((number for number, block in enumerate(blocks) if block[0] == _COMMENT), 1)
    others = [block for block in blocks if block[0] != _COMMENT]
    others.insert(place, (_COMMENT, new))
    return lead + _joined(others, sound)


def graft(old: bytes, new: bytes) -> bytes:
    """The new frames under the old file's blocks, but for what they say of the frames."""
    lead, blocks, _ = _split(old)
    _, encoded, sound = _split(new)
    return lead + _joined([*encoded[:1], *(block for block in blocks if block[0] not in _OF_FRAMES)], sound)


@reads
def read(content: bytes) -> Marks:
    """The first field of each name; names have no case."""
    _, blocks, _ = _split(content)
    comment = next((data for kind, data in blocks if kind == _COMMENT), None)
    _, fields = _comment(comment) if comment is not None else (b"", [])
    found: dict[str, str] = {}
    for field in fields:
        name, _, value = field.partition(b"=")
        if own := _OURS.get(name.upper()):
            found.setdefault(own, value.decode("utf-8", "replace"))
    return marks_of(found)


_OURS = {name.upper().encode(): name for name in NAMES}


def begins(content: bytes) -> bool:
    """The signature, perhaps after an ID3 tag that some writers put before it."""
    try:
        return content[(end := id3.read(content).end) : end + 4] == b"fLaC"
    except MalformedError:
        return False


def _joined(blocks: list[tuple[int, bytes]], sound: bytes) -> bytes:
    last = len(blocks) - 1
    head = b"".join(
        bytes((kind | (0x80 if number == last else 0),)) + len(data).to_bytes(3, "big") + data
        for number, (kind, data) in enumerate(blocks)
    )
    return b"fLaC" + head + sound


def _split(content: bytes) -> tuple[bytes, list[tuple[int, bytes]], bytes]:
    """(what comes before the signature, the metadata blocks, the frames)."""
    start = id3.read(content).end
    if content[start : start + 4] != b"fLaC":
        raise MalformedError("not a FLAC file")
    blocks: list[tuple[int, bytes]] = []
    place, last = start + 4, False
    while not last and len(blocks) < _MOST:
        if place + 4 > len(content):
            raise MalformedError("FLAC without sound")
        last, kind = content[place] > 0x7F, content[place] & 0x7F
        end = place + 4 + int.from_bytes(content[place + 1 : place + 4], "big")
        if end > len(content) or kind == 0x7F:
            raise MalformedError("a FLAC block that ends after its file")
        blocks.append((kind, content[place + 4 : end]))
        place = end
    return content[:start], blocks, content[place:]


def _comment(data: bytes) -> tuple[bytes, list[bytes]]:
    """(vendor, fields) of a Vorbis comment."""
    length = struct.unpack_from("<I", data)[0]
    vendor, place = data[4 : 4 + length], 8 + length
    count = struct.unpack_from("<I", data, 4 + length)[0] if place <= len(data) else _MOST + 1
    if count > _MOST:
        raise MalformedError("a FLAC comment of too many fields")
    fields: list[bytes] = []
    for _ in range(count):
        if place + 4 > len(data):
            raise MalformedError("a FLAC comment that is cut off")
        length = struct.unpack_from("<I", data, place)[0]
        fields.append(data[place + 4 : place + 4 + length])
        place += 4 + length
    return vendor, fields


FACE = Face(
    extension="flac",
    media_type="audio/flac",
    kind="sound",
    read=read,
    places={
        "label": "rhythm short-long-short-short before the work",
        "implicit": f"Vorbis comment `{NAME}`",
        "source": "Vorbis comment `DigitalSourceType`",
        "record": "Vorbis comment `castalia`",
    },
    begins=begins,
    stamp=stamp,
    label="heard",
    graft=graft,
    embeds=True,
)
