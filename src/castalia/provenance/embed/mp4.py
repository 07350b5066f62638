"""MP4 and M4A: free tags in `moov.udta.meta` (ISO/IEC 14496-12:2022, section 8.11; Apple's metadata item list).

A list of the kind `mdir`, as iTunes writes it, holds them as `----` items; one of the kind `mdta`, as ffmpeg writes
it with `use_metadata_tags`, by a table of keys. A file without either gets an `mdta` list, an M4A an `mdir` list.
"""

from __future__ import annotations

import struct

from castalia.provenance.embed import boxes
from castalia.provenance.embed.boxes import Box, inner, make, split
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps
from castalia.provenance.embed.mp3 import NAMES, marks_of
from castalia.provenance.tc260 import NAME

_MEAN = b"com.apple.iTunes"
_TEXT = struct.pack(">II", 1, 0)
"""Type UTF-8, no locale."""
_LONGEST = 1_000_000
_MOST = 10_000


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """The list with our items in it; chunk offsets behind it move by what it grew."""
    moov = _moov(content)
    own = {name: mark.lines[layer].encode() for name, layer in NAMES.items()}
    udta = inner(content, moov, b"udta")
    meta = _list(content, udta)
    rest = [each for each in split(content, udta.inside, udta.end) if each != meta] if udta else []
    new = make(b"udta", *(content[each.start : each.end] for each in rest), _meta(content, meta, own))
    made = _with(content, moov, udta, new)
    if read(made).aigc != mark.lines["aigc"]:
        raise MalformedError("MP4 with a list of items that cannot be written")
    return made


def graft(old: bytes, new: bytes) -> bytes:
    """The new file with the old one's user data: title, cover, and all other items."""
    moov = _moov(old)
    if sum(each.name == b"trak" for each in split(old, moov.inside, moov.end)) != 1:
        raise MalformedError("a sound of several tracks, of which one alone would be left")
    udta = inner(old, moov, b"udta")
    there = _moov(new)
    return _with(new, there, inner(new, there, b"udta"), old[udta.start : udta.end] if udta else b"")


def _with(content: bytes, moov: Box, udta: Box | None, new: bytes) -> bytes:
    """The file with other user data; chunk offsets behind it move by what it grew."""
    table = boxes.moved(content, moov, len(new) - (udta.end - udta.start if udta else 0))
    head, place = moov.inside - moov.start, (udta.start if udta else moov.end) - moov.start
    stop = (udta.end if udta else moov.end) - moov.start
    return content[: moov.start] + make(b"moov", table[head:place], new, table[stop:]) + content[moov.end :]


@reads
def read(content: bytes) -> Marks:
    """The items of either kind of list."""
    moov = _moov(content)
    meta = _list(content, inner(content, moov, b"udta"))
    if meta is None:
        return Marks()
    keys = _keys(content, meta)
    found: dict[str, str] = {}
    for item in _items(content, meta):
        name = _name(content, item, keys)
        data = inner(content, item, b"data")
        if name in NAMES and data is not None and 8 <= data.end - data.inside <= _LONGEST:
            found.setdefault(name, content[data.inside + 8 : data.end].decode("utf-8", "replace"))
    return marks_of(found)


def _moov(content: bytes) -> Box:
    if content[4:8] != b"ftyp":
        raise MalformedError("not an MP4 file")
    moov = next((each for each in split(content) if each.name == b"moov"), None)
    if moov is None:
        raise MalformedError("MP4 without a description of its tracks")
    return moov


def _list(content: bytes, udta: Box | None) -> Box | None:
    """The box `meta` with a list of items."""
    for each in split(content, udta.inside, udta.end) if udta else ():
        if each.name == b"meta" and inner(content, each, b"hdlr", 4) is not None:
            return each
    return None


def _kind(content: bytes, meta: Box) -> bytes:
    handler = inner(content, meta, b"hdlr", 4)
    return content[handler.inside + 8 : handler.inside + 12] if handler else b""


