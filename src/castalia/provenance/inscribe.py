"""What goes into pixels and samples before all else: the visible label and the watermark. The one place for both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from castalia.core.errors import MarkError
from castalia.core.language import say
from castalia.core.values import Record
from castalia.provenance import pictures, sounds
from castalia.provenance.embed.face import Face
from castalia.provenance.record import payload_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SECRET = hashlib.sha256(b"Castalia media watermark, published key 1").digest()
"""Known to everybody, so that anybody can tell that a picture or a sound is marked. It proves presence, not origin."""
ALARM = 1e-6
"""Chance at which unmarked material is called marked."""


class Detection(Protocol):
    """What a detector says of pixels or samples."""

    @property
    def payload(self) -> bytes | None:
        """The 48 bits, or None when they were not read."""
        ...

    @property
    def p_value(self) -> float:
        """Chance that unmarked material looks like this."""
        ...


class PixelWatermark(Protocol):
    """A watermark of pictures."""

    def embed(self, pixels: NDArray[np.uint8], payload: bytes) -> NDArray[np.uint8]:
        """The same picture (height, width, 3) with six bytes in it."""
        ...

    def detect(self, pixels: NDArray[np.uint8]) -> Detection:
        """Look for the mark."""
        ...


class SampleWatermark(Protocol):
    """A watermark of sounds."""

    def embed(self, samples: NDArray[np.float32], rate: int, payload: bytes) -> NDArray[np.float32]:
        """The same sound (samples, channels) with six bytes in it."""
        ...

    def detect(self, samples: NDArray[np.float32], rate: int) -> Detection:
        """Look for the mark."""
        ...


PICTURES: tuple[str, Callable[[bytes], PixelWatermark]] | None = None
"""(scheme, maker) of the watermark of pictures; None until one is chosen."""
SOUNDS: tuple[str, Callable[[bytes], SampleWatermark]] | None = None
"""The same of sounds."""


@dataclass(frozen=True)
class Inscribed:
    """A file whose pixels or samples carry what they are to carry."""

    content: bytes
    record: Record
    label: str
    """The visible label as it was drawn; empty when none was."""


def inscribe(content: bytes, face: Face, record: Record, *, label: str) -> Inscribed:
    """Put the visible label, then the watermark, into pixels or samples, and look whether the detector finds it.

    Args:
        content: The file.
        face: Its format.
        record: What the watermark points to.
        label: The visible label; empty draws none.

    Raises:
        MalformedError: the pixels or samples cannot be changed.
        MarkError: the detector does not find the watermark.
    """
    if face.label == "drawn":
        scheme, change, shown = _on_pixels(record, label)
        marked = pictures.changed(content, face, change) if label or scheme else content
    elif face.label == "heard":
        scheme, change, shown = _on_samples(record, label)
        marked = sounds.changed(content, face, change) if label or scheme else content
    else:
        return Inscribed(content, _without(record, "a format without pixels or samples"), "")
    if not scheme:
        return Inscribed(marked, _without(record, "no watermark is installed for this kind of file"), shown)
    name = f"{scheme}:{hashlib.sha256(SECRET).hexdigest()[:8]}"
    found = detect(marked, face)
    if found is None or found.payload != payload_of(record.id) or found.p_value > ALARM:
        raise MarkError(say("The watermark does not read back.", "水印回读不一致。"))
    return Inscribed(marked, record.model_copy(update={"watermark": name, "watermark_reason": ""}), shown)


def detect(content: bytes, face: Face) -> Detection | None:
    """What the detector of a format says of a file; None where there is none, or nothing to look at."""
    try:
        if face.label == "drawn" and PICTURES is not None:
            return PICTURES[1](SECRET).detect(pictures.pixels(content))
        if face.label == "heard" and SOUNDS is not None:
            return SOUNDS[1](SECRET).detect(*sounds.samples(content, face))
    except (ValueError, OSError):  # damaged pixels or samples
        return None
    return None


def _on_pixels(record: Record, label: str) -> tuple[str, pictures.Change, str]:
    shown = pictures.drawable(label)
    scheme, make = PICTURES or ("", None)

    def change(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if shown:
            pixels = pictures.draw_label(pixels, shown)
        return make(SECRET).embed(pixels, payload_of(record.id)) if make else pixels

    return scheme, change, shown


def _on_samples(record: Record, label: str) -> tuple[str, sounds.Change, str]:
    scheme, make = SOUNDS or ("", None)

    def change(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
        if label:
            samples = sounds.announced(samples, rate)
        return make(SECRET).embed(samples, rate, payload_of(record.id)) if make else samples

    return scheme, change, label


def _without(record: Record, reason: str) -> Record:
    return record.model_copy(update={"watermark": "none", "watermark_reason": record.watermark_reason or reason})
