"""Score → sound, played by a soundfont."""

from __future__ import annotations

import io
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import EngineError, UsageError
from castalia.core.language import say
from castalia.core.score import Score
from castalia.modalities.music.files.loudness import normalise
from castalia.modalities.music.files.perform import Sounding, perform
from castalia.modalities.music.files.room import in_hall

RATE = 44_100
"""Samples a second."""
LONGEST = 20 * 60
"""Seconds of sound; each takes 350 KB of memory."""
SOUNDS = ("wav", "flac", "mp3")
"""Extensions that `encode_sound` writes."""
_TAIL = 1.5
"""Seconds that the last notes may die away."""
_FADE = 0.4
"""Seconds at the end of the tail in which it is faded out."""
_LEAD = 0.05
"""Seconds of silence that are left at the beginning."""
_QUIET = 10 ** (-66 / 20)
"""Level below which it is silence, of the highest."""
_CLOCK = 9_600
"""Ticks a second, for the synthesiser."""
_SPREAD = 0.35
"""By how much the outer parts are softer on the far side."""
_FORMATS = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_16"), "mp3": ("MP3", "MPEG_LAYER_III")}


def render_sound(score: Score, soundfont: Path, *, rate: int = RATE) -> NDArray[np.float32]:
    """The score played in a small hall, at -18 LUFS, with a true peak below -1 dBFS.

    Args:
        score: What is played.
        soundfont: An SF2 or SF3 file.
        rate: Samples a second, 8,000 to 96,000.

    Returns:
        (samples, 2), within ±1.

    Raises:
        UsageError: the score has no notes, or lasts longer than `LONGEST`.
        EngineError: the soundfont cannot be loaded.
    """
    if not any(part.notes for part in score.parts):
        raise UsageError(
            say("There is nothing to play: the score has no notes.", "没有可演奏的内容：乐谱中没有音符。"),
            hint=say("Give a score with notes.", "请提供含有音符的乐谱。"),
        )
    if score.seconds > LONGEST:
        raise UsageError(
            say("The piece lasts {length:.0f} minutes; sound is made for at most {most:.0f}.",
                "乐曲长 {length:.0f} 分钟；最多可生成 {most:.0f} 分钟的声音。",
                length=score.seconds / 60, most=LONGEST / 60),
            hint=say("Save it as MIDI (.mid), or cut it.", "请另存为 MIDI（.mid）或将其截短。"),
        )  # fmt: skip
    notes = perform(score)
    dry = _played(score, notes, soundfont, rate)
    return normalise(_trimmed(in_hall(dry, rate), rate), rate)


def encode_sound(samples: NDArray[np.float32], rate: int, extension: str) -> bytes:
    """The sound as a file.

    Args:
        samples: (samples, channels), within ±1.
        rate: Samples a second.
        extension: One of `SOUNDS`, with or without a dot.

    Raises:
        UsageError: another extension.
    """
    import soundfile

    kind = extension.lower().lstrip(".")
    if kind not in _FORMATS:
        raise UsageError(
            say("Sound is not written as .{kind}.", "声音不能保存为 .{kind}。", kind=kind),
            hint=say("Choose one of {known}.", "请选择：{known}。", known=", ".join(SOUNDS)),
        )
    form, coding = _FORMATS[kind]
    made = io.BytesIO()
    options: Any = {"bitrate_mode": "VARIABLE", "compression_level": 0.2} if kind == "mp3" else {}
    with soundfile.SoundFile(
        made, "w", samplerate=rate, channels=samples.shape[1], format=form, subtype=coding, **options
    ) as file:
        for start in range(0, len(samples), 1 << 16):  # in pieces: the coder keeps a whole one on its stack
            file.write(samples[start : start + (1 << 16)])
    return made.getvalue()


def _played(score: Score, notes: list[Sounding], soundfont: Path, rate: int) -> NDArray[np.float32]:
    """Each part by itself (samples, 2), the outer ones to the left and right."""
    symusic: Any = import_module("symusic")
    try:
        synth = symusic.Synthesizer(sf_path=str(soundfont), sample_rate=rate)
    except Exception as error:  # the library raises a bare one
        raise EngineError(
            say("The soundfont {path} cannot be loaded.", "无法加载音色库 {path}。", path=soundfont),
            hint=say("Name another file .sf2 or .sf3.", "请指定其他 .sf2 或 .sf3 文件。"),
        ) from error
    made = np.zeros((round((max(note.end for note in notes) + _TAIL) * rate), 2), np.float32)
    for number, part in enumerate(score.parts):
        mine = [note for note in notes if note.part == number]
        if not mine:
            continue
        alone = symusic.Score(_CLOCK)
        alone.tempos.append(symusic.Tempo(0, 60))
        track = symusic.Track(program=part.program, is_drum=part.kind == "drums")
        for note in mine:
            start, end = round(note.start * _CLOCK), round(note.end * _CLOCK)
            track.notes.append(symusic.Note(start, max(1, end - start), note.pitch, note.velocity))
        alone.tracks.append(track)
        sound = np.asarray(synth.render(alone, True), np.float32).T[: len(made)]
        centred = part.kind in ("drums", "bass") or len(score.parts) == 1
        place = 0.0 if centred else _SPREAD * (2 * number / (len(score.parts) - 1) - 1)
        made[: len(sound)] += sound * np.array([1 - max(place, 0), 1 + min(place, 0)], np.float32)
    return made


def _trimmed(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Without silence at the ends, faded out."""
    level = np.abs(sound).max(axis=1)
    loud = np.flatnonzero(level > _QUIET * float(level.max(initial=0.0)))
    if not loud.size or not level.any():
        return sound
    made = sound[max(0, int(loud[0]) - round(_LEAD * rate)) : int(loud[-1]) + 1].copy()
    fade = min(len(made), round(_FADE * rate))
    made[-fade:] *= (np.cos(np.linspace(0, np.pi, fade)) * 0.5 + 0.5)[:, None].astype(np.float32)
    return made
