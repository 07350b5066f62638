"""What is left of every mark after what happens to files: `python benchmarks/bench_marks.py FOLDER [--recordings R]`.

Each format is marked as the studio marks it, and then treated as files are: metadata taken out, the sidecar left
behind, saved anew by another program, copied as text, compressed, cut. For each layer the share of files that still
show it is counted, as `castalia verify` reports it with the studio's own authority and library at hand. A row "as
delivered" that is not all 1 is a defect; every other row is what it is.

Needs the tests' packages (extra `dev`), ffmpeg, and what bench_watermark_audio.py needs. FOLDER holds `photographs/`
and `artwork/` as in bench_watermark_image.py. Texts are two English and two Chinese blog posts of the studio, written
for it or for bench_forms.py; documents hold the same texts. `--draw` only draws docs/survival.svg from the kept
figures.

Cost: processor time of marking over that of the whole of making, for works of text; for pictures and sounds the time
alone, of a picture of 512 pixels square and of a minute of sound.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import statistics
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from _report import HERE, STATE, emit

os.environ.setdefault("CASTALIA_HOME", str(STATE / "home"))
sys.path.append(str(HERE.parent / "tests"))

import numpy as np
import soundfile
from PIL import Image

import bench_watermark_audio as audio
import bench_watermark_image as image
import made_files
from castalia import genres, provenance
from castalia.core.values import Brief, Draft, Evidence, Judged, Work
from castalia.provenance import aac
from castalia.studio import Studio

LAYERS = ("label", "implicit", "source", "c2pa", "watermark", "record", "library")
HELD = ("present", "valid", "trusted")
TEXTS = 2
"""Texts in each language, and pictures and sounds of each kind."""
SUBJECTS = {
    "en": ("How to keep bees on a flat roof", "Why old bridges outlive new ones", "Learning to bake rye bread"),
    "zh": ("在屋顶上养蜂的经验", "老桥为什么比新桥长寿", "学做黑麦面包"),
}
SQUARE = 512


@dataclass(frozen=True)
class Seen:
    """What somebody is left with."""

    content: bytes
    name: str
    sidecar: bytes | None = None


Attack = Callable[[Seen], Seen]


def main() -> None:
    """Mark, attack, verify; print the line and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--recordings", type=Path, default=audio.RECORDINGS)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--draw", action="store_true", help="draw the kept figures, measure nothing")
    args = parser.parse_args()
    if not args.draw:
        studio = Studio(model=args.model, threads=1)
        table: dict[str, dict[str, dict[str, float]]] = {}
        for extension, marked in _marked(studio, args.folder, args.recordings):
            for name, attack in _attacks(extension).items():
                table.setdefault(extension, {})[name] = _survived(studio, [attack(each) for each in marked])
            print(extension, json.dumps(table[extension]), file=sys.stderr)
        emit("marks", f"{2 * TEXTS} files a format, share of files that show the layer", {
            "survival": table, "cost": _cost(studio, args.folder, args.recordings),
        })  # fmt: skip
        studio.close()
    figures = json.loads((HERE / "marks.json").read_text(encoding="utf-8"))
    (HERE.parent / "docs" / "survival.svg").write_text(_drawn(figures["survival"]), encoding="utf-8")


# ------------------------------------------------------------ files


def _texts(studio: Studio) -> list[Work]:
    """Blog posts of the benchmarks' own library; what is missing there is written."""
    works: list[Work] = []
    for language, subjects in SUBJECTS.items():
        own = studio.library.list(genre="blog", language=language, limit=TEXTS)
        missing = [
            studio.create("blog", words, seed=number, language=language, length=400)
            for number, words in enumerate(subjects[len(own) : TEXTS])
        ]
        works += [*own, *missing]
    return works


def _marked(studio: Studio, folder: Path, recordings: Path) -> Iterator[tuple[str, list[Seen]]]:
    """Each format with its marked files, as `create --out` and `castalia mark` write them."""
    works = _texts(studio)
    place = STATE / "marked"
    place.mkdir(parents=True, exist_ok=True)
    for face in ("txt", "md", "html", "json"):
        paths = [studio.export(work, place / f"{work.id}.{face}") for work in works]
        yield face, [_seen(path) for path in paths]
    for extension, make in _makers(folder, recordings).items():
        files: list[Seen] = []
        for number, content in enumerate(make(works)):
            path = place / f"{number}.{extension}"
            path.write_bytes(content)
            out = place / f"{number}-marked.{extension}"
            studio.mark_file(path, out, model="benchmark", labelled=extension == "mp4")
            files.append(_seen(out))
        yield extension, files


