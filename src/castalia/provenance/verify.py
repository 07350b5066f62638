"""Read every mark of a file and say what each is worth. Takes any bytes whatever, and asks no network."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from castalia.core.errors import CastaliaError, UsageError
from castalia.core.files import storage_error
from castalia.core.language import say
from castalia.core.values import Record
from castalia.provenance import c2pa, inscribe
from castalia.provenance.embed import Face, Marks, face_of, plain
from castalia.provenance.record import (
    GENERATED,
    MODIFIED,
    fingerprints,
    read_record,
    stated_label,
    text_sha256,
    watermark_payload,
)
from castalia.provenance.report import Layer, LayerName, Report, State
from castalia.provenance.tc260 import LABELS, bound_text, read_aigc
from castalia.provenance.watermark import PUBLISHED, WatermarkKey, detect_any

LONGEST = 100_000_000
"""Bytes of a file that are read."""
LONGEST_WATERMARK = 200_000
"""Characters of a text that are searched for a watermark."""

Find = Callable[[str], Record | None]
"""Looks a record up in the library by a work's id, by its text, by `PAYLOAD` and the 48 bits of a watermark, or by
`BYTES` and the SHA-256 of a file."""
_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_FOOT = 300
"""Characters at the end of a text in which a work's id is looked for."""
PAYLOAD = "watermark:"
"""Stands before the hexadecimal payload of a watermark (see `record.payload_of`)."""
BYTES = "sha256:"
"""Stands before the hexadecimal digest of a file."""


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
    face = face_of(name, source)
    marks = face.read(source) if face else Marks()
    manifest = None
    if sidecar is not None or (face is not None and face.embeds):
        manifest = c2pa.check(source, face.signed_as if face else "application/octet-stream", sidecar, anchors=anchors)
    return _judge(_Seen(name, source, face, marks, manifest), watermark_keys, find)


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
    content: bytes
    face: Face | None
    marks: Marks
    manifest: c2pa.Manifest | None

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Readings of the text, the likeliest first; the words of a document are looked for when they are asked for."""
        if self.face is not None and self.face.words is not None:
            return (self.face.words(self.content),)
        return self.marks.texts

    @cached_property
    def prints(self) -> frozenset[str]:
        """Fingerprints of the readings of the text."""
        return frozenset(text_sha256(text) for text in self.marks.texts if text.strip())

    @property
    def wordless(self) -> bool:
        """Whether the format is none of text, so that no wording can contradict the labels; the signature can."""
        return self.face is not None and self.face.kind != "text"

    @property
    def record(self) -> object:
        """The signed record where the signature holds, else the file's own, unread."""
        holds = self.manifest is not None and self.manifest.state != "broken"
        signed = self.manifest.record if self.manifest and holds else None
        return signed if signed is not None else self.marks.record

    @cached_property
    def senses(self) -> inscribe.Senses | None:
        """What is seen or heard in pixels or samples."""
        return inscribe.sense(self.content, self.face) if self.face else None

    @property
    def detection(self) -> inscribe.Detection | None:
        """What the detector for pixels or samples says."""
        return self.senses.watermark if self.senses else None

    @property
    def markup(self) -> bool:
        """Whether the format may show another text than the record's."""
        return self.face is not None and self.face.extension in ("md", "html")

    @cached_property
    def shown_as_recorded(self) -> bool:
        """Whether the text, if there is any, is the one of the signed, else of the file's own record."""
        return self.wordless or not self.prints.isdisjoint(fingerprints(self.record))


def _judge(seen: _Seen, keys: Sequence[WatermarkKey], find: Find | None) -> Report:
    record_layer, record = _record(seen)
    found, library = _library(seen, record, find)
    layers = (_label(seen), _implicit(seen, record), _source(seen), _c2pa(seen), _watermark(seen, keys, record))
    return Report(
        file=seen.name,
        format=seen.face.extension if seen.face else "binary",
        layers=(*layers, record_layer, library),
        record=record or found,
        work=found.id if found else None,
    )


def _layer(name: LayerName, state: State, en: str, zh: str, **values: object) -> Layer:
    return Layer(name=name, state=state, detail=say(en, zh, **values))


def _label(seen: _Seen) -> Layer:
    if seen.marks.label:
        return _layer("label", "present", "“{label}”", "“{label}”", label=seen.marks.label)
    stated, left_out = stated_label(seen.record)
    if left_out:
        return _layer("label", "absent", "left out: an editor takes responsibility", "已省略：编辑者承担责任")
    if seen.face is None or seen.face.label == "written":
        return _layer("label", "absent", "no visible label", "没有可见标识")
    found = seen.senses.label if seen.senses else ""
    if found:
        return _layer("label", "present", "“{label}”, seen or heard", "看到或听到“{label}”", label=found)
    if not stated:
        return _layer("label", "can't tell", "none is seen or heard where Castalia puts it", "在应有的位置未发现标识")
    return _layer(
        "label",
        "can't tell",
        "“{label}”, says the record; it is not seen or heard where Castalia puts it",
        "记录称有“{label}”；在应有的位置未发现",
        label=stated,
    )


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
        if seen.face is not None and seen.face.embeds:
            return _layer("c2pa", "absent", "no manifest inside", "文件内没有签名清单")
        return _layer("c2pa", "absent", "no manifest (<file>.c2pa)", "没有签名清单（<文件>.c2pa）")
    if manifest.state == "broken":
        if any(code.endswith("Hash.mismatch") for code in manifest.problems):
            return _layer("c2pa", "broken", "the file was changed after it was signed", "文件在签名后被改动")
        why = ", ".join(manifest.problems)[:200]
        return _layer("c2pa", "broken", "the manifest does not hold: {why}", "签名清单不成立：{why}", why=why)
    stamp = _time(manifest)
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


