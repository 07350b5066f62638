"""Read every mark of a file and say what each is worth. Takes any bytes whatever, and asks no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from castalia.core.errors import CastaliaError, UsageError
from castalia.core.files import storage_error
from castalia.core.language import say
from castalia.core.values import Record, Work
from castalia.provenance import c2pa
from castalia.provenance.embed import Face, Marks, face_of, plain
from castalia.provenance.record import GENERATED, MODIFIED, fingerprints, read_record, text_sha256
from castalia.provenance.report import Layer, LayerName, Report, State
from castalia.provenance.tc260 import LABELS, bound_text, read_aigc
from castalia.provenance.watermark import PUBLISHED, WatermarkKey, detect_any

LONGEST = 16_000_000
"""Bytes of a file that are read."""
LONGEST_TEXT = 2_000_000
"""Characters of a text that are searched for labels."""
LONGEST_WATERMARK = 200_000
"""Characters of a text that are searched for a watermark."""

Find = Callable[[str], Work | None]
"""Looks a work up in the library by its id or by its text."""


def verify(
    source: Path | bytes,
    *,
    name: str = "-",
    sidecar: bytes | None = None,
    anchors: bytes = b"",
    watermark_keys: Sequence[WatermarkKey] = (),
    find: Find | None = None,
) -> Report:
    """Check all layers of one file.

    Args:
        source: A file, whose sidecar `<file>.c2pa` is taken from beside it; or bytes.
        name: What to call bytes; its extension chooses the format.
        sidecar: The C2PA manifest of the bytes.
        anchors: Certificates (PEM) of the authorities to trust: this studio's own, and those the user names.
        watermark_keys: Private keys to look for beside the published one.
        find: Looks into the library; None when there is none or it is locked.

    Raises:
        UsageError: the file is missing or larger than `LONGEST`.
        StorageError: it cannot be read.
    """
    if isinstance(source, Path):
        name = str(source)
        beside = source.with_name(source.name + ".c2pa")
        sidecar = read_limited(beside) if sidecar is None and beside.is_file() else sidecar
        source = read_limited(source)
    elif len(source) > LONGEST:
        raise _too_large(name)
    text = decode(source)
    face = None if text is None else face_of(name, text)
    marks = Marks(texts=()) if text is None or face is None else _read(face, text)
    manifest = None
    if sidecar is not None:
        media_type = face.media_type if face else "application/octet-stream"
        manifest = c2pa.check(source, media_type, sidecar, anchors=anchors)
    return _judge(_Seen(name, face, marks, manifest), watermark_keys, find)


def read_limited(path: Path) -> bytes:
    """A file's bytes, at most `LONGEST`.

    Raises:
        UsageError: it is missing, no regular file, or larger.
        StorageError: it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise UsageError(say("{path} is not a regular file.", "{path} 不是普通文件。", path=path))
        with path.open("rb") as stream:
            content = stream.read(LONGEST + 1)
    except FileNotFoundError as error:
        raise UsageError(say("There is no file {path}.", "没有文件 {path}。", path=path)) from error
    except OSError as error:
        raise storage_error(error, path) from error
    if len(content) > LONGEST:
        raise _too_large(str(path))
    return content


def decode(content: bytes) -> str | None:
    """The text of a file in UTF-8, UTF-16 with its mark, or GB 18030; None when it is no text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    elif b"\0" in content:
        return None
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _too_large(name: str) -> UsageError:
    return UsageError(
        say(
            "{name} is larger than {n} MB; no work of this studio is.",
            "{name} 大于 {n} MB；本工作室没有这么大的作品。",
            name=name,
            n=LONGEST // 1_000_000,
        )
    )


@dataclass(frozen=True)
class _Seen:
    name: str
    face: Face | None
    marks: Marks
    manifest: c2pa.Manifest | None

    @cached_property
    def prints(self) -> frozenset[str]:
        """Fingerprints of the readings of the text."""
        return frozenset(text_sha256(text) for text in self.marks.texts if text.strip())

    @property
    def markup(self) -> bool:
        """Whether the format may show another text than the record's."""
        return self.face is not None and self.face.extension in ("md", "html")

    @cached_property
    def shown_as_recorded(self) -> bool:
        """Whether the text is the one of the signed, else of the file's own record."""
        holds = self.manifest is not None and self.manifest.state != "broken"
        raw = self.manifest.record if self.manifest and holds else self.marks.record
        return not self.prints.isdisjoint(fingerprints(raw))


