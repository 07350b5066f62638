"""WAV: chunk `AIGC` (GB 45438-2025), XMP in chunk `_PMX` (XMP part 3, section 1.1.4), PCM by IBM/Microsoft 1991."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.provenance.embed import riff, xmp
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps
from castalia.provenance.embed.riff import Chunk
from castalia.provenance.tc260 import NAME

_AIGC = NAME.encode()
_XMP = b"_PMX"
_LONGEST = 100_000
"""Bytes of an `AIGC` chunk that are read."""
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """Both chunks follow the samples."""
    chunks = riff.split(content, b"WAVE")
    packet = xmp.write(riff.first(chunks, _XMP), mark, aigc=False)
    kept = [chunk for chunk in chunks if chunk.name not in (_AIGC, _XMP)]
    return riff.join([*kept, Chunk(_AIGC, mark.lines["aigc"].encode()), Chunk(_XMP, packet)], b"WAVE")


@reads
def read(content: bytes) -> Marks:
    """The chunk counts before the packet."""
    chunks = riff.split(content, b"WAVE")
    found = xmp.read(riff.first(chunks, _XMP))
    aigc = riff.first(chunks, _AIGC)
    own = None if aigc is None else aigc[:_LONGEST].decode("utf-8", "replace").strip("\0 \r\n")
    return Marks(aigc=own or found.aigc, source=found.source, record=found.record)


@dataclass(frozen=True)
class _Layout:
    kind: int
    channels: int
    rate: int
    bits: int


def samples(content: bytes) -> tuple[NDArray[np.float32], int]:
    """(samples, channels) in [-1, 1], and the rate; raises `MalformedError`."""
    chunks = riff.split(content, b"WAVE")
    layout = _layout(chunks)
    data = riff.first(chunks, b"data") or b""
    size = layout.bits // 8
    data = data[: len(data) // (size * layout.channels) * size * layout.channels]
    flat: NDArray[Any]
    if layout.kind == _FLOAT:
        flat = np.frombuffer(data, f"<f{size}")
    elif size == 1:
        flat = (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128
    elif size == 3:
        parts = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32)
        flat = (parts[:, 0] << 8 | parts[:, 1] << 16 | parts[:, 2] << 24) / 2.0**31
    else:
        flat = np.frombuffer(data, f"<i{size}") / 2.0 ** (layout.bits - 1)
    with np.errstate(over="ignore", invalid="ignore"):
        return flat.reshape(-1, layout.channels).astype(np.float32), layout.rate


def with_samples(content: bytes, new: NDArray[np.float32]) -> bytes:
    """The file with other samples (samples, channels) in its own number format; other chunks stay."""
    chunks = riff.split(content, b"WAVE")
    layout = _layout(chunks)
    data = _coded(new.reshape(-1).astype(np.float64), layout)
    length = struct.pack("<I", len(new))
    changed = {b"data": data} | ({b"fact": length} if riff.first(chunks, b"fact") is not None else {})
    return riff.join([Chunk(each.name, changed.get(each.name, each.data)) for each in chunks], b"WAVE")


def _coded(flat: NDArray[np.float64], layout: _Layout) -> bytes:
    size = layout.bits // 8
    if layout.kind == _FLOAT:
        return flat.astype(f"<f{size}").tobytes()
    whole: NDArray[Any] = np.rint(np.nan_to_num(flat) * 2.0 ** (layout.bits - 1))
    whole = np.clip(whole, -(2.0 ** (layout.bits - 1)), 2.0 ** (layout.bits - 1) - 1).astype(np.int64)
    if size == 1:
        return (whole + 128).astype(np.uint8).tobytes()
    return whole.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :size].tobytes()


def _layout(chunks: list[Chunk]) -> _Layout:
    raw = riff.first(chunks, b"fmt ")
    if raw is None or len(raw) < 16 or riff.first(chunks, b"data") is None:
        raise MalformedError("WAV without format or samples")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", raw)
    if kind == _EXTENSIBLE and len(raw) >= 26:
        kind = struct.unpack_from("<H", raw, 24)[0]
    widths = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}.get(kind, ())
    if bits not in widths or not 1 <= channels <= 64 or not 1000 <= rate <= 1_000_000:
        raise MalformedError(f"WAV samples of the kind {kind} with {bits} bits")
    return _Layout(kind, channels, rate, bits)


FACE = Face(
    extension="wav",
    media_type="audio/wav",
    kind="sound",
    read=read,
    places={"label": "rhythm short-long-short-short before the work", **xmp.PLACES, "implicit": f"chunk `{NAME}`"},
    begins=lambda content: riff.begins(content, b"WAVE"),
    stamp=stamp,
    label="heard",
    embeds=True,
    other_names=("wave",),
)
