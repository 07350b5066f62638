"""PDF: `/AIGC` in the document information (GB 45438-2025), XMP in `/Metadata`, the label at the head of page one.

An incremental update (ISO 32000-2:2020, section 7.5.6), so that everything before it stays byte for byte.
"""

from __future__ import annotations

import io
import logging
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from castalia.provenance.embed import xmp
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp
from castalia.provenance.label import FONT, LETTERS, find_label
from castalia.provenance.tc260 import NAME

if TYPE_CHECKING:
    from pypdf import PdfReader, PdfWriter

Object = Any
"""An object of pypdf, whose types say less than the standard."""
_SIZE, _MARGIN = 10, 24
"""Points."""
_MOST_UPDATES = 1_000
_DEEPEST = 64
"""Levels of the page tree on the way to page one."""
PATIENCE = 20
"""Seconds of processor time in which words are looked for; a book of 300 pages takes about ten."""
_LONGEST = 4_000
"""Bytes of a content stream that is searched for the label; ours has about 300."""
_SPAN = re.compile(rb"/Span <</ActualText <FEFF([0-9A-F]{4,400})>>> BDC")


def stamp(content: bytes, mark: Stamp) -> bytes:
    """The label in its own embedded font, so that every reader shows it, a Chinese one too."""
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, NameObject, NullObject

    try:
        size: Object = _reader(content).trailer["/Size"]
        writer = PdfWriter(io.BytesIO(content), incremental=True)
        # The number of an earlier update's cross-reference stream is not given twice: readers keep its first object.
        for _ in range(_MOST_UPDATES):
            if _added(writer, NullObject()).idnum >= size:
                break
        root: Object = writer.root_object
        old = root.get("/Metadata")
        packet = DecodedStreamObject()
        packet.update({NameObject("/Type"): NameObject("/Metadata"), NameObject("/Subtype"): NameObject("/XML")})
        packet.set_data(xmp.write(old.get_object().get_data() if old else None, mark, aigc=False))
        root[NameObject("/Metadata")] = _added(writer, packet)
        writer.add_metadata({f"/{NAME}": mark.lines["aigc"]})
        if mark.label:
            _head(writer, mark.label)
        made = io.BytesIO()
        writer.write(made)
    except MalformedError:
        raise
    except Exception as error:  # pypdf answers odd files with errors of every kind
        raise MalformedError(f"a PDF that cannot be read ({type(error).__name__}: {str(error)[:100]})") from error
    if read(made.getvalue()).aigc != mark.lines["aigc"]:
        raise MalformedError("a PDF too damaged for an update")
    return made.getvalue()


def read(content: bytes) -> Marks:
    """Information, metadata and the small content streams of page one; no font, picture or other page is touched."""
    if not begins(content):
        return Marks()
    try:
        reader = _reader(content)
        root: Object = reader.root_object
        metadata = root.get("/Metadata")
        found = xmp.read(metadata.get_object().get_data()) if metadata else Marks()
        information: Any = reader.trailer.get("/Info")
        aigc = information.get_object().get(f"/{NAME}") if information else None
        own = str(aigc.get_object()) if aigc is not None else found.aigc
        return Marks(label=_label(root), aigc=own, source=found.source, record=found.record)
    except Exception:
        return Marks()


def words(content: bytes) -> str:
    """The words of all pages, found by a child process (`pdf_words.py`) without the label at their head.

    Those of the first pages where its patience or memory ends; none of a file that cannot be opened.
    """
    try:
        _first_page(_reader(content).root_object)
    except Exception:  # pypdf answers odd files with errors of every kind
        return ""
    told = [sys.executable, "-m", "castalia.provenance.embed.pdf_words"]
    try:
        child = subprocess.run(told, input=content, capture_output=True, check=False, timeout=PATIENCE + 10)
    except (subprocess.SubprocessError, OSError):
        return ""
    return child.stdout.decode("utf-8", "replace").replace("\0", "").strip()


