"""Which keys a text watermark may have, and whether a text carries one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal


@dataclass(frozen=True)
class WatermarkKey:
    """A key of the text watermark."""

    secret: bytes
    """32 bytes."""

    @cached_property
    def label(self) -> str:
        """`<scheme>:<key id>`, as evidence and record name it."""
        from castalia.provenance.watermarks.text import TextWatermark

        return TextWatermark(self.secret, 1.0).label


PUBLISHED = WatermarkKey(hashlib.sha256(b"Castalia text watermark, published key 1").digest())
"""Known to everybody: whoever has Castalia can tell that a text carries the mark. It proves presence, not origin."""


@dataclass(frozen=True)
class Found:
    """The likeliest watermark of a text."""

    state: Literal["present", "absent", "can't tell"]
    """`present`, `absent` or `can't tell` (too little text)."""
    label: str
    p_value: float
    """Chance that a text without the mark looks like this, over all keys that were tried."""
    words: int
    """How many places of the text could carry the mark."""


LEVEL = 0.01
"""False-positive rate at which a text is said to carry the mark."""

FEWEST = 40
"""Pairs below which an absent mark cannot be told from one that had too little room."""


def detect_any(text: str, keys: Sequence[WatermarkKey]) -> Found:
    """Look for the mark of each key; the threshold is shared among them, so that more keys raise no more alarms."""
    from castalia.provenance.watermarks.text import detect

    seen = [(detect(text, key.secret), key) for key in keys]
    if not seen:
        return Found("can't tell", "", 1.0, 0)
    best, key = min(seen, key=lambda each: each[0].p_value)
    p_value = min(1.0, best.p_value * len(keys))
    if p_value <= LEVEL:
        return Found("present", key.label, p_value, best.pairs)
    return Found("absent" if best.pairs >= FEWEST else "can't tell", "", p_value, best.pairs)
