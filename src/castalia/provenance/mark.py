"""Mark a judged draft: record, labels, signature, each read back before anything is handed on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from castalia.core.config import Config
from castalia.core.errors import MarkError, OfflineError, UsageError
from castalia.core.language import say
from castalia.core.values import Content, Evidence, Judged, Marked, MarkedFile, Record, Work
from castalia.provenance import c2pa
from castalia.provenance.embed import FACES, Face, Stamp
from castalia.provenance.keys import Keys
from castalia.provenance.label import label_for
from castalia.provenance.record import WATERMARK_FROM, make_record, read_record, text_sha256
from castalia.provenance.tc260 import read_aigc
from castalia.provenance.watermark import PUBLISHED, detect_any


def mark(
    judged: Judged,
    *,
    keys: Keys,
    config: Config,
    faces: Sequence[str] = ("txt",),
    action: Literal["generated", "modified"] = "generated",
    parents: Sequence[str] = (),
    record_id: str | None = None,
    created: datetime | None = None,
) -> Marked:
    """Put every mark on a draft that passed its checks, and read each of them back.

    Args:
        judged: The draft; its evidence names the watermark that was written while sampling.
        keys: The studio's keys.
        config: `provider`, `accept_marking_responsibility`, `timestamp_url` and `offline` are read.
        faces: File formats to make beside `txt`, by extension.
        action: Whether a model made the work or changed a person's.
        parents: Ids of works that it is made from, beside those that its brief names.
        record_id: The id to use again when a work is remade.
        created: Likewise the time.

    Raises:
        MarkError: the draft did not pass, or a mark does not read back as it was written.
        UsageError: a face is unknown.
        OfflineError: a time stamp is asked for, and the network is switched off.
    """
    if not judged.passed:
        raise MarkError(
            say(
                "A draft that breaks {n} rules is not marked: {names}.",
                "草稿违反 {n} 条规则，不予标识：{names}。",
                n=len(judged.broken),
                names=", ".join(dict.fromkeys(finding.rule for finding in judged.broken)),
            )
        )
    wanted = [find_face(name) for name in dict.fromkeys(("txt", *faces))]
    content = judged.draft.content
    watermark, reason = _verified_watermark(content.text, judged.draft.evidence, keys)
    record = make_record(
        judged,
        provider=config.provider or keys.studio_name,
        watermark=watermark,
        watermark_reason=reason,
        action=action,
        parents=parents,
        record_id=record_id,
        created=created,
    )
    files = tuple(_file(content, record, face, keys=keys, config=config) for face in wanted)
    return Marked(judged=judged, record=record, files=files)


def export(work: Work, face: str, *, keys: Keys, config: Config) -> MarkedFile:
    """A file of a finished work: the same record, labels and content, with a fresh signature.

    Raises:
        UsageError: the face is unknown.
        MarkError: a mark does not read back.
        OfflineError: a time stamp is asked for, and the network is switched off.
    """
    return _file(work.content, work.record, find_face(face), keys=keys, config=config)


def find_face(name: str) -> Face:
    """The format of that name.

    Raises:
        UsageError: there is none.
    """
    face = FACES.get(name.lower().lstrip("."))
    if face is None:
        raise UsageError(
            say("There is no format {name!r}.", "没有格式 {name!r}。", name=name),
            hint=say("Use one of: {faces}.", "可用：{faces}。", faces=", ".join(FACES)),
        )
    return face


def _verified_watermark(text: str, evidence: Evidence, keys: Keys) -> tuple[str, str]:
    """(label, "") of the watermark that the detector finds, or ("none", why)."""
    enough = evidence.sampled_tokens >= WATERMARK_FROM
    counted = f"{evidence.sampled_tokens} sampled tokens, required from {WATERMARK_FROM}"
    if evidence.watermark == "none":
        if enough and not evidence.watermark_reason:
            raise _unmarked(say("no watermark was written", "未写入水印"), counted)
        return "none", evidence.watermark_reason or counted
    key = next((key for key in (PUBLISHED, *keys.watermarks()) if key.label == evidence.watermark), None)
    if key is not None and detect_any(text, [key]).state == "present":
        return evidence.watermark, ""
    if enough:
        raise _unmarked(say("the detector does not find it", "检测器未找到水印"), counted)
    return "none", f"too short for the detector: {counted}"


def _unmarked(why: str, counted: str) -> MarkError:
    return MarkError(
        say("The text watermark is missing: {why} ({n}).", "缺少文本水印：{why}（{n}）。", why=why, n=counted),
        hint=say(
            "Another --seed may do; --watermark-strength raises the bias.",
            "可更换 --seed，或调高 --watermark-strength。",
        ),
    )


def _file(content: Content, record: Record, face: Face, *, keys: Keys, config: Config) -> MarkedFile:
    if config.timestamp_url and config.offline:
        raise OfflineError(
            say(
                "A time stamp from {url} needs the network.", "向 {url} 获取时间戳需要联网。", url=config.timestamp_url
            ),
            hint=say(
                "Clear timestamp_url, or unset CASTALIA_OFFLINE.", "清空 timestamp_url，或取消 CASTALIA_OFFLINE。"
            ),
        )
    label = "" if config.accept_marking_responsibility else label_for(record)
    stamp = Stamp(record, label, text_sha256(face.shown(content)))
    text = face.render(content, stamp)
    data = text.encode()
    sidecar = c2pa.sign(data, face.media_type, stamp, keys.signing(), timestamp_url=config.timestamp_url)
    _read_back(face, stamp, text)
    found = c2pa.check(data, face.media_type, sidecar, anchors=keys.anchors())
    if found.state != "trusted" or found.record != stamp.machine:
        raise _unread(face, "c2pa", found.problems)
    return MarkedFile(face=face.extension, content=data, sidecar=sidecar)


def _read_back(face: Face, stamp: Stamp, text: str) -> None:
    marks = face.read(text)
    if marks.label != stamp.label and stamp.label:
        raise _unread(face, "label", (marks.label,))
    aigc, problem = read_aigc(marks.aigc or "")
    if aigc != stamp.aigc:
        raise _unread(face, "implicit", (problem,))
    if marks.source != stamp.record.digital_source_type:
        raise _unread(face, "source", (str(marks.source),))
    if "record" in face.places and read_record(marks.record or "")[0] != stamp.record:
        raise _unread(face, "record", (read_record(marks.record or "")[1],))
    if stamp.shown_sha256 not in map(text_sha256, marks.texts):
        raise _unread(face, "text", ())


def _unread(face: Face, layer: str, problems: Sequence[str]) -> MarkError:
    return MarkError(
        say(
            "The mark {layer} of the {face} file does not read back: {why}.",
            "{face} 文件的标识 {layer} 回读不一致：{why}。",
            layer=layer,
            face=face.extension,
            why=", ".join(filter(None, problems)) or say("it differs", "内容不同"),
        )
    )
