"""Mark a finished file that is no text of ours: a picture, a sound, a score, a document, from whatever made it.

The order is fixed: visible label and watermark in pixels or samples, labels for machines, signature, read back.
"""

from __future__ import annotations

from typing import cast

from castalia.core.config import Config
from castalia.core.errors import MarkError, UsageError
from castalia.core.language import say
from castalia.core.values import MarkedFile, Record
from castalia.provenance import c2pa
from castalia.provenance.embed import STAMPED, Face, MalformedError, Stamp, find_format
from castalia.provenance.finish import finish
from castalia.provenance.inscribe import inscribe
from castalia.provenance.keys import Keys
from castalia.provenance.label import label_for
from castalia.provenance.record import read_fields, read_record
from castalia.provenance.verify import LONGEST


def mark_file(
    content: bytes,
    *,
    extension: str,
    record: Record,
    keys: Keys,
    config: Config,
    labelled: bool = False,
) -> MarkedFile:
    """Put every mark on a file, and read each of them back.

    What the file carries already stays: a manifest becomes an ingredient of the new one, other metadata is left
    alone, and labels of which a file carries one move into the record's field `incoming`.

    Args:
        content: The file, from this studio's own rooms or from elsewhere.
        extension: Its format.
        record: From `file_record`; the watermark in it is replaced where pixels or samples are in reach.
        keys: The studio's keys.
        config: `accept_marking_responsibility`, `timestamp_url` and `offline` are read.
        labelled: The pixels or samples carry the visible label already (see `draw_label` and `rhythm`).

    Raises:
        UsageError: the format is unknown, or the file is too large.
        MarkError: the file is not what its extension says, has no room for a mark, or one does not read back.
        OfflineError: a time stamp is asked for, and the network is switched off.
    """
    face = _format(extension)
    if len(content) > LONGEST:
        raise UsageError(
            say("The file is larger than {n} MB.", "文件大于 {n} MB。", n=LONGEST // 1_000_000),
            hint=say("Mark it in parts.", "请分成几部分标识。"),
        )
    assert face.stamp
    label = "" if config.accept_marking_responsibility else label_for(record)
    try:
        if not face.begins(content):
            raise MalformedError(f"not a {face.extension} file")
        original = _original(face, content, record)
        inscribed = inscribe(content, face, record, label="" if labelled else label)
        stamp = Stamp(inscribed.record, label, incoming=_incoming(face, content, record))
        stamped = face.stamp(inscribed.content, stamp)
    except MalformedError as error:
        raise MarkError(
            say(
                "The file cannot be marked as {face}: {why}.",
                "无法按 {face} 标识文件：{why}。",
                face=extension,
                why=error,
            )
        ) from error
    return finish(face, stamped, stamp, keys=keys, config=config, original=original)


def _format(extension: str) -> Face:
    face = find_format(extension)
    if face is None or face.stamp is None:
        raise UsageError(
            say("Files of the format {name!r} cannot be marked.", "无法标识格式为 {name!r} 的文件。", name=extension),
            hint=say("Use one of: {names}.", "可用：{names}。", names=", ".join(STAMPED)),
        )
    return face


def _original(face: Face, content: bytes, record: Record) -> c2pa.Original | None:
    """The file as an ingredient, when it carries a manifest, or is a person's work that no other parent stands for."""
    if not face.embeds:
        return None
    manifest = c2pa.check(content, face.signed_as, None)
    if manifest is not None:
        found = read_record(manifest.record)[0]
        return c2pa.Original(content, face.media_type, found.id if found else "")
    if record.action == "modified" and not record.parents:
        return c2pa.Original(content, face.media_type, "")
    return None


def _incoming(face: Face, content: bytes, record: Record) -> list[dict[str, object]]:
    """The labels that a file came with, and those that it came with in its turn; none of the same work's."""
    marks = face.read(content)
    fields = read_fields(marks.record)
    older = fields.pop("incoming", None)
    found: list[object] = []
    if fields.get("id") != record.id:
        layers = {"label": marks.label, "aigc": marks.aigc, "source": marks.source, "record": fields or marks.record}
        found.append({name: raw for name, raw in layers.items() if raw})
    found += cast("list[object]", older) if isinstance(older, list) else []
    return [cast("dict[str, object]", each) for each in found if each and isinstance(each, dict)]
