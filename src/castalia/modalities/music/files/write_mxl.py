"""Score → compressed MusicXML (MusicXML 4.0, "Compressed .mxl files"): the score and a container that names it."""

from __future__ import annotations

import io
import zipfile

from castalia.core.score import Score
from castalia.modalities.music.files.write_musicxml import write_musicxml

_TYPE = "application/vnd.recordare.musicxml"
_ROOT = "score.musicxml"
_CONTAINER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<container><rootfiles><rootfile full-path="{_ROOT}" media-type="{_TYPE}+xml"/></rootfiles></container>\n'
)
_DATE = (1980, 1, 1, 0, 0, 0)
"""Of every member, so that the same score gives the same bytes."""


def write_mxl(score: Score) -> bytes:
    """The file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        _add(archive, "mimetype", _TYPE.encode(), zipfile.ZIP_STORED)
        _add(archive, "META-INF/container.xml", _CONTAINER.encode(), zipfile.ZIP_DEFLATED)
        _add(archive, _ROOT, write_musicxml(score), zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes, packed: int) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = packed
    archive.writestr(entry, content)
