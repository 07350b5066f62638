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


ALARM = 0.01
"""Chance at which a text without the mark is called marked, over all keys that are tried."""
ENOUGH = 100
"""Pairs below which finding nothing says nothing."""


@dataclass(frozen=True)
class Found:
    """The likeliest watermark of a text."""

    state: Literal["present", "absent", "can't tell"]
    """`can't tell`: nothing was found, and the text is too short for that to mean anything."""
    label: str
    """`<scheme>:<key id>` of the likeliest key."""
    p_value: float
    """Chance that a text without the mark looks like this under any of the keys."""


def detect_any(text: str, keys: Sequence[WatermarkKey]) -> Found:
    """Look for the mark of each key; the chance of a false alarm is shared among them, so more keys raise no more.

    Args:
        text: The bare text.
        keys: At least one.
    """
    from castalia.provenance.watermarks.text import detect

    found, key = min(((detect(text, key.secret), key) for key in keys), key=lambda pair: pair[0].p_value)
    p_value = min(1.0, found.p_value * len(keys))
    state = "present" if p_value < ALARM else "absent" if found.pairs >= ENOUGH else "can't tell"
    return Found(state, key.label, p_value)
