"""Samples of a sound file: read within limits, changed, and written again; and the label that is heard.

GB 45438-2025 asks for a spoken notice or the rhythm short-long-short-short at the beginning of a sound.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from castalia.provenance import aac
from castalia.provenance.embed.face import Face, MalformedError

if TYPE_CHECKING:
    from soundfile import SoundFile

Change = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
"""Samples (samples, channels) in [-1, 1] and their rate → the same changed."""
MOST_SAMPLES = 64_000_000
"""Of all channels together, that are taken into memory: 12 minutes of stereo at 44.1 kHz."""
SEARCHED = 600.0
"""Seconds from the beginning in which a watermark is looked for."""
_MOST_CHANNELS = 16
_UNIT = 0.09
"""Seconds of a short tone and of a gap; a long tone has three."""
_TONE = 880.0
_LOUD = 0.25
_ALIKE = 0.85
"""Correlation from which an envelope is the rhythm's; noise, music and steady beats stay below .4."""
_PAUSE = 0.4
"""Seconds of silence before the work begins."""


def rhythm(rate: int, channels: int) -> NDArray[np.float32]:
    """The audible label, short-long-short-short, with its pause (samples, channels).

    Args:
        rate: Samples a second.
        channels: How many channels sound alike.
    """
    pieces: list[NDArray[np.float64]] = []
    for units in (1, 3, 1, 1):
        time = np.arange(int(units * _UNIT * rate)) / rate
        edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.006)  # no click
        pieces += [_LOUD * edge * np.sin(2 * np.pi * _TONE * time), np.zeros(int(_UNIT * rate))]
    mono = np.concatenate([*pieces, np.zeros(int(_PAUSE * rate))]).astype(np.float32)
    return np.repeat(mono[:, None], channels, axis=1)


def announced(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """A sound (samples, channels) with the audible label before it."""
    return np.concatenate([rhythm(rate, samples.shape[1]), samples])


def is_announced(samples: NDArray[np.float32], rate: int) -> bool:
    """Whether a sound (samples, channels) begins with the audible label."""
    return announcement(samples, rate) > 0


def announcement(samples: NDArray[np.float32], rate: int) -> float:
    """Where the audible label with which a sound (samples, channels) begins ends, seconds; 0 where there is none.

    It is known by its envelope, which is the rhythm's own. The first three seconds are searched, so that a little
    silence in front, a codec or another rate hide nothing.
    """
    mono = samples[: 3 * rate].mean(axis=1)
    step = max(1, rate // 100)  # 10 ms
    time = np.arange(len(mono)) / rate
    wave = mono * np.exp(-2j * np.pi * _TONE * time)
    count = len(mono) // step
    found = np.abs(wave[: count * step].reshape(count, step).mean(axis=1))
    label = rhythm(rate, 1)[: int((12 * _UNIT) * rate), 0]
    lit = np.abs(label[: len(label) // step * step].reshape(-1, step)).max(axis=1) > _LOUD / 2
    if count < len(lit):
        return 0.0
    wanted = (lit - lit.mean()) / lit.std()
    windows = np.lib.stride_tricks.sliding_window_view(found, len(lit))
    spread = windows.std(axis=1)
    match = (windows - windows.mean(axis=1, keepdims=True)) @ wanted / (len(lit) * np.maximum(spread, 1e-6))
    best = int(match.argmax())
    return (best + len(lit)) * step / rate if match[best] > _ALIKE else 0.0


def changeable(face: Face) -> bool:
    """Whether the samples of a format are read and changed here; those of an M4A file are where there is an ffmpeg."""
    return face.label == "heard" and face.graft is not None and (not face.by_ffmpeg or aac.available())


def samples(content: bytes, face: Face) -> tuple[NDArray[np.float32], int]:
    """The first `SEARCHED` seconds of a file's samples (samples, channels), clipped to [-1, 1], and their rate.

    Raises:
        MalformedError: it is coded in a way that is not decoded here.
    """
    with _opened(content, face) as sound:
        return _read(sound, int(SEARCHED * sound.samplerate)), sound.samplerate


def changed(content: bytes, face: Face, change: Change) -> bytes:
    """The file with its samples changed, coded as before; tags and all else that it holds are kept.

    An MP3 or M4A is encoded anew at its own constant bit rate, or the mean of its varying one.

    Raises:
        MalformedError: likewise, or it has more than `MOST_SAMPLES`.
    """
    import soundfile

    with _opened(content, face) as sound:
        if sound.frames * sound.channels > MOST_SAMPLES:
            raise MalformedError(f"a sound of {sound.frames * sound.channels} samples, more than {MOST_SAMPLES}")
        new = change(before := _read(sound, sound.frames), sound.samplerate)
        if new is before:
            return content
        bits = len(content) * 8 * sound.samplerate / sound.frames
        coded: dict[str, Any] = {"format": sound.format, "subtype": sound.subtype, "endian": sound.endian}
        if sound.format == "MP3":
            coded |= {
                "bitrate_mode": "CONSTANT",
                "compression_level": _level(bits, sound),
            }
        stream = io.BytesIO()
        try:
            soundfile.write(stream, new, sound.samplerate, **coded)
        except (soundfile.SoundFileError, ValueError) as error:
            raise MalformedError(f"a sound that cannot be encoded again ({error})") from error
    assert face.graft
    new_file = stream.getvalue()
    return face.graft(content, aac.encoded(new_file, bits) if face.by_ffmpeg else new_file)


def _opened(content: bytes, face: Face) -> SoundFile:
    import soundfile

    if not changeable(face):
        raise MalformedError(
            f"the samples of a .{face.extension} file are not changed after encoding; "
            + ("install ffmpeg, " if face.by_ffmpeg else "")
            + "mark it as WAV, FLAC or MP3, or put a label in before and say --labelled"
        )
    content = aac.decoded(content) if face.by_ffmpeg else content
    try:
        sound = soundfile.SoundFile(io.BytesIO(content))
    except (soundfile.SoundFileError, ValueError) as error:
        raise MalformedError(f"a sound that cannot be decoded ({error})") from error
    if not 1 <= sound.channels <= _MOST_CHANNELS or not 1000 <= sound.samplerate <= 400_000 or not sound.frames:
        raise MalformedError(f"a sound of {sound.channels} channels, {sound.frames} samples at {sound.samplerate} Hz")
    return sound


def _read(sound: SoundFile, most: int) -> NDArray[np.float32]:
    """The first samples, so many of a channel at most."""
    import soundfile

    try:
        found = sound.read(min(most, MOST_SAMPLES // sound.channels), dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, ValueError) as error:
        raise MalformedError(f"a sound that cannot be decoded ({error})") from error
    return np.clip(np.nan_to_num(found), -1, 1).astype(np.float32)


def _level(bits: float, sound: SoundFile) -> float:
    """Compression level of libsndfile for so many bits a second: 0 is the most that the rate allows, 1 the least."""
    most, least = (320_000, 32_000) if sound.samplerate >= 32_000 else (160_000, 8_000)
    return min(0.99, max(0.0, (most - bits) / (most - least)))