def _seen(path: Path) -> Seen:
    beside = path.with_name(path.name + ".c2pa")
    return Seen(path.read_bytes(), f"work{path.suffix}", beside.read_bytes() if beside.exists() else None)


Make = Callable[[list[Work]], list[bytes]]


def _makers(folder: Path, recordings: Path) -> dict[str, Make]:
    def coded(extension: str, **options: int) -> Make:
        return lambda _: [_coded(each, extension, **options) for each in _pictures(folder)]

    def sounded(extension: str) -> Make:
        return lambda _: [_sounded(each, extension) for each in _sounds(recordings)]

    def same(extension: str) -> Make:
        return lambda works: [made_files.MAKERS[extension]() for _ in works]

    return {
        **{name: lambda works, make=make: [make(work) for work in works] for name, make in _DOCUMENTS.items()},
        "png": coded("PNG"),
        "jpg": coded("JPEG", quality=90),
        "webp": coded("WEBP", quality=90),
        "svg": same("svg"),
        **{name: sounded(name) for name in ("wav", "flac", "mp3")},
        "m4a": lambda _: [aac.encoded(_sounded(each, "wav"), 128_000) for each in _sounds(recordings)],
        **{name: same(name) for name in ("mp4", "mid", "musicxml", "mxl")},
    }


def _docx(work: Work) -> bytes:
    from docx import Document

    document = Document()
    for paragraph in work.text.split("\n"):
        document.add_paragraph(paragraph)
    return _stored(document.save)


def _xlsx(work: Work) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    for row, paragraph in enumerate(work.text.split("\n"), 1):
        book.active.cell(row, 1, paragraph)
    return _stored(book.save)


def _pdf(work: Work) -> bytes:
    escaped = re.sub(r"([\\#*_$@<>`\[\]~=+/-])", r"\\\1", work.text)
    return made_files.pdf(
        f'#set smartquote(enabled: false)\n#set text(font: ("Libertinus Serif", "Noto Serif CJK SC"))\n{escaped}'
    )


def _epub(work: Work) -> bytes:
    text = work.text.replace("&", "&amp;").replace("<", "&lt;")
    body = "".join(f"<p>{each}</p>" for each in text.split("\n") if each)
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made_files.epub())) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.infolist():
            data = old.read(member)
            if member.filename.endswith("xhtml"):
                data = data.replace(b"<h1>Harbour</h1><p>The ice came.</p>", body.encode())
            new.writestr(member, data)
    return stream.getvalue()


_DOCUMENTS: Mapping[str, Callable[[Work], bytes]] = {"docx": _docx, "xlsx": _xlsx, "pdf": _pdf, "epub": _epub}


