"""Files of every format, each made by a library that knows nothing of marks."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

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


MAKERS: dict[str, Callable[[], bytes]] = {
    "png": lambda: picture("PNG"),
    "jpg": lambda: picture("JPEG", quality=90),
    "webp": lambda: picture("WEBP", quality=90),
    "wav": lambda: sound("WAV"),
    "pdf": pdf,
    "svg": lambda: SVG,
    "mp3": lambda: sound("MP3"),
    "flac": lambda: sound("FLAC"),
    "docx": docx,
    "xlsx": xlsx,
}


@cache
def made(extension: str) -> bytes:
    return MAKERS[extension]()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