def _read(face: Face, text: str) -> Marks:
    return face.read(text) if len(text) <= LONGEST_TEXT else Marks(texts=(text,))


def _judge(seen: _Seen, keys: Sequence[WatermarkKey], find: Find | None) -> Report:
    record_layer, record = _record(seen)
    found, library = _library(seen, record, find)
    layers = (_label(seen), _implicit(seen, record), _source(seen), _c2pa(seen), _watermark(seen, keys, record))
    return Report(
        file=seen.name,
        format=seen.face.extension if seen.face else "binary",
        layers=(*layers, record_layer, library),
        record=record or (found.record if found else None),
        work=found.id if found else None,
    )


def _layer(name: LayerName, state: State, en: str, zh: str, **values: object) -> Layer:
    return Layer(name=name, state=state, detail=say(en, zh, **values))


def _label(seen: _Seen) -> Layer:
    if seen.marks.label:
        return _layer("label", "present", "“{label}”", "“{label}”", label=seen.marks.label)
    return _layer("label", "absent", "no visible label", "没有可见标识")


def _implicit(seen: _Seen, record: Record | None) -> Layer:
    if seen.marks.aigc is None:
        return _layer("implicit", "absent", "no TC260 label (AIGC)", "没有隐式标识（AIGC）")
    aigc, problem = read_aigc(seen.marks.aigc)
    if aigc is None:
        return _layer("implicit", "broken", "malformed TC260 label: {why}", "隐式标识格式有误：{why}", why=problem)
    bound = bound_text(aigc)
    if bound and bound not in seen.prints and not (seen.shown_as_recorded or (record is None and seen.markup)):
        return _layer(
            "implicit",
            "broken",
            "the text was changed after it was marked (ReservedCode1)",
            "文本在标识后被改动（ReservedCode1）",
        )
    if record is not None and bound and aigc["ProduceID"] != record.id:
        return _layer("implicit", "broken", "ProduceID is not the record's id", "ProduceID 与记录编号不符")
    return _layer(
        "implicit",
        "present",
        "TC260: {what}, by {who}, id {id}",
        "TC260：{what}，{who}，编号 {id}",
        what=LABELS[aigc["Label"]],
        who=aigc["ContentProducer"][:80],
        id=aigc["ProduceID"][:80],
    )


def _source(seen: _Seen) -> Layer:
    named = seen.marks.source or (seen.manifest.source if seen.manifest else "")
    if not named:
        return _layer("source", "absent", "no digital source type", "没有数字来源类型")
    if named.replace("https://", "http://", 1) in (GENERATED, MODIFIED):
        return _layer("source", "present", "{kind}", "{kind}", kind=named.rpartition("/")[2])
    return _layer("source", "can't tell", "not one that we know: {kind}", "未知类型：{kind}", kind=named[:100])


def _c2pa(seen: _Seen) -> Layer:
    manifest = seen.manifest
    if manifest is None:
        return _layer("c2pa", "absent", "no manifest (<file>.c2pa)", "没有签名清单（<文件>.c2pa）")
    if manifest.state == "broken":
        if "assertion.dataHash.mismatch" in manifest.problems:
            return _layer("c2pa", "broken", "the file was changed after it was signed", "文件在签名后被改动")
        why = ", ".join(manifest.problems)[:200]
        return _layer("c2pa", "broken", "the manifest does not hold: {why}", "签名清单不成立：{why}", why=why)
    stamp = say(", time stamp {at}", "，时间戳 {at}", at=manifest.time) if manifest.time else ""
    if manifest.state == "trusted":
        return _layer("c2pa", "trusted", "signed by {who}{at}", "由 {who} 签名{at}", who=manifest.signer, at=stamp)
    return _layer(
        "c2pa",
        "valid",
        "valid but untrusted: the signature of {who} holds, but no authority trusted here vouches for it{at}",
        "有效但不受信任：{who} 的签名成立，但没有此处信任的机构为其担保{at}",
        who=manifest.signer,
        at=stamp,
    )