@cache
def _pictures(folder: Path) -> list[np.ndarray]:
    paths = [sorted((folder / kind).iterdir()) for kind in image.KINDS]
    return [image.square(path) for own in paths for path in own[:: max(1, len(own) // TEXTS)][:TEXTS]]


@cache
def _sounds(recordings: Path) -> list[tuple[np.ndarray, int]]:
    """Speech and music, 15 seconds each."""
    return [audio.clip(recordings, number, 15) for number in (0, 10, audio.SPEECH, audio.SPEECH + 12)]


def _coded(picture: np.ndarray, form: str, **options: int) -> bytes:
    return _stored(lambda stream: Image.fromarray(picture).save(stream, form, **options))


def _sounded(sound: tuple[np.ndarray, int], form: str) -> bytes:
    return _stored(lambda stream: soundfile.write(stream, *sound, format=form.upper()))


def _stored(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


# ------------------------------------------------------------ what happens to files


def _attacks(extension: str) -> dict[str, Attack]:
    shared: dict[str, Attack] = {"as delivered": lambda seen: seen}
    if not provenance.FORMATS[extension].embeds:
        shared["sidecar left behind"] = lambda seen: replace(seen, sidecar=None)
    return shared | _OWN[extension]


def _text(change: Callable[[str], str], copied: Callable[[Seen], str]) -> Attack:
    return lambda seen: Seen(change(copied(seen)).encode(), "pasted.txt")


def _words(copied: Callable[[Seen], str]) -> dict[str, Attack]:
    """What becomes of a text that was copied out of a file."""
    return {
        "copied as text": _text(lambda text: text, copied),
        "copied, wrapped anew": _text(_wrapped, copied),
        "copied, a fifth of the words replaced": _text(_replaced, copied),
        "copied, second half": _text(lambda text: text[len(text) // 2 :], copied),
    }


def _wrapped(text: str) -> str:
    return "\n\n".join("\n".join(textwrap.wrap(each, 50)) for each in text.split("\n") if each.strip())


def _replaced(text: str) -> str:
    chance = np.random.default_rng(len(text))
    pattern = r"[\u4e00-\u9fff]" if re.search(r"[\u4e00-\u9fff]{9}", text) else r"[^\W\d_]+"
    pool = re.findall(pattern, text)
    return re.sub(pattern, lambda match: str(chance.choice(pool)) if chance.random() < 0.2 else match[0], text)


def _of_txt(seen: Seen) -> str:
    return provenance.without_footer(seen.content.decode())


def _of_md(seen: Seen) -> str:
    return seen.content.decode().split("---\n", 2)[2]


def _of_html(seen: Seen) -> str:
    page = re.sub(r"(?s)<(script|style|title).*?</\1>", "", seen.content.decode())
    return re.sub(r"<[^>]+>", "", re.sub(r"</(p|h\d|li|div)>", "\n", page)).strip()


def _of_json(seen: Seen) -> str:
    return json.loads(seen.content)["text"]


def _of_docx(seen: Seen) -> str:
    from docx import Document

    return "\n".join(each.text for each in Document(io.BytesIO(seen.content)).paragraphs)


def _of_xlsx(seen: Seen) -> str:
    from openpyxl import load_workbook

    rows = load_workbook(io.BytesIO(seen.content)).active.iter_rows(values_only=True)
    return "\n".join(str(row[0]) for row in rows if row[0])


def _of_pdf(seen: Seen) -> str:
    from pypdf import PdfReader

    return "\n".join(page.extract_text(extraction_mode="layout") for page in PdfReader(io.BytesIO(seen.content)).pages)


def _of_epub(seen: Seen) -> str:
    with zipfile.ZipFile(io.BytesIO(seen.content)) as book:
        pages = [book.read(name).decode() for name in book.namelist() if name.endswith("xhtml")]
    return "\n".join(_of_html(Seen(page.encode(), "")) for page in pages)


def _saved_docx(seen: Seen) -> Seen:
    from docx import Document

    return replace(seen, content=_stored(Document(io.BytesIO(seen.content)).save), sidecar=None)


def _saved_xlsx(seen: Seen) -> Seen:
    from openpyxl import load_workbook

    return replace(seen, content=_stored(load_workbook(io.BytesIO(seen.content)).save), sidecar=None)


def _saved_pdf(seen: Seen) -> Seen:
    from pypdf import PdfWriter

    return replace(seen, content=_stored(PdfWriter(clone_from=io.BytesIO(seen.content)).write))


def _saved_epub(seen: Seen) -> Seen:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(seen.content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            packing = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            new.writestr(name, old.read(name), packing)
    return replace(seen, content=stream.getvalue(), sidecar=None)


def _picture(*names: str, name: str = "png") -> Attack:
    """The pixels alone, treated by attacks of the watermark's own benchmark, saved without metadata."""

    def attacked(seen: Seen) -> Seen:
        pixels = np.asarray(Image.open(io.BytesIO(seen.content)).convert("RGB"))
        for each in names:
            pixels = image.ATTACKS[each](pixels)
        return Seen(_coded(pixels, "PNG"), f"copy.{name}")

    return attacked


def _screenshot(seen: Seen) -> Seen:
    """Shown at nine tenths of its size on a grey page, taken with what surrounds it, and saved as JPEG."""
    picture = Image.open(io.BytesIO(seen.content)).convert("RGB")
    picture = picture.resize((picture.width * 9 // 10, picture.height * 9 // 10), Image.Resampling.BILINEAR)
    page = Image.new("RGB", (picture.width + 16, picture.height + 16), (240, 240, 240))
    page.paste(picture, (8, 8))
    return Seen(_coded(np.asarray(page), "JPEG", quality=85), "screen.jpg")


def _sound(*names: str) -> Attack:
    """The samples alone, treated by attacks of the watermark's own benchmark, saved as WAV without metadata."""

    def attacked(seen: Seen) -> Seen:
        wave = aac.decoded(seen.content) if seen.name.endswith("m4a") else seen.content
        sound, rate = soundfile.read(io.BytesIO(wave), dtype="float32", always_2d=True)
        for each in names:
            sound, rate = audio.ATTACKS[each](sound.clip(-1, 1), rate)
        return Seen(_sounded((sound, rate), "wav"), "copy.wav")

    return attacked


def _remuxed(seen: Seen) -> Seen:
    """The packets in a new container without metadata."""
    import av

    path = STATE / "remuxed.mp4"
    with av.open(io.BytesIO(seen.content)) as old, av.open(str(path), "w", format="mp4") as new:
        streams = {each.index: new.add_stream_from_template(each) for each in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    content = path.read_bytes()
    path.unlink()
    return replace(seen, content=content)


def _saved_midi(seen: Seen) -> Seen:
    from mido import MidiFile

    file = MidiFile(file=io.BytesIO(seen.content))
    return replace(seen, content=_stored(lambda stream: file.save(file=stream)), sidecar=None)


def _bare_midi(seen: Seen) -> Seen:
    from mido import MidiFile

    file = MidiFile(file=io.BytesIO(seen.content))
    for track in file.tracks:
        track[:] = [event for event in track if event.type != "text"]
    return replace(seen, content=_stored(lambda stream: file.save(file=stream)), sidecar=None)


def _saved_xml(seen: Seen, *, without: str = "") -> Seen:
    ET.register_namespace("", "http://www.w3.org/2000/svg" if seen.name.endswith("svg") else "")
    root = ET.fromstring(seen.content)
    for parent in [each for each in root.iter() if without]:
        for child in [each for each in parent if each.tag.rpartition("}")[2] == without]:
            parent.remove(child)
    return replace(seen, content=ET.tostring(root, encoding="utf-8", xml_declaration=True), sidecar=None)


_PICTURES: dict[str, Attack] = {
    "metadata taken out": _picture(),
    "JPEG of quality 50": _picture("jpeg50"),
    "half the size": _picture("half"),
    "a tenth cut from each side": _picture("crop10"),
    "turned by 2°": _picture("turn2"),
    "brighter by 20 %": _picture("brighter20"),
    "noise": _picture("noise8"),
    "blurred": _picture("blur1.5"),
    "WebP of quality 60": _picture("webp60"),
    "screenshot": _screenshot,
}
_SOUNDS: dict[str, Attack] = {
    "metadata taken out": _sound(),
    "MP3 at 64 kbit/s": _sound("mp3_64k"),
    "resampled to 16 kHz": _sound("resampled_16k"),
    "noise 30 dB below": _sound("noise_30db"),
    "first third cut off": _sound("head_cut"),
    "last third cut off": _sound("tail_cut"),
    "at .3 of its volume": _sound("volume_0.3"),
    "2 % faster": _sound("faster_2"),
}
_OWN: dict[str, dict[str, Attack]] = {
    "txt": _words(_of_txt),
    "md": _words(_of_md),
    "html": _words(_of_html),
    "json": _words(_of_json),
    "docx": {"saved anew": _saved_docx, **_words(_of_docx)},
    "xlsx": {"saved anew": _saved_xlsx, **_words(_of_xlsx)},
    "pdf": {"saved anew": _saved_pdf, **_words(_of_pdf)},
    "epub": {"packed anew": _saved_epub, **_words(_of_epub)},
    "png": _PICTURES,
    "jpg": _PICTURES,
    "webp": _PICTURES,
    "svg": {"saved anew": _saved_xml, "metadata taken out": lambda seen: _saved_xml(seen, without="metadata")},
    "wav": _SOUNDS,
    "flac": _SOUNDS,
    "mp3": _SOUNDS,
    "m4a": _SOUNDS,
    "mp4": {"metadata taken out": _remuxed},
    "mid": {"saved anew": _saved_midi, "texts taken out": _bare_midi},
    "musicxml": {
        "saved anew": _saved_xml,
        "identification taken out": lambda seen: _saved_xml(seen, without="identification"),
    },
    "mxl": {"packed anew": _saved_epub},
}


def _survived(studio: Studio, seen: list[Seen]) -> dict[str, float]:
    known: dict[str, Any] = {"anchors": studio.keys.anchors(), "find": studio.record_of}
    reports = [provenance.verify(each.content, name=each.name, sidecar=each.sidecar, **known) for each in seen]
    return {
        layer: round(statistics.mean(report.layer(layer).state in HELD for report in reports), 3) for layer in LAYERS
    }


# ------------------------------------------------------------ cost


def _cost(studio: Studio, folder: Path, recordings: Path) -> dict[str, Any]:
    """Marking's share of making, and what it takes alone."""
    works = [*_texts(studio), studio.create("haiku", "first snow over the harbour", seed=1)]
    shares: list[float] = []
    for work in works:
        typed = genres.fields_of(genres.find(work.genre), work.brief.fields.model_dump())
        brief: Brief = work.brief.model_copy(update={"fields": typed})
        draft = Draft(brief=brief, content=work.content, evidence=work.evidence)
        start = time.process_time()
        provenance.mark(
            Judged(draft=draft, findings=work.findings), keys=studio.keys, config=studio.config,
            faces=("txt", "md", "html", "json"),
        )  # fmt: skip
        seconds = time.process_time() - start
        shares.append(seconds / (seconds + work.evidence.seconds))
    alone = {
        extension: statistics.median(_milliseconds(studio, extension, content) for content in make(works))
        for extension, make in _makers(folder, recordings).items()
    }
    return {
        "share_of_making_blog_median_most": [
            round(statistics.median(shares[:-1]), 4), round(max(shares[:-1]), 4),
        ],
        "share_of_making_haiku": round(shares[-1], 4),
        "milliseconds_median": {name: round(value) for name, value in alone.items()},
    }  # fmt: skip


def _milliseconds(studio: Studio, extension: str, content: bytes) -> float:
    evidence = Evidence(model="benchmark", digest="0" * 64, engine="benchmark", seed=0)
    record = provenance.make_record(evidence, genre=extension, provider="benchmark")
    start = time.process_time()
    provenance.mark_file(
        content, extension=extension, record=record, keys=studio.keys, config=studio.config,
        labelled=extension == "mp4",
    )  # fmt: skip
    return 1000 * (time.process_time() - start)


# ------------------------------------------------------------ picture


def _drawn(survival: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """The table as a drawing: a row an attack, a column a layer; a full circle is every file, an empty one none."""
    wide, tall, left = 74, 18, 330
    rows = [(name, attack, cells) for name, own in survival.items() for attack, cells in own.items()]
    height, y = 46 + tall * len(rows) + 8 * len(survival), 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + wide * len(LAYERS) + 10}" height="{height}" '
        'font-family="sans-serif" font-size="12"><title>What is left of each mark</title>'
        '<rect width="100%" height="100%" fill="#fff"/>'
    ]
    parts += [
        f'<text x="{left + wide * number + wide // 2}" y="24" text-anchor="middle" font-weight="bold">{layer}</text>'
        for number, layer in enumerate(LAYERS)
    ]
    last = ""
    for name, attack, cells in rows:
        if name != last:
            y += 8
            parts.append(f'<line x1="8" x2="{left + wide * len(LAYERS)}" y1="{y - 3}" y2="{y - 3}" stroke="#ccc"/>')
            parts.append(f'<text x="8" y="{y + 13}" font-weight="bold">{name}</text>')
            last = name
        parts.append(f'<text x="80" y="{y + 13}">{attack}</text>')
        for number, layer in enumerate(LAYERS):
            parts.append(_dot(left + wide * number + wide // 2, y + 9, cells[layer]))
        y += tall
    return "\n".join([*parts, "</svg>\n"])


def _dot(x: int, y: int, share: float) -> str:
    """A circle filled from the bottom by the share, with the number beside it where it is neither all nor none."""
    if share in (0, 1):
        return f'<circle cx="{x}" cy="{y}" r="5.5" fill="{"#177245" if share else "none"}" stroke="#177245"/>'
    return (
        f'<circle cx="{x}" cy="{y}" r="5.5" fill="#177245" fill-opacity="{share * 0.6:.2f}" stroke="#177245"/>'
        f'<text x="{x + 9}" y="{y + 4}" font-size="10" fill="#444">{share:.2f}</text>'
    )


if __name__ == "__main__":
    main()
