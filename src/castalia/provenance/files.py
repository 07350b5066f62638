"""Mark a finished file from whatever made it: a picture, a sound, a score, a document, a text.

The order is fixed: visible label and watermark in pixels or samples, labels for machines, signature, read back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from castalia.core.config import Config
from castalia.core.errors import MarkError, UsageError
from castalia.core.language import current, is_chinese, say
from castalia.core.values import Evidence, Language, MarkedFile, Record
from castalia.provenance import c2pa
from castalia.provenance.embed import FORMATS, Face, MalformedError, Marks, Stamp, archive, bundle, face_of, find_format
from castalia.provenance.finish import finish
from castalia.provenance.inscribe import Inscribed, inscribe
from castalia.provenance.keys import Keys
from castalia.provenance.label import label_for
from castalia.provenance.record import GENERATED, make_record, read_fields, read_record, text_sha256
from castalia.provenance.verify import LONGEST, LONGEST_WATERMARK, Find, read_limited, verify
from castalia.provenance.watermark import PUBLISHED, detect_any


def mark_file(
    content: bytes,
    *,
    extension: str,
    record: Record,
    keys: Keys,
    config: Config,
    sidecar: bytes | None = None,
    labelled: bool = False,
) -> MarkedFile:
    """Put every mark on a file, and read each of them back.

    What the file carries already stays: a manifest becomes an ingredient of the new one, other metadata is left
    alone, and labels of which a file carries one move into the record's field `incoming`.

    Args:
        content: The file, from this studio's own rooms or from elsewhere.
        extension: Its format.
        record: From `make_record`; the watermark in it is replaced where pixels or samples are in reach.
        keys: The studio's keys.
        config: `accept_marking_responsibility`, `timestamp_url` and `offline` are read.
        sidecar: The C2PA manifest that came beside the file.
        labelled: Pixels or samples that are out of reach here carry the visible label already.

    Raises:
        UsageError: the format is unknown, or the file is too large.
        MarkError: the file is not what its extension says, has no room for a mark, or one does not read back.
        OfflineError: a time stamp is asked for, and the network is switched off.
    """
    face = format_of(extension)
    if len(content) > LONGEST:
        raise UsageError(
            say("The file is larger than {n} MB.", "文件大于 {n} MB。", n=LONGEST // 1_000_000),
            hint=say("Mark it in parts.", "请分成几部分标识。"),
        )
    label = "" if config.accept_marking_responsibility else label_for(record)
    try:
        if face_of(f".{face.extension}", content) is not face:  # a text is of the kind that its name says
            raise MalformedError(f"not a {face.extension} file")
        if face is bundle.FACE:
            content = _members_marked(content, record, keys, config)
        manifest = _manifest(face, content, sidecar)
        original = _original(face, content, record, manifest, sidecar)
        inscribed = _inscribed(content, face, record, label, labelled=labelled)
        marks = face.read(content)
        shown = text_sha256(marks.texts[0 if label else -1]) if face.kind == "text" and marks.texts else ""
        stamp = Stamp(inscribed.record, label, shown, _incoming(marks, manifest, record))
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


@dataclass(frozen=True)
class Foreign:
    """A file that another program made, and what is known of it."""

    content: bytes
    face: Face
    sidecar: bytes | None
    words: str
    """Empty where it has none."""
    watermark: str
    """That of a studio's key in its wording, else `none`."""
    parent: str | None
    """Id of the work that it is, by marks that hold or by the library."""
    by_model: bool
    """Whether a model made all of it: by that work's record, of others by what the file itself says."""


def read_foreign(source: Path | bytes, *, name: str = "", keys: Keys, find: Find) -> Foreign:
    """Read a file, and the C2PA sidecar `<file>.c2pa` beside it; or bytes, without one.

    Args:
        source: The file, or its bytes.
        name: What bytes are called; its extension says their format.
        keys: The studio's keys.
        find: Looks into the library.

    Raises:
        UsageError: the file is missing or too large, or its extension is no format's.
        StorageError: it cannot be read.
    """
    sidecar = None
    if isinstance(source, Path):
        name = source.name
        beside = source.with_name(name + ".c2pa")
        face, content = format_of(source.suffix), read_limited(source)
        sidecar = read_limited(beside) if beside.is_file() else None
    else:
        face, content = format_of(Path(name).suffix), source
    known = verify(content, name=name, sidecar=sidecar, anchors=keys.anchors(), find=find)
    held = known.layer("record").state in ("valid", "trusted") and not known.broken
    words = face.words(content) if face.words else next(iter(face.read(content).texts), "")
    found = detect_any(words[:LONGEST_WATERMARK], (PUBLISHED, *keys.watermarks()))
    record = find(known.work) if known.work else known.record if held else None
    said = record.digital_source_type if record else face.read(content).source or ""
    return Foreign(
        content=content,
        face=face,
        sidecar=sidecar,
        words=words,
        watermark=found.label if found.state == "present" else "none",
        parent=record.id if record else None,
        by_model=said.replace("https://", "http://", 1) == GENERATED,
    )


