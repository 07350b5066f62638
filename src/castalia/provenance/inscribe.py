"""What goes into pixels and samples before all else: the visible label and the watermark.

A watermark is plugged in at `PICTURES` and `SOUNDS` and nowhere else: marking, reading back and `verify` follow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Protocol

from castalia.core.errors import CastaliaError, MarkError
from castalia.core.language import say
from castalia.core.values import Record
from castalia.provenance import pictures, sounds
from castalia.provenance.embed.face import Face, MalformedError
from castalia.provenance.record import payload_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SECRET = hashlib.sha256(b"Castalia media watermark, published key 1").digest()
"""Known to everybody, so that anybody can tell that a picture or a sound is marked. It proves presence, not origin."""
ALARM = 1e-6
"""Chance at which unmarked material is called marked."""
SMALL = 128
"""Pixels of a picture's shorter side from which a watermark has to hold; a smaller one may do without, and says so."""
KEPT = 1e-15
"""Chance to which a mark must come down that stays as it is; a weaker one would not survive, and is written over."""


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
    """A watermark of pictures under one key."""

    label: str
    """`<scheme>:<key id>`, as a record names it."""

    def embed(self, pixels: NDArray[np.uint8], payload: bytes) -> NDArray[np.uint8]:
        """The same picture (height, width, 3) with six bytes in it; raises `MarkError` where it holds none."""
        ...

    def detect(self, pixels: NDArray[np.uint8]) -> Detection:
        """Look for the mark."""
        ...


class SampleWatermark(Protocol):
    """A watermark of sounds under one key."""

    label: str
    """Likewise."""

    def embed(self, samples: NDArray[np.float32], rate: int, payload: bytes) -> NDArray[np.float32]:
        """The same sound (samples, channels) with six bytes in it; raises `MarkError` where it holds none."""
        ...

    def detect(self, samples: NDArray[np.float32], rate: int) -> Detection:
        """Look for the mark."""
        ...


def _tiles(secret: bytes) -> PixelWatermark:
    from castalia.provenance.watermarks.image import ImageWatermark

    return ImageWatermark(secret)


def _cells(secret: bytes) -> SampleWatermark:
    from castalia.provenance.watermarks.audio import AudioWatermark

    return AudioWatermark(secret)


PICTURES: Callable[[bytes], PixelWatermark] = _tiles
"""Makes the watermark of pictures for a key."""
SOUNDS: Callable[[bytes], SampleWatermark] = _cells
"""The same of sounds."""


@dataclass(frozen=True)
class Inscribed:
    """A file whose pixels or samples carry what they are to carry."""

    content: bytes
    record: Record


