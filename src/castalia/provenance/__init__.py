"""The provenance desk's front: mark works, verify files, keep signing and watermark keys."""

from __future__ import annotations

from castalia.core.values import Marked, MarkedFile
from castalia.provenance.embed import FACES, FORMATS
from castalia.provenance.embed.face import Face
from castalia.provenance.files import Foreign, foreign_record, format_of, mark_file, read_foreign
from castalia.provenance.issued import read_certificate
from castalia.provenance.keys import KeyInfo, Keys, anchors_in
from castalia.provenance.label import find_label, label_for
from castalia.provenance.mark import export, mark
from castalia.provenance.pictures import draw_label
from castalia.provenance.record import WATERMARK_FROM, machine_record, make_record, payload_of, text_sha256
from castalia.provenance.report import Layer, Report
from castalia.provenance.sounds import announcement, rhythm
from castalia.provenance.verify import BYTES, LONGEST, PAYLOAD, Find, read_limited, verify
from castalia.provenance.watermark import PUBLISHED, WatermarkKey


def without_footer(marked: str) -> str:
    """The text of a marked `txt` file for reading on a screen: the label and the work, without the machine's lines."""
    marks = FACES["txt"].read(marked.encode())
    return marks.texts[-1].strip("\n")


__all__ = [
    "BYTES",
    "FACES",
    "FORMATS",
    "LONGEST",
    "PAYLOAD",
    "PUBLISHED",
    "WATERMARK_FROM",
    "Face",
    "Find",
    "Foreign",
    "KeyInfo",
    "Keys",
    "Layer",
    "Marked",
    "MarkedFile",
    "Report",
    "WatermarkKey",
    "anchors_in",
    "announcement",
    "draw_label",
    "export",
    "find_label",
    "foreign_record",
    "format_of",
    "label_for",
    "machine_record",
    "make_record",
    "mark",
    "mark_file",
    "payload_of",
    "read_certificate",
    "read_foreign",
    "read_limited",
    "rhythm",
    "text_sha256",
    "verify",
    "without_footer",
]
