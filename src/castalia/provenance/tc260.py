"""China's implicit label (GB 45438-2025): one JSON object of seven strings. Its layout lives here and nowhere else.

Sources conflict on whether the propagator's fields may be empty and on an outer `{"AIGC": …}`; written here are
the bare seven keys with the propagator's fields empty, and both layouts are read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from castalia.core.values import Record

FIELDS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)
"""In the standard's order."""
LABELS = {"1": "is generated", "2": "may be generated", "3": "is suspected to be generated"}
NAME = "AIGC"
"""The key, tag or property under which a file format carries the object."""
_BINDING = "sha256:"
"""`ReservedCode1` is the producer's own field: it ties the label to the text, if there is one, by its fingerprint."""


def make_aigc(record: Record) -> dict[str, str]:
    """The object for a record, in the standard's order."""
    bound = _BINDING + record.text_sha256 if record.text_sha256 else ""
    values = ("1", record.provider, record.id, bound, "", "", "")
    return dict(zip(FIELDS, values, strict=True))


def write_aigc(aigc: Mapping[str, str]) -> str:
    """The object as one line of JSON (not Base64)."""
    return json.dumps(aigc, ensure_ascii=False)


def read_aigc(raw: str) -> tuple[dict[str, str] | None, str]:
    """An object from JSON text: (its fields, "") or (None, what is wrong with it)."""
    try:
        found: object = json.loads(raw)
    except (ValueError, RecursionError):
        return None, "not JSON"
    if not isinstance(found, dict):
        return None, "not an object"
    fields = cast("dict[str, object]", found)
    if isinstance(inner := fields.get(NAME), dict):
        fields = cast("dict[str, object]", inner)
    for name in FIELDS:
        if not isinstance(fields.get(name), str):
            return None, f"{name} is missing or not a string"
    if fields["Label"] not in LABELS:
        return None, f"Label is {str(fields['Label'])[:20]!r}, not 1, 2 or 3"
    return {name: str(fields[name]) for name in FIELDS}, ""


def bound_text(aigc: Mapping[str, str]) -> str:
    """The text fingerprint that the producer put into the object; empty when there is none."""
    code = aigc["ReservedCode1"]
    return code.removeprefix(_BINDING) if code.startswith(_BINDING) else ""
