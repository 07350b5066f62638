"""Files of every format, each made by a library that knows nothing of marks."""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

RATE = 16_000


def picture(form: str, *, mode: str = "RGB", size: tuple[int, int] = (160, 120), **options) -> bytes:
    from PIL import Image

    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    pixels = np.stack([x * 255 // size[0], y * 255 // size[1], (x + y) % 256], -1).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, form, **options)
    return stream.getvalue()


@cache
def tone(seconds: float = 0.5) -> np.ndarray:
    time = np.arange(int(RATE * seconds)) / RATE
    return np.stack([np.sin(2 * np.pi * pitch * time) * 0.3 for pitch in (440, 550)], 1).astype(np.float32)


def sound(form: str, subtype: str | None = None) -> bytes:
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, tone(), RATE, format=form, subtype=subtype)
    return stream.getvalue()


def pdf(source: str = "#set document(title: [Harbour])\n= Harbour\nThe ice came on Tuesday.") -> bytes:
    import typst

    return typst.compile(source.encode())


WEB_PAGE = (
    b'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Harbour</title></head>\n'
    b"<body class='plain'><h1>Harbour</h1>\n<p>The ice came &amp; went.</p></body></html>\n"
)
SVG = (
    b'<?xml version="1.0"?>\n<!-- by hand --><svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">'
    b'<title>Harbour</title><rect width="300" height="200" fill="#88a"/></svg>\n'
)


def docx() -> bytes:
    from docx import Document

    document = Document()
    document.core_properties.author = "Ada"
    document.add_heading("Harbour")
    document.add_paragraph("The ice came on Tuesday.")
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def xlsx() -> bytes:
    from openpyxl import Workbook
    from openpyxl.packaging.custom import StringProperty

    book = Workbook()
    book.active["A1"] = "ice"
    book.active["A2"] = "=LEN(A1)"
    book.active.oddHeader.center.text = "Harbour"
    book.create_sheet("Second")["A1"] = 1
    book.custom_doc_props.append(StringProperty(name="Client", value="Ada"))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def midi() -> bytes:
    from mido import Message, MetaMessage, MidiFile, MidiTrack

    file, track = MidiFile(), MidiTrack()
    file.tracks.append(track)
    track.append(MetaMessage("track_name", name="Harbour", time=0))
    track.append(MetaMessage("set_tempo", tempo=500_000, time=0))
    track += [Message("note_on", note=60, time=0), Message("note_off", note=60, time=480)]
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


SCORE = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">
<score-partwise version="4.0">
  <work><work-title>Harbour</work-title></work>
  <identification><creator type="composer">Ada</creator></identification>
  <part-list><score-part id="P1"><part-name>Voice</part-name></score-part></part-list>
  <part id="P1"><measure number="1"><note><rest/><duration>4</duration></note></measure></part>
</score-partwise>
"""
CONTAINER = (
    b'<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    b'<rootfile full-path="%s" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
BOOK = b"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata
 xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">x</dc:identifier><dc:title>Harbour</dc:title>
<dc:language>en</dc:language></metadata><manifest><item id="c" href="text/page%201.xhtml"
 media-type="application/xhtml+xml"/></manifest><spine><itemref idref="c"/></spine></package>
"""
PAGE = (
    b'<?xml version="1.0"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Harbour</title>'
    b"</head><body><h1>Harbour</h1><p>The ice came.</p></body></html>"
)


def packed(**members: bytes) -> bytes:
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            kind = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), data, kind)
    return stream.getvalue()


def epub() -> bytes:
    members = {"mimetype": b"application/epub+zip", "META-INF/container.xml": CONTAINER % b"OEBPS/content.opf"}
    return packed(**members, **{"OEBPS/content.opf": BOOK, "OEBPS/text/page 1.xhtml": PAGE})


def mxl() -> bytes:
    return packed(**{"META-INF/container.xml": CONTAINER % b"score.musicxml", "score.musicxml": SCORE})


def film(form: str, **options: str) -> bytes:
    import av

    path = Path(tempfile.mkdtemp()) / "film"  # some options want a file that can be read again
    with av.open(str(path), "w", format=form, options=options) as target:
        target.metadata["title"] = "Harbour"
        if form == "mp4":
            pictures = target.add_stream("mpeg4", rate=10)
            pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
            shade = np.full((48, 64, 3), 90, np.uint8)
            for _ in range(5):
                target.mux(pictures.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
            target.mux(pictures.encode(None))
        else:
            voice = target.add_stream("aac", rate=RATE, layout="stereo")
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(tone().T), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = RATE, 0
            target.mux(voice.encode(frame))
            target.mux(voice.encode(None))
    content = path.read_bytes()
    path.unlink()
    path.parent.rmdir()
    return content


MAKERS: dict[str, Callable[[], bytes]] = {
    "txt": lambda: b"Harbour\n\nThe ice came on Tuesday.\n",
    "md": lambda: b"---\ntags: [harbour]\n---\n\n# Harbour\n\nThe *ice* came on Tuesday.\n",
    "html": lambda: WEB_PAGE,
    "json": lambda: b'{"harbour": {"ice": 1.50}, "days": ["Tuesday"]}',
    "png": lambda: picture("PNG"),
    "jpg": lambda: picture("JPEG", quality=90),
    "webp": lambda: picture("WEBP", quality=90),
    "gif": lambda: picture("GIF"),
    "wav": lambda: sound("WAV"),
    "pdf": pdf,
    "svg": lambda: SVG,
    "mp3": lambda: sound("MP3"),
    "flac": lambda: sound("FLAC"),
    "m4a": lambda: film("ipod"),
    "mp4": lambda: film("mp4"),
    "mid": midi,
    "musicxml": lambda: SCORE,
    "mxl": mxl,
    "abc": lambda: b"%abc-2.1\nX:1\nT:Harbour\nM:4/4\nL:1/4\nK:C\nC D E F | G4 |]\n",
    "epub": epub,
    "docx": docx,
    "xlsx": xlsx,
    "zip": lambda: packed(**{"one.png": picture("PNG"), "notes.bin": b"\0\1"}),
}


@cache
def made(extension: str) -> bytes:
    return MAKERS[extension]()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