@dataclass
class _Change:
    """What is done to pixels or samples, label first; `refused` says why a watermark was left out.

    A watermark that is there already stays, and the record names its payload: a second would have to drown the first
    out, and the mark of an incoming file is not to be stripped.
    """

    label: str
    payload: bytes
    refused: list[str] = field(default_factory=list[str])
    marked: tuple[NDArray[np.float32], int] | None = None
    """Samples with the watermark and their rate, before they are encoded."""
    shorter: int = SMALL
    """Pixels of the picture's shorter side."""

    def pixels(self, seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self.shorter = min(seen.shape[:2])
        labelled = seen
        if self.label and pictures.drawn_label(seen) != self.label:
            labelled = pictures.draw_label(seen, self.label)
        watermark = _of_pictures(PICTURES)
        if self.refused or self._keeps(watermark.detect(labelled)):
            return labelled
        try:
            return watermark.embed(labelled, self.payload)
        except CastaliaError as error:
            self.refused.append(error.message)
            return labelled

    def samples(self, heard: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
        labelled = sounds.announced(heard, rate) if self.label and not sounds.is_announced(heard, rate) else heard
        watermark = _of_sounds(SOUNDS)
        if self.refused or self._keeps(watermark.detect(labelled, rate)):
            return labelled
        try:
            self.marked = watermark.embed(labelled, rate, self.payload), rate
            return self.marked[0]
        except CastaliaError as error:
            self.refused.append(error.message)
            return labelled

    def excuse(self) -> str:
        """Why the mark cannot be found in this picture or sound however it is coded; empty where it could."""
        if self.shorter < SMALL:
            return f"a picture of {self.shorter} pixels a side is too small for a watermark"
        if self.marked is not None and _of_sounds(SOUNDS).detect(*self.marked).payload != self.payload:
            return "too plain a sound for a watermark"  # tones and beeps hide none, even before they are encoded
        return ""

    def _keeps(self, found: Detection) -> bool:
        if found.payload is None or found.p_value > KEPT:
            return False
        self.payload = found.payload
        return True


def inscribe(content: bytes, face: Face, record: Record, *, label: str) -> Inscribed:
    """Put the visible label, then the watermark, into pixels or samples, and look whether the detector finds it.

    A sound that is coded already is left as it is, and so is what its record says of a watermark: whoever encodes it
    embeds before and looks after.

    Args:
        content: The file.
        face: Its format.
        record: What the watermark points to.
        label: The visible label; empty draws none.

    Raises:
        MalformedError: the pixels or samples cannot be changed.
        MarkError: the detector does not find the watermark after the file was written.
    """
    if face.label == "written":
        return Inscribed(content, _without(record, "a format without pixels or samples"))
    name = ""
    if face.label == "drawn":
        name = _of_pictures(PICTURES).label
    elif sounds.changeable(face):
        name = _of_sounds(SOUNDS).label
    if not label and not name:
        return Inscribed(content, _without(record, "no watermark is installed for this kind of file"))
    change = _Change(label, payload_of(record.id))
    try:
        marked = _changed(content, face, change)
    except MalformedError as error:
        if label:
            raise
        return Inscribed(content, _without(record, str(error)))
    if not name or change.refused:
        reason = next(iter(change.refused), "no watermark is installed for this kind of file")
        return Inscribed(marked, _without(record, reason))
    found = _found(marked, face)
    if face.label == "drawn" and not _holds(found, change):
        # A small picture at the loudest just holds or just does not, by its payload; over what was kept it holds.
        marked = pictures.changed(marked, face, change.pixels)
        found = _found(marked, face)
    if not _holds(found, change):
        if reason := change.excuse():
            bare = _Change(label, change.payload, [reason])
            made = _changed(content, face, bare)
            return Inscribed(made, _without(record, reason))
        raise MarkError(
            say(
                "The watermark does not survive the format {face}.",
                "水印在 {face} 格式中无法保留。",
                face=face.extension,
            ),
            hint=say("Use a format without loss, or a higher quality.", "请使用无损格式或更高的质量。"),
        )
    other = change.payload.hex() if change.payload != payload_of(record.id) else ""
    named = record.model_copy(update={"watermark": name, "watermark_reason": "", "watermark_payload": other})
    return Inscribed(marked, named)


def _changed(content: bytes, face: Face, change: _Change) -> bytes:
    if face.label == "drawn":
        return pictures.changed(content, face, change.pixels)
    return sounds.changed(content, face, change.samples)


def _found(content: bytes, face: Face) -> Detection | None:
    senses = sense(content, face)
    return senses.watermark if senses else None


def _holds(found: Detection | None, change: _Change) -> bool:
    return found is not None and found.payload == change.payload and found.p_value <= ALARM


@dataclass(frozen=True)
class Senses:
    """What is seen or heard in a file."""

    label: str
    """The visible label that is drawn, or `HEARD` for the rhythm; empty where neither is found."""
    watermark: Detection | None
    """None where there is no detector."""


HEARD = "short-long-short-short"
"""Stands for the label of a sound."""


def sense(content: bytes, face: Face) -> Senses | None:
    """Look for label and watermark in pixels or samples; None where there is nothing to look at."""
    try:
        if face.label == "drawn":
            seen = pictures.pixels(content)
            return Senses(pictures.drawn_label(seen), _of_pictures(PICTURES).detect(seen))
        if sounds.changeable(face):
            heard, rate = sounds.samples(content, face)
            label = HEARD if sounds.is_announced(heard, rate) else ""
            return Senses(label, _of_sounds(SOUNDS).detect(heard, rate))
    except (ValueError, OSError, CastaliaError):  # damaged pixels or samples
        return None
    return None


@cache
def _of_pictures(make: Callable[[bytes], PixelWatermark]) -> PixelWatermark:
    return make(SECRET)


@cache
def _of_sounds(make: Callable[[bytes], SampleWatermark]) -> SampleWatermark:
    return make(SECRET)


def _without(record: Record, reason: str) -> Record:
    if record.watermark != "none":
        return record
    return record.model_copy(update={"watermark_reason": record.watermark_reason or reason})
