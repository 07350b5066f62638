"""ID3v2 tags: their frames, and ours among them (ID3v2.4.0 structure, sections 3 to 4; also ID3v2.2 and 2.3).

Other frames stay byte for byte in the version they came in. Ours are user-defined texts: `TXXX` (`TXX` in 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass

from castalia.provenance.embed.face import MalformedError

_MOST = 10_000
"""Frames of a tag."""
_LONGEST = 1_000_000
"""Bytes of a text that is read."""


@dataclass(frozen=True)
class Tag:
    """One tag at the beginning of a file."""

    version: int
    """2, 3 or 4."""
    frames: list[tuple[bytes, bytes]]
    """(name, whole frame with its header)."""
    end: int
    """Where the file goes on."""

    @property
    def head(self) -> int:
        """Length of a frame's header."""
        return 6 if self.version == 2 else 10

    @property
    def user(self) -> bytes:
        """Name of a user-defined text frame."""
        return b"TXX" if self.version == 2 else b"TXXX"


def read(content: bytes) -> Tag:
    """The tag of a file; an empty one of version 2.4 where there is none.

    Raises:
        MalformedError: it is of another version, or its length goes beyond the file.
    """
    if content[:3] != b"ID3":
        return Tag(4, [], 0)
    if len(content) < 10:
        raise MalformedError("an ID3 tag that ends after its file")
    version, flags = content[3], content[5]
    if version not in (2, 3, 4) or (version == 2 and flags & 0x40):
        raise MalformedError("an ID3 tag of an unknown kind")
    size = _synchsafe(content[6:10])
    end = 10 + size + (10 if version == 4 and flags & 0x10 else 0)
    if 10 + size > len(content):
        raise MalformedError("an ID3 tag that ends after its file")
    body = content[10 : 10 + size]
    if flags & 0x80 and version < 4:  # unsynchronisation of the whole tag; in 2.4 each frame has its own
        body = body.replace(b"\xff\x00", b"\xff")
    if flags & 0x40:  # extended header: what it says (a checksum, restrictions) ends with a change
        length = _synchsafe(body[:4]) if version == 4 else int.from_bytes(body[:4], "big") + 4
        body = body[length:]
    return Tag(version, _frames(body, version), end)


def texts(tag: Tag) -> dict[str, str]:
    """The user-defined texts by their description; the first of each counts."""
    found: dict[str, str] = {}
    for name, frame in tag.frames:
        if name != tag.user or not 1 < len(frame) - tag.head <= _LONGEST:
            continue
        data = frame[tag.head :]
        if tag.version == 4 and frame[9] & 0x02:
            data = data.replace(b"\xff\x00", b"\xff")
        if tag.version == 4 and frame[9] & 0x01:  # data length indicator
            data = data[4:]
        pieces = _decoded(data[:1], data[1:]).split("\0", 1)
        if len(pieces) == 2:
            found.setdefault(pieces[0].lstrip("\ufeff"), pieces[1].lstrip("\ufeff").rstrip("\0"))
    return found


def write(tag: Tag, own: dict[str, str]) -> bytes:
    """The tag with these user-defined texts, each once; without unsynchronisation, extended header and footer."""
    kept = [frame for name, frame in tag.frames if not _is(tag, name, frame, own)]
    body = b"".join([*kept, *(_text(tag, name, value) for name, value in own.items())])
    if len(body) >= 1 << 28:
        raise MalformedError("more than an ID3 tag has room for")
    return b"ID3" + bytes((tag.version, 0, 0)) + _to_synchsafe(len(body)) + body


def _is(tag: Tag, name: bytes, frame: bytes, own: dict[str, str]) -> bool:
    return name == tag.user and not own.keys().isdisjoint(texts(Tag(tag.version, [(name, frame)], 0)))


def _text(tag: Tag, name: str, value: str) -> bytes:
    """Section 4.2.6; UTF-8 is known from version 2.4 on, before it UTF-16 with its mark."""
    if tag.version == 4:
        data = b"\x03" + name.encode() + b"\0" + value.encode()
        return b"TXXX" + _to_synchsafe(len(data)) + b"\0\0" + data
    data = b"\x01" + name.encode("utf-16") + b"\0\0" + value.encode("utf-16")
    if tag.version == 3:
        return b"TXXX" + len(data).to_bytes(4, "big") + b"\0\0" + data
    return b"TXX" + len(data).to_bytes(3, "big") + data


def _frames(body: bytes, version: int) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    place, head = 0, 6 if version == 2 else 10
    while place + head <= len(body) and body[place] and len(found) < _MOST:  # a zero begins the padding
        name = body[place : place + (3 if version == 2 else 4)]
        if version == 2:
            length = int.from_bytes(body[place + 3 : place + 6], "big")
        elif version == 3:
            length = int.from_bytes(body[place + 4 : place + 8], "big")
        else:
            length = _synchsafe(body[place + 4 : place + 8])
        end = place + head + length
        if end > len(body):
            raise MalformedError("an ID3 frame that ends after its tag")
        found.append((name, body[place:end]))
        place = end
    return found


def _decoded(encoding: bytes, data: bytes) -> str:
    name = {b"\0": "latin-1", b"\1": "utf-16", b"\2": "utf-16-be", b"\3": "utf-8"}.get(encoding)
    if name is None:
        raise MalformedError("an ID3 text in an unknown encoding")
    return data.decode(name, "replace")


def _synchsafe(raw: bytes) -> int:
    """Section 6.2: seven bits a byte."""
    value = 0
    for byte in raw:
        value = value << 7 | byte & 0x7F
    return value


def _to_synchsafe(value: int) -> bytes:
    return bytes(value >> shift & 0x7F for shift in (21, 14, 7, 0))