def begins(content: bytes) -> bool:
    """Readers look for the header in the first 1,024 bytes (PDF 1.7, annex H.3); a text may speak of it there."""
    return content[:5] == b"%PDF-" or (b"%PDF-" in content[:1024] and b"%%EOF" in content[-1100:])


def _reader(content: bytes) -> PdfReader:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted:
        raise MalformedError("an encrypted PDF")
    return reader


def _first_page(root: Object) -> Object:
    node = root["/Pages"].get_object()
    for _ in range(_DEEPEST):
        if node.get("/Type") == "/Page" or "/Kids" not in node:
            return node
        node = node["/Kids"][0].get_object()
    raise MalformedError("a PDF whose page tree has no end")


def _contents(page: Object) -> list[Object]:
    """References to the page's content streams (section 7.7.3.3: one, or an array)."""
    contents: Object = page.get("/Contents")
    if contents is None:
        return []
    found: Object = contents.get_object()
    return [*found] if type(found).__name__ == "ArrayObject" else [page.raw_get("/Contents")]


def _label(root: Object) -> str:
    for each in _contents(_first_page(root))[-8:]:
        stream = each.get_object()
        if "/Filter" not in stream and len(data := stream.get_data()) <= _LONGEST and (span := _SPAN.search(data)):
            return find_label(bytes.fromhex(span[1].decode()).decode("utf-16-be", "replace"))
    return ""


def _head(writer: PdfWriter, label: str) -> None:
    """Append the label to page one, after putting what was there between `q` and `Q`; an old label is replaced."""
    from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject

    page = _first_page(writer.root_object)
    resources: Any = DictionaryObject(_inherited(page, "/Resources") or {})
    fonts: Any = DictionaryObject(resources["/Font"].get_object() if "/Font" in resources else {})
    fonts[NameObject("/CastaliaLabel")] = _font(writer)
    resources[NameObject("/Font")] = fonts
    page[NameObject("/Resources")] = resources
    pieces: list[Object] = [each for each in _contents(page) if not _is_ours(each.get_object())]
    first, last = DecodedStreamObject(), DecodedStreamObject()
    first.set_data(b"q\n")
    last.set_data(_drawing(page, label))
    around = [_added(writer, first), *pieces, _added(writer, last)]
    page[NameObject("/Contents")] = ArrayObject(around)


def without_label(page: Object) -> None:
    """Take the label out of a page that is in memory, so that it is not read as one of its words."""
    from pypdf.generic import ArrayObject, NameObject

    page[NameObject("/Contents")] = ArrayObject(each for each in _contents(page) if not _is_ours(each.get_object()))


def _is_ours(stream: Object) -> bool:
    if "/Filter" in stream or len(data := stream.get_data()) > _LONGEST:
        return False
    return data == b"q\n" or (data.startswith(b"\nQ\n") and _SPAN.search(data) is not None)


def _drawing(page: Object, label: str) -> bytes:
    left, bottom, right, top = (float(side) for side in _inherited(page, "/CropBox") or _inherited(page, "/MediaBox"))
    code = label.encode("utf-16-be").hex().upper()
    glyphs = "".join(f"{1 + LETTERS.index(letter):04X}" for letter in label)
    down = _MARGIN if top - bottom > 4 * _MARGIN else _SIZE
    matrix = {  # section 8.3.3: upright in the corner that is upper left when the page is turned
        90: f"0 1 -1 0 {left + down} {bottom + _MARGIN}",
        180: f"-1 0 0 -1 {right - _MARGIN} {bottom + down}",
        270: f"0 -1 1 0 {right - down} {top - _MARGIN}",
    }.get(int(_inherited(page, "/Rotate") or 0) % 360, f"1 0 0 1 {left + _MARGIN} {top - down}")
    return (
        f"\nQ\nq {matrix} cm 0.25 g\n/Span <</ActualText <FEFF{code}>>> BDC\n"
        f"BT /CastaliaLabel {_SIZE} Tf <{glyphs}> Tj ET\nEMC\nQ\n"
    ).encode("ascii")


