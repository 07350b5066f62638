"""`castalia mark` as a person uses it: files of other programs go in, marked ones come out, the library knows them."""

from __future__ import annotations

import io
import json
import sys
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from castalia.cli import main
from castalia.core.config import Config
from castalia.provenance import FORMATS, aac, mark
from castalia.provenance.embed.pdf import words as pdf_words
from castalia.studio import Studio
from made_files import made, pdf
from test_provenance_mark import HAIKU, judged

LABELLED = {"mp4"} if aac.available() else {"mp4", "m4a"}


@pytest.fixture
def run(home, monkeypatch, capsys):
    """The command in this process: (arguments) → (exit code, standard output, standard error)."""

    def called(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["castalia", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main.run()
        shown = capsys.readouterr()
        return int(left.value.code or 0), shown.out, shown.err

    return called


def written(folder: Path, extension: str, content: bytes | None = None) -> Path:
    path = folder / f"harbour.{extension}"
    path.write_bytes(made(extension) if content is None else content)
    return path


def checked(run, path: Path) -> dict[str, dict[str, str]]:
    _, out, _ = run("verify", path, "--json")
    shown = json.loads(out)
    return {layer["name"]: layer for layer in shown["layers"]} | shown


@pytest.mark.parametrize("extension", FORMATS)
def test_a_file_of_every_format_is_marked_and_known(run, tmp_path, extension):
    path = written(tmp_path, extension)
    labelled = ["--labelled"] if extension in LABELLED else []
    code, out, _ = run("mark", path, "-m", "Brush 3", "--json", *labelled)
    assert code == 0
    kept = json.loads(out)
    assert path.read_bytes() == made(extension)
    target = tmp_path / f"harbour-marked.{extension}"
    assert kept["file"] == str(target)
    found = checked(run, target)
    assert found["ok"]
    assert found["work"] == kept["id"]
    assert found["c2pa"]["state"] == "trusted"
    assert found["record"]["model"] == "Brush 3"
    assert target.with_name(target.name + ".c2pa").exists() is not FORMATS[extension].embeds
    (listed,) = json.loads(run("works", "files", "--json")[1])
    assert (listed["name"], listed["record"]["id"], listed["sha256"]) == (target.name, kept["id"], kept["sha256"])


def test_a_picture_without_metadata_is_found_by_its_watermark(run, tmp_path):
    path = written(tmp_path, "png")
    kept = json.loads(run("mark", path, "--json")[1])
    copy = tmp_path / "copy.jpg"
    Image.open(tmp_path / "harbour-marked.png").convert("RGB").save(copy, quality=80)
    found = checked(run, copy)
    assert found["work"] == kept["id"]
    assert "watermark" in found["library"]["detail"]
    assert found["c2pa"]["state"] == "absent"


@pytest.mark.parametrize("extension", ["pdf", "docx", "xlsx", "epub"])
def test_words_copied_out_of_a_document_find_it(run, tmp_path, extension):
    kept = json.loads(run("mark", written(tmp_path, extension), "--json")[1])
    copied = tmp_path / "pasted.txt"
    copied.write_text(
        {"xlsx": "ice", "epub": "Harbour\nThe ice came."}.get(extension, "Harbour The ice came on Tuesday.")
    )
    assert checked(run, copied)["work"] == kept["id"]


def test_a_poem_laid_out_in_a_document_is_its_parent(run, tmp_path):
    from docx import Document

    studio = Studio()
    studio._make_keys()
    poem = studio.library.keep(mark(judged(HAIKU), keys=studio.keys, config=Config()))
    studio.close()
    document = Document()
    for line in HAIKU.split("\n"):
        document.add_paragraph(line)
    document.save(tmp_path / "poem.docx")
    kept = json.loads(run("mark", tmp_path / "poem.docx", "--modified", "--json")[1])
    assert kept["castalia"]["parents"] == [poem.id]
    assert kept["label"] == "AI-modified"
    shown = checked(run, tmp_path / "poem-marked.docx")
    assert poem.id in shown["layers"][5]["detail"]
    again = json.loads(run("mark", tmp_path / "poem-marked.docx", "--json")[1])
    assert again["castalia"]["parents"] == [kept["id"]]
    assert checked(run, tmp_path / "poem-marked-marked.docx")["ok"]


def test_a_parent_is_named_by_the_beginning_of_its_id(run, tmp_path):
    first = json.loads(run("mark", written(tmp_path, "png"), "--json")[1])
    second = json.loads(run("mark", written(tmp_path, "mid"), "--parent", first["id"][:8], "--json")[1])
    assert second["castalia"]["parents"] == [first["id"]]
    code, _, err = run("mark", tmp_path / "harbour.mid", "--parent", "ffffffff")
    assert code == 2
    assert "ffffffff" in err


def test_an_editor_who_takes_responsibility_is_remembered(run, home, tmp_path):
    (home / "config").mkdir(parents=True)
    (home / "config" / "castalia.toml").write_text("accept_marking_responsibility = true\n")
    path = written(tmp_path, "png")
    assert run("mark", path)[0] == 0
    studio = Studio()
    work = studio.library.keep(mark(judged(HAIKU), keys=studio.keys, config=studio.config))
    studio.export(work, tmp_path / "poem.md")
    assert studio.printed(work).startswith(HAIKU.split("\n")[0])
    assert [(file.name, file.label) for file in studio.library.files()] == [
        ("", ""), ("poem.md", ""), ("harbour-marked.png", ""),
    ]  # fmt: skip
    studio.close()
    assert "label left out" in run("works", "files")[1]
    before, after = (Image.open(tmp_path / name) for name in ("harbour.png", "harbour-marked.png"))
    corner = (before.width - 40, before.height - 8, before.width, before.height)
    assert max(high for _, high in (before.crop(corner).getextrema())) - 20 < after.crop(corner).getextrema()[0][1]


def test_nobody_says_labelled_of_a_picture_that_is_not(run, tmp_path):
    assert run("mark", written(tmp_path, "png"), "--labelled")[0] == 0
    label = checked(run, tmp_path / "harbour-marked.png")["label"]
    assert (label["state"], "AI-generated" in label["detail"]) == ("present", True)


def test_a_forgotten_file_is_found_no_more(run, tmp_path):
    kept = json.loads(run("mark", written(tmp_path, "svg"), "--json")[1])
    assert run("works", "delete", "-y", kept["id"][:6])[0] == 0
    assert checked(run, tmp_path / "harbour-marked.svg")["work"] is None
    assert json.loads(run("works", "files", "--json")[1]) == []


def test_wrong_use_is_told_and_nothing_is_written(run, tmp_path):
    png, film = written(tmp_path, "png"), written(tmp_path, "mp4")
    odd = tmp_path / "notes.xyz"
    odd.write_text("notes")
    fake = written(tmp_path, "webp", b"no picture")
    before = sorted(tmp_path.iterdir())
    for arguments, said in (
        ((png, film, "--out", tmp_path / "a.png"), "--out takes one file"),
        ((odd,), "No format"),
        ((png, "--out", tmp_path / "a.jpg"), "Marking changes no format"),
        ((tmp_path / "none.png",), "There is no file"),
        ((film,), "--labelled"),
        ((fake,), "not a webp file"),
        ((png, "--language", "fr"), "fr"),
    ):
        code, _, err = run("mark", *arguments)
        assert code in (1, 2), arguments
        assert said in err
    assert [path for path in sorted(tmp_path.iterdir()) if path.name != "home"] == before


def test_a_sidecar_that_cannot_be_read_is_not_passed_over(run, tmp_path):
    path = written(tmp_path, "mid")
    (tmp_path / "harbour.mid.c2pa").write_bytes(b"no manifest")
    code, _, err = run("mark", path)
    assert code == 1
    assert "move it away" in err


def test_a_pdf_that_never_ends_is_given_up(tmp_path):
    bomb = zlib.compress(b"BT (a) Tj ET\n" * 6_000_000)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(bomb), bomb),
    ]
    body = b"%PDF-1.4\n"
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"xref\n0 5\n0000000000 65535 f \n%strailer << /Root 1 0 R /Size 5 >>\nstartxref\n%d\n%%%%EOF" % (
        table, len(body),
    )  # fmt: skip
    began = time.monotonic()
    pdf_words(body)
    assert time.monotonic() - began < 60
    assert pdf_words(pdf("The ice came.")) == "The ice came."
    assert pdf_words(b"%PDF-1.4 nothing") == ""


