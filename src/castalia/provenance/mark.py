"""Mark a judged draft: record, labels, signature; and a finished work again, in another format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from castalia.core.config import Config
from castalia.core.errors import MarkError, UsageError
from castalia.core.language import say
from castalia.core.values import Content, Evidence, Judged, Marked, MarkedFile, Record, Work
from castalia.provenance.embed import FACES, Face, Stamp, find_format
from castalia.provenance.files import mark_file
from castalia.provenance.finish import finish
from castalia.provenance.keys import Keys
from castalia.provenance.label import label_for
from castalia.provenance.record import WATERMARK_FROM, make_record, text_sha256
from castalia.provenance.watermark import PUBLISHED, detect_any

DESCRIBED = "a description in words; the pixels of the picture carry the watermark"
"""Why a picture's text has none."""


def mark(
    judged: Judged,
    *,
    keys: Keys,
    config: Config,
    faces: Sequence[str] = ("txt",),
    action: Literal["generated", "modified"] = "generated",
    parents: Sequence[str] = (),
    made: Mapping[str, bytes] | None = None,
    id_: str = "",
) -> Marked:
    """Put every mark on a draft that passed its checks, and read each of them back.

    Args:
        judged: The draft; its evidence names the watermark that was written while sampling.
        keys: The studio's keys.
        config: `provider`, `accept_marking_responsibility`, `timestamp_url` and `offline` are read.
        faces: File formats to make beside `txt`, by extension.
        action: Whether a model made the work or changed a person's.
        parents: Ids of works that it is made from, beside those that its brief names.
        made: Files of the work that its own room made, by extension; of the other faces the text is written.
        id_: Of the work, a UUID; empty draws one.

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
    made = made or {}
    texts = [find_face(name) for name in dict.fromkeys(("txt", *faces)) if name not in made]
    content = judged.draft.content
    watermark, reason = _verified_watermark(content.text, judged.draft.evidence, keys)
    brief, evidence = judged.draft.brief, judged.draft.evidence
    picture = content.picture is not None
    record = make_record(
        evidence.model_copy(update={"watermark": watermark, "watermark_reason": reason}),
        genre=brief.genre,
        provider=config.provider or keys.studio_name,
        action=action,
        language=content.language,
        parents=(*brief.parents, *parents),
        text="" if picture else content.text,  # many pictures may be described alike
        id_=id_,
    )
    told = _undecided(record, DESCRIBED) if picture else record
    files = [_file(content, told, face, keys=keys, config=config) for face in texts]
    own = _undecided(record) if picture else record
    drawn = [mark_file(each, extension=face, record=own, keys=keys, config=config) for face, each in made.items()]
    if picture and drawn:  # whether pixels hold a mark is known when they carry it
        record = next((each.record for each in drawn if each.payload), drawn[0].record)
        found = {"watermark": record.watermark, "watermark_reason": record.watermark_reason}
        draft = judged.draft.model_copy(update={"evidence": evidence.model_copy(update=found)})
        judged = judged.model_copy(update={"draft": draft})
    return Marked(judged=judged, record=record, files=(*files, *drawn))


def export(work: Work, face: str, *, keys: Keys, config: Config, made: bytes | None = None) -> MarkedFile:
    """A file of a finished work: the same record, labels and content, with a fresh signature.

    Args:
        work: The work.
        face: The format, by extension.
        keys: The studio's keys.
        config: As in `mark`.
        made: The file, where the work's own room made it; None writes its text.

    Raises:
        UsageError: the face is unknown.
        MarkError: a mark does not read back.
        OfflineError: a time stamp is asked for, and the network is switched off.
    """
    record = work.record
    if work.content.picture is not None:
        record = _undecided(record) if made is not None else _undecided(record, DESCRIBED)
    if made is not None:
        return mark_file(made, extension=face, record=record, keys=keys, config=config)
    return _file(work.content, record, find_face(face), keys=keys, config=config)


def find_face(name: str) -> Face:
    """The format of that name in which a text is delivered.

    Raises:
        UsageError: there is none.
    """
    face = find_format(name)
    if face is None or face.render is None:
        raise _no_format(name)
    return face


def _undecided(record: Record, reason: str = "") -> Record:
    """The record without a word about a watermark, or with the reason why there is none."""
    return record.model_copy(update={"watermark": "none", "watermark_reason": reason, "watermark_payload": ""})


def _no_format(name: str) -> UsageError:
    return UsageError(
        say("There is no format {name!r}.", "没有格式 {name!r}。", name=name),
        hint=say("Use one of: {faces}.", "可用：{faces}。", faces=", ".join(FACES)),
    )


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
    if face.render is None:
        raise _no_format(face.extension)
    label = "" if config.accept_marking_responsibility else label_for(record)
    stamp = Stamp(record, label, text_sha256(face.shown(content)))
    return finish(face, face.render(content, stamp), stamp, keys=keys, config=config)