def _keys(content: bytes, meta: Box) -> list[bytes]:
    """The table of an `mdta` list; items count it from 1."""
    table = inner(content, meta, b"keys", 4)
    if table is None or table.end - table.inside < 8:
        return []
    found: list[bytes] = []
    place, count = table.inside + 8, struct.unpack_from(">I", content, table.inside + 4)[0]
    while place + 8 <= table.end and len(found) < min(count, _MOST):
        size = struct.unpack_from(">I", content, place)[0]
        if size < 8 or place + size > table.end:
            raise MalformedError("a key that ends after its table")
        found.append(content[place : place + size])
        place += size
    return found


def _items(content: bytes, meta: Box) -> list[Box]:
    items = inner(content, meta, b"ilst", 4)
    return split(content, items.inside, items.end) if items else []


def _name(content: bytes, item: Box, keys: list[bytes]) -> str:
    if item.name == b"----":
        name = inner(content, item, b"name")
        return content[name.inside + 4 : name.end].decode("utf-8", "replace") if name else ""
    number = int.from_bytes(item.name, "big")
    return keys[number - 1][8:].decode("utf-8", "replace") if 0 < number <= len(keys) else ""


def _meta(content: bytes, meta: Box | None, own: dict[str, bytes]) -> bytes:
    """The list with our items, each once, after the others."""
    by_key = _kind(content, meta) == b"mdta" if meta else content[8:12] != b"M4A "
    keys = _keys(content, meta) if meta else []
    items = [
        content[each.start : each.end]
        for each in (_items(content, meta) if meta else [])
        if _name(content, each, keys) not in own
    ]
    for name, value in own.items():
        data = make(b"data", _TEXT, value)
        if by_key:
            key = struct.pack(">I4s", len(name) + 8, b"mdta") + name.encode()
            if key not in keys:
                keys.append(key)
            items.append(make(struct.pack(">I", keys.index(key) + 1), data))
        else:
            items.append(make(b"----", make(b"mean", bytes(4), _MEAN), make(b"name", bytes(4), name.encode()), data))
    others = split(content, meta.inside + 4, meta.end) if meta else []
    kept = [content[each.start : each.end] for each in others if each.name not in (b"keys", b"ilst", b"free")]
    kept = kept or [_handler(b"mdta" if by_key else b"mdir")]
    table = [make(b"keys", bytes(4), struct.pack(">I", len(keys)), *keys)] if by_key else []
    return make(b"meta", bytes(4), *kept, *table, make(b"ilst", *items))


def _handler(kind: bytes) -> bytes:
    return make(b"hdlr", bytes(8), kind, b"appl" if kind == b"mdir" else bytes(4), bytes(8), b"\0")


_FILMS = frozenset((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V "))
"""Brands under which films, and sounds that do not say so, are written."""
_PLACES = {
    "label": "in pictures or sound before they are encoded",
    "implicit": f"`moov.udta.meta`, item `{NAME}`",
    "source": "`moov.udta.meta`, item `DigitalSourceType`",
    "record": "`moov.udta.meta`, item `castalia`",
}
M4A = Face(
    extension="m4a",
    media_type="audio/mp4",
    kind="sound",
    read=read,
    places={**_PLACES, "label": "rhythm short-long-short-short before the work, where ffmpeg is installed"},
    begins=lambda content: content[4:12] == b"ftypM4A ",
    stamp=stamp,
    label="heard",
    by_ffmpeg=True,
    graft=graft,
    embeds=True,
)
MP4 = Face(
    extension="mp4",
    media_type="video/mp4",
    kind="film",
    read=read,
    places=_PLACES,
    begins=lambda content: content[4:8] == b"ftyp" and content[8:12] in _FILMS,
    stamp=stamp,
    label="heard",
    embeds=True,
    other_names=("m4v",),
)