def _inherited(page: Object, name: str) -> Object:
    """An attribute of the page, or of the nearest node above it (section 7.7.3.4)."""
    node = page
    for _ in range(_DEEPEST):
        if (value := node.get(name)) is not None:
            return value.get_object()
        if "/Parent" not in node:
            return None
        node = node["/Parent"].get_object()
    return None


def _added(writer: PdfWriter, new: Object) -> Object:
    """A reference to a new object; pypdf has no public way to add one."""
    return writer._add_object(new)  # pyright: ignore[reportPrivateUsage]


def _font(writer: PdfWriter) -> Object:
    """The label's font (sections 9.7.4 and 9.7.6): two bytes a glyph, the glyph's number."""
    from PIL import ImageFont
    from pypdf.generic import (
        ArrayObject,
        DecodedStreamObject,
        DictionaryObject,
        NameObject,
        NumberObject,
        TextStringObject,
    )

    def names(**values: str) -> dict[NameObject, Any]:
        return {NameObject(f"/{key}"): NameObject(f"/{value}") for key, value in values.items()}

    def numbers(**values: int) -> dict[NameObject, Any]:
        return {NameObject(f"/{key}"): NumberObject(value) for key, value in values.items()}

    program, unicode = DecodedStreamObject(), DecodedStreamObject()
    program.set_data(FONT.read_bytes())
    program[NameObject("/Length1")] = NumberObject(len(program.get_data()))
    unicode.set_data(_to_unicode())
    descriptor = DictionaryObject(names(Type="FontDescriptor", FontName="CastaliaLabel"))
    descriptor.update(numbers(Flags=4, ItalicAngle=0, Ascent=880, Descent=-120, CapHeight=733, StemV=90))
    descriptor[NameObject("/FontBBox")] = ArrayObject(NumberObject(side) for side in (-25, -254, 1000, 880))
    descriptor[NameObject("/FontFile2")] = _added(writer, program.flate_encode())
    descendant = DictionaryObject(names(Type="Font", Subtype="CIDFontType2", BaseFont="CastaliaLabel"))
    descendant.update(names(CIDToGIDMap="Identity"))
    descendant[NameObject("/CIDSystemInfo")] = DictionaryObject(
        {
            NameObject("/Registry"): TextStringObject("Adobe"),
            NameObject("/Ordering"): TextStringObject("Identity"),
            NameObject("/Supplement"): NumberObject(0),
        }
    )
    sized = ImageFont.truetype(FONT, 1000)
    widths = ArrayObject(NumberObject(round(sized.getlength(letter))) for letter in LETTERS)
    descendant[NameObject("/W")] = ArrayObject([NumberObject(1), widths])
    descendant[NameObject("/FontDescriptor")] = _added(writer, descriptor)
    font = DictionaryObject(names(Type="Font", Subtype="Type0", BaseFont="CastaliaLabel", Encoding="Identity-H"))
    font[NameObject("/DescendantFonts")] = ArrayObject([_added(writer, descendant)])
    font[NameObject("/ToUnicode")] = _added(writer, unicode)
    return _added(writer, font)


def _to_unicode() -> bytes:
    """Letters of the font's glyphs, for whoever copies the label (section 9.10.3)."""
    glyphs = "".join(f"<{number:04X}> <{ord(letter):04X}>\n" for number, letter in enumerate(LETTERS, 1))
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def /CMapName /Castalia-UCS2 def\n"
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange {len(LETTERS)} beginbfchar\n{glyphs}"
        "endbfchar endcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode("ascii")


FACE = Face(
    extension="pdf",
    media_type="application/pdf",
    kind="document",
    read=read,
    places={
        "label": "head of the first page",
        **xmp.PLACES,
        "implicit": f"document information `/{NAME}`",
    },
    begins=begins,
    stamp=stamp,
    words=words,
    embeds=True,
)
