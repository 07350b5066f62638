"""Score → sound, played by a soundfont."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import EngineError, MissingError, UsageError
from castalia.core.language import say
from castalia.core.score import Score
from castalia.modalities.music.files.loudness import normalise
from castalia.modalities.music.files.perform import Sounding, perform
from castalia.modalities.music.files.room import in_hall
from castalia.modalities.music.files.write_midi import DRUMS

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
_ECHO = 1.6
"""Seconds that the hall rings on."""
_LEAD = 0.05
"""Seconds of silence that are left at the beginning."""
_QUIET = 10 ** (-66 / 20)
"""Level below which it is silence, of the highest."""
_GAIN = -8.0
"""Decibels; the mix of a full band stays in the range where nothing is lost."""
_VOICES = 512
_SPREAD = 22
"""How far, of 64, the outer parts sit left and right."""
Synth = Any
"""Of tinysoundfont, which has few types."""
_FORMATS = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_16"), "mp3": ("MP3", "MPEG_LAYER_III")}


def render_sound(score: Score, soundfont: Path, *, rate: int = RATE) -> NDArray[np.float32]:
    """The score played in a small hall, at -18 LUFS, with a true peak below -1 dBFS.

    A score that goes round has exactly the length of its bars, so that it can be played again without a seam.

    Args:
        score: What is played.
        soundfont: An SF2 or SF3 file.
        rate: Samples a second, 8,000 to 96,000.

    Returns:
        (samples, 2), within ±1.

    Raises:
        UsageError: the score has no notes, or lasts longer than `LONGEST`.
        EngineError: the soundfont cannot be loaded.
        MissingError: tinysoundfont is not installed.
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
    if score.cyclic:
        return normalise(_round(dry, round(score.seconds * rate), rate), rate)
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
    synth, channels = _seated(score, soundfont, rate)
    events = sorted(
        event
        for note in notes
        for event in (
            (round(note.end * rate), 0, channels[note.part], note.pitch, 0),
            (round(note.start * rate), 1, channels[note.part], note.pitch, note.velocity),
        )
    )
    end = events[-1][0] + round(_TAIL * rate)
    made = np.zeros((end, 2), np.float32)
    held: dict[tuple[int, int], int] = {}
    now = 0
    for place, begins, channel, pitch, velocity in events:
        if place > now:
            _generate(synth, made[now:place])
            now = place
        key = (channel, pitch)
        held[key] = held.get(key, 0) + (1 if begins else -1)
        if begins:
            synth.noteon(channel, pitch, velocity)
        elif held[key] <= 0:
            synth.noteoff(channel, pitch)
    synth.notes_off()
    _generate(synth, made[now:])
    return made


def _generate(synth: Synth, place: NDArray[np.float32]) -> None:
    if len(place):
        place[:] = np.frombuffer(synth.generate(len(place)), np.float32).reshape(-1, 2)


def _seated(score: Score, soundfont: Path, rate: int) -> tuple[Synth, list[int]]:
    """A synthesiser with a channel for each part (shared when there are more than 15), spread from left to right."""
    try:
        import tinysoundfont
    except ImportError as error:
        raise MissingError(
            say("Sound needs tinysoundfont, which is not installed.", "生成声音需要 tinysoundfont，尚未安装。"),
            # what it declares to need is for playing aloud only, and does not install everywhere
            hint="pip install --no-deps tinysoundfont",
        ) from error
    synth: Synth = tinysoundfont.Synth(gain=_GAIN, samplerate=rate)
    try:
        loaded = synth.sfload(str(soundfont), max_voices=_VOICES)
    except Exception as error:  # the library raises a bare one
        raise EngineError(
            say("The soundfont {path} cannot be loaded.", "无法加载音色库 {path}。", path=soundfont),
            hint=say("Name another file .sf2 or .sf3.", "请指定其他 .sf2 或 .sf3 文件。"),
        ) from error
    free = [channel for channel in range(16) if channel != DRUMS]
    channels: list[int] = []
    for number, part in enumerate(score.parts):
        drums = part.kind == "drums"
        channel = DRUMS if drums else free[number % len(free)]
        channels.append(channel)
        try:
            synth.program_select(channel, loaded, 128 if drums else 0, part.program, drums)
        except Exception:  # a soundfont without this program: its first one
            synth.program_change(channel, 0, drums)
        place = 2 * number / max(1, len(score.parts) - 1) - 1 if len(score.parts) > 1 else 0.0
        synth.control_change(channel, 10, 64 if drums or part.kind == "bass" else round(64 + _SPREAD * place))
    return synth, channels


def _round(dry: NDArray[np.float32], length: int, rate: int) -> NDArray[np.float32]:
    """The sound in the hall, exactly so many samples long: what rings on after the end is heard at the beginning."""
    rung = in_hall(np.concatenate([dry, np.zeros((round(_ECHO * rate), 2), np.float32)]), rate)
    made = np.zeros((length, 2), np.float32)
    for start in range(0, len(rung), length):
        piece = rung[start : start + length]
        made[: len(piece)] += piece
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
