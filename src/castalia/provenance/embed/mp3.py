"""MP3: user-defined texts of its ID3v2 tag, `AIGC` as GB 45438-2025 asks; the frames of sound are not touched."""

from __future__ import annotations

from castalia.provenance.embed import id3
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps
from castalia.provenance.tc260 import NAME

NAMES = {NAME: "aigc", "DigitalSourceType": "source", "castalia": "record"}
"""Names under which formats with free tags carry the three labels."""


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """The old tag with our texts in it, then the sound."""
    if not begins(content):
        raise MalformedError("not an MP3 file")
    tag = id3.read(content)
    lines = mark.lines
    return id3.write(tag, {name: lines[layer] for name, layer in NAMES.items()}) + content[tag.end :]


def graft(old: bytes, new: bytes) -> bytes:
    """The new frames between the old file's tags (ID3v2 before, ID3v1 behind)."""
    tail = old[-128:] if old[-128:-125] == b"TAG" else b""
    return old[: id3.read(old).end] + new[id3.read(new).end :] + tail


@reads
def read(content: bytes) -> Marks:
    """The texts of the tag at the beginning."""
    return marks_of(id3.texts(id3.read(content))) if begins(content) else Marks()


def marks_of(tags: dict[str, str]) -> Marks:
    """The labels among free tags."""
    return Marks(**{layer: tags.get(name) for name, layer in NAMES.items()})  # pyright: ignore[reportArgumentType]


def begins(content: bytes) -> bool:
    """A tag that no FLAC stream follows, or the header of an MPEG audio frame, layer III (ISO 11172-3, 2.4.1.3)."""
    if content[:3] == b"ID3":
        try:
            end = id3.read(content).end
        except MalformedError:
            return True
        return content[end : end + 4] != b"fLaC"
    return len(content) > 3 and content[0] == 0xFF and content[1] & 0xE6 == 0xE2 and content[2] & 0xF0 != 0xF0


FACE = Face(
    extension="mp3",
    media_type="audio/mpeg",
    kind="sound",
    read=read,
    places={
        "label": "rhythm short-long-short-short before the work",
        "implicit": f"ID3v2 `TXXX` `{NAME}`",
        "source": "ID3v2 `TXXX` `DigitalSourceType`",
        "record": "ID3v2 `TXXX` `castalia`",
    },
    begins=begins,
    stamp=stamp,
    label="heard",
    graft=graft,
    embeds=True,
)