def foreign_record(
    file: Foreign,
    *,
    provider: str,
    action: Literal["generated", "modified"],
    model: str = "",
    kind: str = "",
    language: Language | None = None,
    parents: Sequence[str] = (),
) -> Record:
    """The record of a file from elsewhere.

    Args:
        file: From `read_foreign`.
        provider: Who runs this studio.
        action: Whether a model made it or changed a person's work.
        model: Name of that model; empty where it is not known.
        kind: Kind of work; empty takes the format's.
        language: Of the visible label; None goes by the file's words, else by the interface.
        parents: Ids beside the one that was found.
    """
    evidence = Evidence(
        model=model or "unknown",
        digest="unknown",
        engine="elsewhere",
        seed=0,
        watermark=file.watermark,
        watermark_reason="worded elsewhere" if file.words and file.watermark == "none" else "",
    )
    guessed = "zh" if (is_chinese(file.words) if file.words.strip() else current() == "zh") else "en"
    return make_record(
        evidence,
        genre=kind or file.face.kind,
        provider=provider,
        action=action,
        language=language or guessed,
        parents=(*parents, *filter(None, (file.parent,))),
        text=file.words,
    )


def format_of(extension: str) -> Face:
    """The format of an extension, with or without its dot.

    Raises:
        UsageError: there is none.
    """
    face = find_format(extension)
    if face is None:
        raise UsageError(
            say("Files of the format {name!r} cannot be marked.", "无法标识格式为 {name!r} 的文件。", name=extension),
            hint=say("Use one of: {names}.", "可用：{names}。", names=", ".join(FORMATS)),
        )
    return face


def _members_marked(content: bytes, record: Record, keys: Keys, config: Config) -> bytes:
    """An archive with marks in each of its pictures, sounds and documents, under one record."""
    new: dict[str, bytes] = {}
    for name in archive.names(content):
        member = archive.member(content, name) or b""
        face = face_of(name, member) if member and name != bundle.MEMBER else None
        if face is bundle.FACE:
            raise MalformedError(f"an archive within an archive: {name[:80]}")
        if face is not None and face.kind != "text":
            new[name] = mark_file(member, extension=face.extension, record=record, keys=keys, config=config).content
    return archive.replaced(content, new)


def _inscribed(content: bytes, face: Face, record: Record, label: str, *, labelled: bool) -> Inscribed:
    """With the label where pixels or samples are in reach; where they are not, somebody must have put it in before."""
    try:
        return inscribe(content, face, record, label=label)
    except MalformedError:
        if not labelled:
            raise
        return inscribe(content, face, record, label="")


def _manifest(face: Face, content: bytes, sidecar: bytes | None) -> c2pa.Manifest | None:
    if not face.embeds and sidecar is None:
        return None
    manifest = c2pa.check(content, face.signed_as, sidecar)
    if sidecar is not None and (manifest is None or not manifest.label):
        raise MarkError(
            say(
                "The manifest beside the file cannot be read: {why}.",
                "文件旁的签名清单无法读取：{why}。",
                why=", ".join(manifest.problems) if manifest else "",
            ),
            hint=say("Restore it, or move it away to mark the file without it.", "请恢复该清单，或将其移开后再标识。"),
        )
    return manifest


def _original(
    face: Face, content: bytes, record: Record, manifest: c2pa.Manifest | None, sidecar: bytes | None
) -> c2pa.Original | None:
    """The file as an ingredient, when it has a manifest, or is a person's work that no other parent stands for."""
    if manifest is not None:
        found = read_record(manifest.record)[0]
        return c2pa.Original(content, face.signed_as, found.id if found else "", sidecar)
    if face.embeds and record.action == "modified" and not record.parents:
        return c2pa.Original(content, face.media_type, "")
    return None


def _incoming(marks: Marks, manifest: c2pa.Manifest | None, record: Record) -> list[dict[str, object]]:
    """The labels that a file came with, and those that it came with in its turn; none of the same work's."""
    fields = read_fields(marks.record if marks.record is not None or manifest is None else manifest.record)
    older = fields.pop("incoming", None)
    found: list[object] = []
    if fields.get("id") != record.id:
        layers = {"label": marks.label, "aigc": marks.aigc, "source": marks.source, "record": fields or marks.record}
        found.append({name: raw for name, raw in layers.items() if raw})
    found += cast("list[object]", older) if isinstance(older, list) else []
    return [cast("dict[str, object]", each) for each in found if each and isinstance(each, dict)]