def _watermark(seen: _Seen, keys: Sequence[WatermarkKey], record: Record | None) -> Layer:
    text = seen.marks.texts[0][:LONGEST_WATERMARK] if seen.marks.texts else ""
    if not text.strip():
        return _layer("watermark", "can't tell", "there is no text", "没有文本")
    found = detect_any(text, (PUBLISHED, *keys))
    if found.state == "present":
        return _layer(
            "watermark",
            "present",
            "{label}, chance of error {p:.0e}",
            "{label}，误判概率 {p:.0e}",
            label=found.label,
            p=found.p_value,
        )
    reason = record.watermark_reason if record and record.watermark == "none" else ""
    if found.state == "can't tell" or reason:
        return _layer(
            "watermark",
            found.state,
            "{why}",
            "{why}",
            why=reason or say("the text is too short", "文本太短"),
        )
    return _layer("watermark", "absent", "none of the known keys", "未发现已知密钥的水印")


def _record(seen: _Seen) -> tuple[Layer, Record | None]:
    own, own_problem = read_record(seen.marks.record) if seen.marks.record is not None else (None, "")
    signed: Record | None = None
    if seen.manifest is not None and seen.manifest.state != "broken" and seen.manifest.record is not None:
        signed, own_problem = read_record(seen.manifest.record)
    record = signed or own
    if own_problem or (signed and own and signed != own):
        why = own_problem or say("the file's record is not the signed one", "文件中的记录与签名记录不符")
        return _layer("record", "broken", "{why}", "{why}", why=why), record
    if record is None:
        return _layer("record", "absent", "no record", "没有记录"), None
    if not seen.shown_as_recorded:
        return _layer("record", "broken", "the text is not the recorded one", "文本与记录不符"), record
    detail = f"{record.genre}, {record.model}, {record.created:%Y-%m-%d %H:%M} UTC, {record.provider}"
    if signed is None or seen.manifest is None:
        return _layer("record", "present", "{what} (not signed)", "{what}（未签名）", what=detail), record
    state: State = "trusted" if seen.manifest.state == "trusted" else "valid"
    return Layer(name="record", state=state, detail=detail), record


def _library(seen: _Seen, record: Record | None, find: Find | None) -> tuple[Work | None, Layer]:
    if find is None:
        return None, _layer("library", "can't tell", "no library was asked", "未查询作品库")
    aigc = read_aigc(seen.marks.aigc or "")[0]
    ids = [record.id] if record else []
    ids += [aigc["ProduceID"]] if aigc and aigc["ProduceID"] not in ids else []
    texts = seen.marks.texts
    try:
        for key in (*ids, *texts, *map(plain, texts[:1])):  # the source of Markdown may have been pasted
            work = find(key) if key.strip() else None
            # A library may take the beginning of an id, which a short text or a foreign label can be by chance.
            if work is not None and (work.id == key or work.record.text_sha256 == text_sha256(key)):
                return work, _layer("library", "present", *_how_found(seen, work, by_id=key in ids), id=work.id)
    except CastaliaError as error:
        return None, _layer("library", "can't tell", "{why}", "{why}", why=error.message)
    return None, _layer("library", "absent", "not in this library", "不在本作品库中")


def _how_found(seen: _Seen, work: Work, *, by_id: bool) -> tuple[str, str]:
    if not by_id:
        return "work {id}, found by its text", "作品 {id}（按文本找到）"
    if seen.shown_as_recorded or work.record.text_sha256 in seen.prints:
        return "work {id}, found by id", "作品 {id}（按编号找到）"
    return "work {id}, found by id; its text differs", "作品 {id}（按编号找到）；文本不同"
