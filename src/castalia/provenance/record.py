"""The one record that every mark carries or points to, and the fingerprint by which a text is found again."""

from __future__ import annotations

import hashlib
import json
import unicodedata
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, cast

from pydantic import ValidationError

import castalia
from castalia.core.values import Evidence, Language, Record

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC digital source type of a work that a model made."""
MODIFIED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC digital source type of a person's work that a model changed."""
WATERMARK_FROM = 200
"""Sampled tokens from which a text has to carry a watermark (EU Code of Practice, June 2026)."""

_LEFT_OUT = "left out: an editor takes responsibility"
_INVISIBLE: dict[int, int | str | None] = dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))


def text_sha256(text: str) -> str:
    """The fingerprint of a text: SHA-256 of its NFC form without white space and invisible characters.

    Re-wrapping, indenting and copying through a web page leave it as it is, in scripts with and without spaces.
    """
    folded = "".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())
    return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()


def _shown_digest(digest: str) -> str:
    """A digest as the world may see it: of an endpoint the model alone, since its address may be an inner host's."""
    return f"endpoint#{digest.partition('#')[2]}" if digest.startswith(("http://", "https://")) else digest


def make_record(
    evidence: Evidence,
    *,
    genre: str,
    provider: str,
    action: Literal["generated", "modified"] = "generated",
    language: Language = "en",
    parents: Sequence[str] = (),
    text: str = "",
    id_: str = "",
) -> Record:
    """The record of a work. The brief's words and the user are not in it.

    Args:
        evidence: The model that made it, and the watermark as verified; in pixels and samples `mark_file` looks itself.
        genre: Kind of work.
        provider: Who runs this studio.
        action: Whether a model made the work or changed a person's.
        language: Language of the visible label.
        parents: Ids of works that it is made from.
        text: The work's words, where it has some, so that it is found by them.
        id_: A UUID; empty draws one.
    """
    return Record(
        id=id_ or str(uuid.uuid4()),
        action=action,
        provider=provider,
        version=castalia.__version__,
        model=evidence.model,
        model_digest=_shown_digest(evidence.digest),
        created=datetime.now(UTC).replace(microsecond=0),
        digital_source_type=GENERATED if action == "generated" else MODIFIED,
        watermark=evidence.watermark,
        watermark_reason=evidence.watermark_reason,
        parents=tuple(dict.fromkeys(parents)),
        genre=genre,
        language=language,
        text_sha256=text_sha256(text) if text else "",
    )


def payload_of(record_id: str) -> bytes:
    """The watermark's 48 bits for a work: the first of the SHA-256 of its id; a library finds the work by them."""
    return hashlib.sha256(record_id.encode()).digest()[:6]


def watermark_payload(record: Record) -> bytes:
    """The 48 bits that pixels or samples of the record's file carry."""
    return bytes.fromhex(record.watermark_payload) or payload_of(record.id)


def machine_record(record: Record, label: str, shown_sha256: str = "") -> dict[str, Any]:
    """The object that travels in a sibling field `castalia`: the record, and the visible label or why it is left out.

    Args:
        record: The record.
        label: The visible label; empty when an editor took responsibility for leaving it out.
        shown_sha256: Fingerprint of the text as the file shows it, where markup makes it another than the record's.
    """
    side = {"visible_label": label or _LEFT_OUT}
    if shown_sha256 not in ("", record.text_sha256):
        side["shown_sha256"] = shown_sha256
    return record.model_dump(mode="json") | side


def stated_label(raw: object) -> tuple[str, bool]:
    """(the visible label that a `castalia` field names, whether it says that an editor left it out)."""
    stated = read_fields(raw).get("visible_label")
    return ("", True) if stated == _LEFT_OUT else (stated[:40] if isinstance(stated, str) else "", False)


def fingerprints(raw: object) -> frozenset[str]:
    """The fingerprints that a text may have by its `castalia` field: the record's, and that of the text as shown."""
    fields = read_fields(raw)
    return frozenset(str(fields[name]) for name in ("text_sha256", "shown_sha256") if name in fields)


def read_fields(raw: object) -> dict[str, object]:
    """The fields of a `castalia` object, unjudged; none where it is no object."""
    try:
        found: object = json.loads(raw) if isinstance(raw, str) else raw
    except (ValueError, RecursionError):
        return {}
    return {**cast("dict[str, object]", found)} if isinstance(found, dict) else {}


def read_record(raw: object) -> tuple[Record | None, str]:
    """A record from JSON text or a parsed object: (the record, "") or (None, what is wrong with it)."""
    try:
        found: object = json.loads(raw) if isinstance(raw, str) else raw
        if not isinstance(found, dict):
            return None, "not an object"
        fields = cast("dict[str, object]", found)
        known = {key: value for key, value in fields.items() if key in Record.model_fields}
        return Record.model_validate(known), ""
    except ValidationError as error:
        first = error.errors()[0]
        return None, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    except (ValueError, RecursionError) as error:
        return None, f"not JSON ({type(error).__name__})"
