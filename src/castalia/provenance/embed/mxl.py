"""MXL: a packed MusicXML score (MusicXML 4.0, compressed .mxl files); marked like the score inside."""

from __future__ import annotations

from castalia.provenance.embed import archive, container, musicxml
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """The score is replaced by the marked one."""
    path = container.main_file(content)
    return archive.replaced(content, {path: musicxml.stamp(archive.member(content, path) or b"", mark)})


@reads
def read(content: bytes) -> Marks:
    """The score's marks."""
    return musicxml.read(archive.member(content, container.main_file(content)) or b"")


def begins(content: bytes) -> bool:
    """An archive whose main file is a score."""
    try:
        if not archive.begins(content) or archive.member(content, "mimetype") == b"application/epub+zip":
            return False
        return musicxml.begins(archive.member(content, container.main_file(content)) or b"")
    except MalformedError:
        return False


FACE = Face(
    extension="mxl",
    media_type="application/vnd.recordare.musicxml",
    kind="score",
    read=read,
    places=musicxml.FACE.places,
    begins=begins,
    stamp=stamp,
)
