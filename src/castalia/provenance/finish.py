"""The last stretch of marking, the same for every format: sign, then read every mark back from the finished bytes."""

from __future__ import annotations

from collections.abc import Sequence

from castalia.core.config import Config
from castalia.core.errors import MarkError, OfflineError
from castalia.core.language import say
from castalia.core.values import MarkedFile
from castalia.provenance import c2pa
from castalia.provenance.embed import Face, Stamp
from castalia.provenance.keys import Keys
from castalia.provenance.record import read_record, text_sha256, watermark_payload
from castalia.provenance.tc260 import read_aigc


def finish(
    face: Face, content: bytes, stamp: Stamp, *, keys: Keys, config: Config, original: c2pa.Original | None = None
) -> MarkedFile:
    """Sign a file that carries its labels, and check all of them.

    Args:
        face: The file's format.
        content: The file with every mark but the signature.
        stamp: What was written into it.
        keys: The studio's keys.
        config: `timestamp_url` and `offline` are read.
        original: The file as it came, when it carries a manifest or a person's work was changed.

    Raises:
        MarkError: a mark does not read back as it was written.
        OfflineError: a time stamp is asked for, and the network is switched off.
    """
    if config.timestamp_url and config.offline:
        raise OfflineError(
            say(
                "A time stamp from {url} needs the network.", "向 {url} 获取时间戳需要联网。", url=config.timestamp_url
            ),
            hint=say(
                "Clear timestamp_url, or unset CASTALIA_OFFLINE.", "清空 timestamp_url，或取消 CASTALIA_OFFLINE。"
            ),
        )
    signed, sidecar = c2pa.sign(
        content, face, stamp, keys.signing(), timestamp_url=config.timestamp_url, original=original
    )
    _read_back(face, stamp, signed)
    found = c2pa.check(signed, face.signed_as, sidecar, anchors=keys.anchors())
    if found is None or found.state != "trusted" or found.record != stamp.machine:
        raise _unread(face, "c2pa", found.problems if found else ())
    points = face.label != "written" and stamp.record.watermark != "none"
    return MarkedFile(
        face=face.extension,
        content=signed,
        sidecar=sidecar,
        record=stamp.record,
        label=stamp.label,
        payload=watermark_payload(stamp.record).hex() if points else "",
    )


def _read_back(face: Face, stamp: Stamp, content: bytes) -> None:
    marks = face.read(content)
    if face.label == "written" and stamp.label and marks.label != stamp.label:
        raise _unread(face, "label", (marks.label,))
    aigc, problem = read_aigc(marks.aigc or "")
    if aigc != stamp.aigc:
        raise _unread(face, "implicit", (problem,))
    if marks.source != stamp.record.digital_source_type:
        raise _unread(face, "source", (str(marks.source),))
    if "record" in face.places and read_record(marks.record or "")[0] != stamp.record:
        raise _unread(face, "record", (read_record(marks.record or "")[1],))
    if face.kind == "text" and stamp.shown_sha256 not in map(text_sha256, marks.texts):
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