def filled(extension: str, member: str, filler: bytes, count: int) -> bytes:
    """A document whose parts of one kind are there many times, each very long."""
    pages = [f"p{number}.xhtml" if extension == "epub" else f"sheet{number + 9}.xml" for number in range(count)]
    items = "".join(f'<item id="{page}" href="{page}" media-type="application/xhtml+xml"/>' for page in pages)
    spine = "".join(f'<itemref idref="{page}"/>' for page in pages)
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made(extension))) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith(".opf"):
                data = data.replace(b"</manifest>", items.encode() + b"</manifest>")
                data = data.replace(b"</spine>", spine.encode() + b"</spine>")
            new.writestr(name, data, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
        for page in pages:
            new.writestr(f"{member.rpartition('/')[0]}/{page}".lstrip("/"), filler)
    return stream.getvalue()


@pytest.mark.parametrize("extension", ["epub", "xlsx"])
def test_a_document_that_grows_without_end_is_read_in_part(extension):
    with zipfile.ZipFile(io.BytesIO(made(extension))) as archive:
        member = next(name for name in archive.namelist() if name.endswith((".xhtml", "sheet1.xml")))
        part = archive.read(member)
    at = part.rindex(b"</body>" if extension == "epub" else b"</sheetData>")
    filler = part[:at] + (b"<p> </p>" if extension == "epub" else b"<row></row>") * 500_000 + part[at:]
    content = filled(extension, member, filler, 40)
    began = time.monotonic()
    assert FORMATS[extension].words(content).startswith("Harbour" if extension == "epub" else "ice")
    assert time.monotonic() - began < 60


def test_two_files_of_one_format_are_both_named(home, tmp_path, monkeypatch, capsys, english_model_path):
    from castalia.core.ports import Message, Plan, Step
    from castalia.core.values import Content
    from castalia.genres.haiku import Haiku

    monkeypatch.setattr(Haiku, "plan", lambda *_: Plan((Step("poem", (Message("user", "Sea."),), max_tokens=8),)))
    monkeypatch.setattr(Haiku, "assemble", lambda _, brief, parts: Content(text=parts["poem"], language="en"))
    monkeypatch.setattr(Haiku, "rules", lambda *_: ())
    outs = [part for name in ("a.md", "b.md", "c.txt") for part in ("--out", str(tmp_path / name))]
    arguments = ["castalia", "create", "haiku", "the sea", "-m", str(english_model_path), "--json", *outs]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit):
        main.run()
    files = json.loads(capsys.readouterr().out)["files"]
    assert {name: Path(path).name for name, path in files.items()} == {"md": "a.md", "md:2": "b.md", "txt": "c.txt"}