def _time(manifest: c2pa.Manifest) -> str:
    if not manifest.time:
        return ""
    if manifest.time_trusted:
        return say(", time stamp {at} by a trusted authority", "，时间戳 {at}（来自受信任的机构）", at=manifest.time)
    return say(
        ", time stamp {at} by an authority that is not trusted here",
        "，时间戳 {at}（该机构在此不受信任）",
        at=manifest.time,
    )


def _media_watermark(seen: _Seen, record: Record | None) -> Layer:
    found = seen.detection
    if found is None:
        why = record.watermark_reason if record and record.watermark == "none" else ""
        return _layer(
            "watermark",
            "can't tell",
            "{why}",
            "{why}",
            why=why or say("no detector for this format", "此格式没有检测器"),
        )
    if found.payload is None or found.p_value > inscribe.ALARM:
        return _layer("watermark", "absent", "none of the known keys", "未发现已知密钥的水印")
    if record is not None and record.watermark != "none" and found.payload != watermark_payload(record):
        return _layer("watermark", "broken", "it is another work's: {id}", "属于另一作品：{id}", id=found.payload.hex())
    return _layer(
        "watermark",
        "present",
        "payload {id}, chance of error {p:.0e}",
        "载荷 {id}，误判概率 {p:.0e}",
        id=found.payload.hex(),
        p=found.p_value,
    )


def _watermark(seen: _Seen, keys: Sequence[WatermarkKey], record: Record | None) -> Layer:
    if seen.face is not None and seen.face.label != "written":
        return _media_watermark(seen, record)
    text = seen.texts[0][:LONGEST_WATERMARK] if seen.texts else ""
    if not text.strip() and seen.wordless:
        return _layer("watermark", "can't tell", "no words were found in it", "其中未发现文字")
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
    if record.parents:
        detail += say(", made from {ids}", "，来源 {ids}", ids=", ".join(record.parents[:4]))
    if signed is None or seen.manifest is None:
        return _layer("record", "present", "{what} (not signed)", "{what}（未签名）", what=detail), record
    state: State = "trusted" if seen.manifest.state == "trusted" else "valid"
    return Layer(name="record", state=state, detail=detail), record


def _library(seen: _Seen, record: Record | None, find: Find | None) -> tuple[Record | None, Layer]:
    if find is None:
        return None, _layer("library", "can't tell", "no library was asked", "未查询作品库")
    aigc = read_aigc(seen.marks.aigc or "")[0]
    ids = [record.id] if record else []
    ids += [aigc["ProduceID"]] if aigc and aigc["ProduceID"] not in ids else []
    if seen.detection is not None and seen.detection.payload is not None:
        ids.append(PAYLOAD + seen.detection.payload.hex())
    ids.append(BYTES + hashlib.sha256(seen.content).hexdigest())
    texts = seen.texts
    named = [each for text in texts[:1] for each in _ID.findall(text[-_FOOT:])]  # a page is copied with its foot
    try:
        for key in (*ids, *texts, *map(plain, texts[:1]), *named):  # the source of Markdown may have been pasted
            found = find(key) if key.strip() else None
            # A library may take the beginning of an id, which a short text or a foreign label can be by chance.
            if found is not None and _is(found, key):
                return found, _layer("library", "present", *_how_found(seen, found, key), id=found.id)
    except CastaliaError as error:
        return None, _layer("library", "can't tell", "{why}", "{why}", why=error.message)
    return None, _layer("library", "absent", "not in this library", "不在本作品库中")


def _is(record: Record, key: str) -> bool:
    if key.startswith(PAYLOAD):
        return watermark_payload(record).hex() == key.removeprefix(PAYLOAD)
    return key.startswith(BYTES) or record.id == key or record.text_sha256 == text_sha256(key)


def _how_found(seen: _Seen, record: Record, key: str) -> tuple[str, str]:
    if key.startswith(PAYLOAD):
        return "work {id}, found by its watermark", "作品 {id}（按水印找到）"
    if key.startswith(BYTES):
        return "work {id}, whose file this is", "作品 {id}（即此文件）"
    if record.text_sha256 == text_sha256(key):
        return "work {id}, found by its text", "作品 {id}（按文本找到）"
    if seen.shown_as_recorded or record.text_sha256 in seen.prints:
        return "work {id}, found by id", "作品 {id}（按编号找到）"
    return "work {id}, found by id; its text differs", "作品 {id}（按编号找到）；文本不同"
