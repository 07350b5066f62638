"""MusicXML and Humdrum → Score, by verovio in a child process (`notation_child.py`).

Repeats are not played out: the score is the music as it stands on paper. Grace notes are left out.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
import zlib
from xml.parsers import expat

from pydantic import ValidationError

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.score import Score

LARGEST = 20_000_000
"""Bytes of a file, unpacked."""
PATIENCE = 60
"""Seconds of processor time that the child may take; a symphony's movement takes about ten."""
_FORMATS = {"musicxml": "musicxml", "xml": "musicxml", "mxl": "musicxml", "krn": "humdrum"}
EXTENSIONS = tuple(_FORMATS)
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_DECLARATION = re.compile(r"\A\s*<\?xml.{0,300}?\?>", re.DOTALL)
_DOCTYPE = re.compile(r"<!DOCTYPE[^>\[]{0,500}>")
_ROOT = re.compile(rb"""<rootfile\s[^>]{0,500}?full-path\s*=\s*["']([^"']{1,500})["']""")
_CONTAINER = "META-INF/container.xml"


def read_notation(content: bytes, extension: str) -> Score:
    """The score of a notation file.

    Args:
        content: The file.
        extension: `musicxml`, `xml`, `mxl` or `krn`, with or without a dot.

    Raises:
        UsageError: another extension, too large, damaged, or without notes that could be read in time.
    """
    kind = extension.lower().lstrip(".")
    if kind not in _FORMATS:
        raise UsageError(
            say("No notation format has the extension .{kind}.", "没有扩展名为 .{kind} 的乐谱格式。", kind=kind),
            hint=say("Choose one of {known}.", "请选择：{known}。", known=", ".join(EXTENSIONS)),
        )
    if kind == "mxl" or content[:2] == b"PK":
        content = unpacked(content)
    if len(content) > LARGEST:
        raise _unreadable(say("it has more than {most:,} bytes", "超过 {most:,} 字节", most=LARGEST))
    text = _decoded(content)
    if _FORMATS[kind] == "musicxml":
        text = _harmless(text)
    return _asked(text, _FORMATS[kind])


def unpacked(content: bytes) -> bytes:
    """The score inside a compressed MusicXML file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()[:1000]
            root = _ROOT.search(_member(archive, _CONTAINER)) if _CONTAINER in names else None
            found = root[1].decode("utf-8", "replace") if root else ""
            inside = [name for name in names if name.endswith((".xml", ".musicxml")) and name != _CONTAINER]
            if found not in names and not inside:
                raise _unreadable(say("it holds no MusicXML", "其中没有 MusicXML"))
            return _member(archive, found if found in names else inside[0])
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise _unreadable(say("its ZIP is damaged", "其 ZIP 已损坏")) from error


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        return stream.read(LARGEST + 1)


def _decoded(content: bytes) -> str:
    declared = _ENCODING.match(content.removeprefix(b"\xef\xbb\xbf"))
    names = ["utf-16"] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig"]
    if declared and names != ["utf-16"]:
        names.insert(0, declared[1].decode("ascii").lower().replace("utf-8", "utf-8-sig"))
    for name in [*names, "latin-1"]:
        try:
            return content.decode(name)
        except (UnicodeError, LookupError):
            continue
    raise _unreadable(say("its letters cannot be decoded", "其字符无法解码"))


def _harmless(text: str) -> str:
    """Without the declarations at the head; entities, which could grow without end, are refused."""
    if "<!ENTITY" in text or re.search(r"<!DOCTYPE[^>]{0,500}\[", text):
        raise UsageError(
            say("The file declares XML entities, which no score needs.", "文件声明了乐谱不需要的 XML 实体。"),
            hint=say("Export it again from a notation program.", "请用打谱软件重新导出。"),
        )
    text = _DOCTYPE.sub("", _DECLARATION.sub("", text, count=1), count=1)
    if not re.search(r"<score-(partwise|timewise)\b", text[:100_000]):
        raise _unreadable(say("it is not MusicXML", "它不是 MusicXML"))
    try:  # verovio takes what it can of a file that was cut off, and says nothing
        expat.ParserCreate("utf-8").Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise _unreadable(say("its XML is damaged in line {n}", "其 XML 在第 {n} 行损坏", n=error.lineno)) from error
    return text


def _asked(text: str, form: str) -> Score:
    told = [sys.executable, "-m", "castalia.modalities.music.files.notation_child", form]
    try:
        child = subprocess.run(told, input=text.encode(), capture_output=True, check=False, timeout=PATIENCE + 10)
    except subprocess.TimeoutExpired as error:
        raise _unreadable(say("it takes too long", "耗时过长")) from error
    except OSError as error:
        raise _unreadable(str(error)) from error
    try:
        return Score.model_validate_json(child.stdout)
    except ValidationError as error:
        raise _unreadable(say("it is damaged, or holds no notes", "文件已损坏或没有音符")) from error


def _unreadable(why: str) -> UsageError:
    return UsageError(
        say("The score cannot be read: {why}.", "无法读取乐谱：{why}。", why=why),
        hint=say("Export it again as MusicXML 4.0 or MIDI.", "请重新导出为 MusicXML 4.0 或 MIDI。"),
    )
