"""MIDI: text events at the beginning of the first track (Standard MIDI Files 1.0, RP-001, meta event FF 01)."""

from __future__ import annotations

from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps
from castalia.provenance.embed.mp3 import NAMES, marks_of
from castalia.provenance.label import LABELS, find_label
from castalia.provenance.tc260 import NAME

_MOST = 20
"""Events at the beginning of a track that are searched."""
_LONGEST = 100_000
"""Bytes of a text."""
_TEXTS = frozenset(range(1, 8))
"""Meta events that hold text."""


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """The label's event, then one for each of the others, before all other events; no note moves."""
    start, end = _track(content)
    opening = _opening(content, start, end)
    following = [*(text for _, text, _ in opening[1:]), ""]
    kept = [
        event for (event, text, _), after in zip(opening, following, strict=False) if not _is_ours(text, after, mark)
    ]
    rest = opening[-1][2] if opening else start
    lines = [*([mark.label] if mark.label else []), *(f"{name}: {mark.lines[key]}" for name, key in NAMES.items())]
    events = b"".join(b"\0\xff\x01" + _length(len(raw := line.encode())) + raw for line in lines)
    track = events + b"".join(kept) + content[rest:end]
    return content[: start - 4] + len(track).to_bytes(4, "big") + track + content[end:]


@reads
def read(content: bytes) -> Marks:
    """The texts at time zero: `name: value`, and the first that is a label."""
    found: dict[str, str] = {}
    label = ""
    for _, text, _ in _opening(content, *_track(content)):
        name, separator, value = text.partition(": ")
        if separator and name in NAMES:
            found.setdefault(name, value)
        label = label or find_label(text)
    marks = marks_of(found)
    return Marks(label=label, aigc=marks.aigc, source=marks.source, record=marks.record)


def begins(content: bytes) -> bool:
    """The header chunk."""
    return content[:8] == b"MThd\0\0\0\6"


def _is_ours(text: str, following: str, mark: Stamp) -> bool:
    """An old label of ours stands before the other labels; it goes only where a new one comes."""
    name, separator, _ = text.partition(": ")
    if bool(mark.label) and text in LABELS.values() and following.startswith(f"{NAME}: "):
        return True
    return bool(separator) and name in NAMES


def _track(content: bytes) -> tuple[int, int]:
    """Where the events of the first track begin and end."""
    if not begins(content):
        raise MalformedError("not a MIDI file")
    place = 14
    for _ in range(_MOST):
        length = int.from_bytes(content[place + 4 : place + 8], "big")
        if place + 8 + length > len(content):
            break
        if content[place : place + 4] == b"MTrk":
            return place + 8, place + 8 + length
        place += 8 + length
    raise MalformedError("MIDI without a track")


def _opening(content: bytes, place: int, end: int) -> list[tuple[bytes, str, int]]:
    """(whole event, its text, where the next begins) of the text events at time zero that begin a track."""
    found: list[tuple[bytes, str, int]] = []
    while place + 4 <= end and len(found) < _MOST:
        if content[place : place + 2] != b"\0\xff" or content[place + 2] not in _TEXTS:
            break
        length, start = _read_length(content, place + 3)
        if start + length > end or length > _LONGEST:
            raise MalformedError("a MIDI event that ends after its track")
        text = content[start : start + length].decode("utf-8", "replace")
        found.append((content[place : start + length], text, start + length))
        place = start + length
    return found


def _length(value: int) -> bytes:
    """A variable-length quantity: seven bits a byte, the highest bit says that another follows."""
    pieces = [value & 0x7F]
    while value := value >> 7:
        pieces.append(value & 0x7F | 0x80)
    return bytes(reversed(pieces))


def _read_length(content: bytes, place: int) -> tuple[int, int]:
    value = 0
    for offset, byte in enumerate(content[place : place + 4], 1):
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + offset
    raise MalformedError("a MIDI length without an end")


FACE = Face(
    extension="mid",
    media_type="audio/midi",
    kind="score",
    read=read,
    places={
        "label": "first text event (FF 01)",
        "implicit": f"text event `{NAME}: {{…}}`",
        "source": "text event `DigitalSourceType: …`",
        "record": "text event `castalia: {…}`",
    },
    begins=begins,
    stamp=stamp,
    other_names=("midi",),
)
