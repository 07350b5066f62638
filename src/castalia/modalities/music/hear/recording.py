"""A sound file as the pitch model reads it: one channel at 22,050 Hz, decoded block by block within limits."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from math import gcd
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import UsageError
from castalia.core.language import say

if TYPE_CHECKING:
    from soundfile import SoundFile

RATE = 22_050
"""Samples a second."""
EXTENSIONS = ("wav", "flac", "mp3", "ogg")
LONGEST = 300
"""Seconds of a recording."""
_LARGEST = 400_000_000
"""Bytes: five minutes of stereo at 192 kHz in 24 bits are 346 million."""
_RATES = (8_000, 192_000)
_MOST_CHANNELS = 8
_SHORTEST = 0.25
"""Seconds."""
_NAMELESS = re.compile(r"^Error opening <[^>]*>: ")
_BLOCK = 1 << 17
_ZEROS = 12
"""Zero crossings of the filter's kernel on each side."""
_MOST_PHASES = 2_205

Sound = NDArray[np.float32]


def read_recording(content: bytes) -> Sound:
    """A recording's samples (samples,), one channel at `RATE`, within ±1; what is no number becomes silence.

    Args:
        content: A WAV, FLAC, MP3 or Ogg file of any depth, with 1 to 8 channels at 8 to 192 kHz.

    Raises:
        UsageError: it cannot be decoded, or is too large, too long or too short.
    """
    import soundfile

    if len(content) > _LARGEST:
        raise _refused(say("{n:.0f} MB", "{n:.0f} MB", n=len(content) / 1e6))
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as sound:
            _check(sound)
            return _resampled(sound)
    except (soundfile.SoundFileError, ValueError, RuntimeError) as error:
        raise UsageError(
            say(
                "The recording cannot be decoded: {why}.",
                "无法解码录音：{why}。",
                why=_NAMELESS.sub("", str(error)).rstrip("."),
            ),
            hint=say("Save it again as WAV, FLAC, MP3 or Ogg.", "请重新存为 WAV、FLAC、MP3 或 Ogg。"),
        ) from error


def _check(sound: SoundFile) -> None:
    rate, seconds = sound.samplerate, sound.frames / max(sound.samplerate, 1)
    if not _RATES[0] <= rate <= _RATES[1]:
        raise _refused(say("{n} samples a second", "采样率 {n}", n=rate))
    if not 1 <= sound.channels <= _MOST_CHANNELS:
        raise _refused(say("{n} channels", "{n} 个声道", n=sound.channels))
    if seconds > LONGEST:
        raise _refused(say("{n:.0f} seconds", "{n:.0f} 秒", n=seconds))
    if seconds < _SHORTEST:
        raise _refused(say("{n:.3g} seconds", "{n:.3g} 秒", n=seconds))


def _refused(found: str) -> UsageError:
    return UsageError(
        say("The recording has {found}.", "录音为{found}。", found=found),
        hint=say(
            "Give at least {short} and at most {long} seconds, 8 to 192 kHz, up to 8 channels.",
            "请提供 {short} 至 {long} 秒、8–192 kHz、最多 8 声道的录音。",
            short=_SHORTEST,
            long=LONGEST,
        ),
    )


def _resampled(sound: SoundFile) -> Sound:
    """The whole recording at `RATE`, through a windowed sinc by phases, a block at a time."""
    common = gcd(RATE, sound.samplerate)
    up, down = RATE // common, sound.samplerate // common
    if up > _MOST_PHASES:  # an odd rate: the nearest ratio with few phases is off by less than a cent
        up, down = _MOST_PHASES, round(_MOST_PHASES * sound.samplerate / RATE)
    kernel, reach = _kernel(up, down)
    made: list[Sound] = []
    held = np.zeros(reach, np.float32)  # samples that the next outputs still need
    first, outputs, read = -reach, 0, 0  # sample number of held[0]; outputs so far; samples read

    def grown(until: int) -> None:
        nonlocal outputs
        while outputs < until:
            number = np.arange(outputs, min(until, outputs + 4096))
            place, phase = number * down // up, number * down % up
            windows = np.lib.stride_tricks.sliding_window_view(held, 2 * reach)[place - first - reach + 1]
            made.append(np.einsum("ij,ij->i", windows, kernel[phase]).astype(np.float32))
            outputs = int(number[-1]) + 1

    for block in _mono(sound):
        read += len(block)
        held = np.concatenate([held, block])
        grown((read - reach) * up // down)
        done = max(0, outputs * down // up - reach - first)
        held, first = held[done:], first + done
    held = np.concatenate([held, np.zeros(2 * reach + down, np.float32)])
    grown(read * up // down)
    return np.clip(np.concatenate(made), -1, 1) if made else np.zeros(0, np.float32)


def _mono(sound: SoundFile) -> Iterator[Sound]:
    """Blocks of one channel: the mean, or the first alone when the channels cancel each other."""
    alone = None
    for read in sound.blocks(_BLOCK, dtype="float32", always_2d=True):
        block: NDArray[np.float32] = np.nan_to_num(read, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
        mean = block.mean(1)
        if alone is None and block.any():
            alone = float((mean**2).mean()) < 0.1 * float((block**2).mean())
        yield (block[:, 0] if alone else mean).clip(-1, 1)


def _kernel(up: int, down: int) -> tuple[NDArray[np.float32], int]:
    """Filters by phase (up, 2 · reach): a sinc below both rates' limits under a Kaiser window."""
    cut = 0.95 * min(1.0, up / down)
    reach = int(np.ceil(_ZEROS / cut))
    at = np.arange(-reach + 1, reach + 1)[None] - (np.arange(up) / up)[:, None]
    window = np.i0(8.0 * np.sqrt(np.maximum(0, 1 - (at / reach) ** 2))) / np.i0(8.0)
    return (cut * np.sinc(cut * at) * window).astype(np.float32), reach