@pytest.mark.parametrize("tag", ["<head ", "<body ", "<html ", '<meta name="AIGC" ', '<p class="ai-label">'])
def test_a_page_of_tags_without_end_is_marked_or_refused_in_time(run, tmp_path, tag):
    (tmp_path / "a.html").write_text(tag * (1_500_000 // len(tag)))
    began = time.monotonic()
    assert run("mark", tmp_path / "a.html")[0] in (0, 1)
    assert time.monotonic() - began < 30


def test_foreign_pages_keep_their_words_and_their_front_matter(run, tmp_path):
    page = (
        '<!doctype html>\n<html lang="zh">\n<HEAD><title>港口</title></HEAD>\n<body>\n<p>冰来了。</p>\n</body></html>\n'
    )
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "b.md").write_text("---\ntitle: Port\ntags:\n  - ice\n---\n\n# Port\n\nIce & *snow*.\n")
    (tmp_path / "c.json").write_text('{\n "n": 1.50,\n "text": "Ice."\n}\n')
    for name in ("a.html", "b.md", "c.json"):
        assert run("mark", tmp_path / name)[0] == 0
        assert run("mark", tmp_path / name.replace(".", "-marked."))[0] == 0  # a second time replaces the first label
    twice = (tmp_path / "a-marked-marked.html").read_text()
    assert twice.count("人工智能生成</p>") == twice.count('name="AIGC"') == 1
    assert "<p>冰来了。</p>" in twice
    matter = (tmp_path / "b-marked-marked.md").read_text()
    assert matter.startswith("---\ntitle: Port\ntags:\n  - ice\nAIGC: ")
    assert matter.count("*AI-generated*") == 1
    assert json.loads((tmp_path / "c-marked-marked.json").read_text())["n"] == 1.5
    assert '"n": 1.50' in (tmp_path / "c-marked.json").read_text()
