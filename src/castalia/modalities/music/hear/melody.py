"""A recording → a melody: heard, cut into notes, counted in beats and bars, with what may be wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.score import Part, Score
from castalia.modalities.music.hear.beat import Rhythm, rhythm_of
from castalia.modalities.music.hear.line import HeardNote, line_of
from castalia.modalities.music.hear.metre import metre_of
from castalia.modalities.music.hear.posteriors import FRAMES_A_SECOND, LOWEST, PITCHES, Posteriors, listen
from castalia.modalities.music.hear.recording import RATE, Sound, read_recording

_SILENT = 10 ** (-60 / 20)
"""Highest sample below which a recording is silence."""
_FEW = 3
"""Notes below which there is no melody."""
_NOTHING, _LITTLE = 0.25, 0.55
"""Shares of the sounding time within notes: below the first something else is heard (speech: .03), below the second
a doubt is told (voices and instruments: .9 and more)."""
_SOUNDING = -30.0
"""Decibels below the loudest frame above which it sounds."""
_SEVERAL, _OFTEN = 0.5, 0.35
"""Posterior of a second pitch, and the share of the notes' time in which it sounds, of music in several voices."""
_OWN = (-1, 0, 1, 12, 19, 24, 28, 31, 36)
"""Semitones from a note at which its neighbours and overtones lie."""
_LOOSE = 2.2
"""Nats a note above which the rhythm is guesswork."""


@dataclass(frozen=True)
class Heard:
    """What was heard.

    Attributes:
        score: One part; its key is left open (C major).
        notes: As they were sung, in seconds.
        cents: The recording's tuning above A = 440 Hz.
        doubts: What may be wrong, in words.
    """

    score: Score
    notes: tuple[HeardNote, ...]
    cents: float
    doubts: tuple[str, ...] = ()


def hear(content: bytes, tempo: float | None = None, *, after: Callable[[Sound, int], float] | None = None) -> Heard:
    """The melody of a recording of one voice or instrument.

    Args:
        content: A WAV, FLAC, MP3 or Ogg file; see `recording`.
        tempo: Quarters a minute, where it is known.
        after: Says of the samples (samples, 1) and their rate up to which second nothing is to be heard.

    Raises:
        UsageError: it cannot be read, is silent, or holds nothing that is sung or played.
        MissingError: onnxruntime is not installed.
    """
    sound = read_recording(content)
    sound = sound[int((after(sound[:, None], RATE) if after else 0) * RATE) :]
    if float(np.abs(sound).max(initial=0.0)) < _SILENT:
        raise _nothing(say("silence", "一片寂静"))
    return melody_in(listen(sound), tempo)


def melody_in(heard: Posteriors, tempo: float | None = None) -> Heard:
    """The melody in posteriors; see `hear`.

    Raises:
        UsageError: they hold none.
    """
    notes, cents = line_of(heard)
    sounding = float((heard.loud > _SOUNDING).sum()) / FRAMES_A_SECOND
    share = sum(note.end - note.start for note in notes) / max(sounding, 1e-6)
    if len(notes) < _FEW or share < _NOTHING:
        raise _nothing(
            say(
                "{n} notes in {seconds:.0f} seconds of sound: speech, noise or percussion",
                "{seconds:.0f} 秒声音中只有 {n} 个音：可能是说话、噪声或打击乐",
                n=len(notes),
                seconds=sounding,
            )
        )
    doubts = _doubts(notes, heard, share)
    rhythm = rhythm_of(notes, tempo)
    metre, pickup = metre_of(rhythm.notes, rhythm.first)
    if rhythm.cost > _LOOSE:
        doubts.append(
            say(
                "The rhythm is free: note values are guesses. Tapping along, or giving the tempo, helps.",
                "节奏较自由，音值为推测；跟着拍子录制或指定速度会更准。",
            )
        )
    score = Score(
        parts=(Part(name=say("Melody", "旋律"), kind="voice", clef=_clef(rhythm), notes=rhythm.notes),),
        metres=(metre,),
        pickup=pickup,
        tempo=round(min(400.0, max(10.0, rhythm.tempo)), 1),
    )
    return Heard(score, tuple(notes), cents, tuple(doubts))


def _doubts(notes: list[HeardNote], heard: Posteriors, share: float) -> list[str]:
    doubts: list[str] = []
    if share < _LITTLE:
        doubts.append(
            say(
                "Only {share:.0%} of the sound keeps a pitch; the rest was passed over.",
                "只有 {share:.0%} 的声音有稳定音高，其余已略过。",
                share=share,
            )
        )
    if (often := _second(notes, heard)) > _OFTEN:
        doubts.append(
            say(
                "Several notes sound at once {often:.0%} of the time; the clearest was taken. Give one voice alone.",
                "{often:.0%} 的时间里有多个音同时响起，已取最清楚的一个；请只录一个声部。",
                often=often,
            )
        )
    return doubts


def _second(notes: list[HeardNote], heard: Posteriors) -> float:
    """Share of the notes' time in which another pitch sounds that is none of their overtones."""
    found: list[bool] = []
    for note in notes:
        frames = heard.notes[int(note.start * FRAMES_A_SECOND) + 2 : int(note.end * FRAMES_A_SECOND)].copy()
        own = [note.pitch - LOWEST + step for step in _OWN]
        frames[:, [each for each in own if 0 <= each < PITCHES]] = 0
        found += (frames.max(1, initial=0.0) > _SEVERAL).tolist()
    return float(np.mean(found)) if found else 0.0


def _clef(rhythm: Rhythm) -> Literal["treble", "bass"]:
    return "bass" if float(np.median([note.pitch for note in rhythm.notes])) < 57 else "treble"


def _nothing(found: str) -> UsageError:
    return UsageError(
        say("No melody was heard: {found}.", "没有听到旋律：{found}。", found=found),
        hint=say(
            "Hum, sing or play one line, near the microphone, without others.", "请靠近麦克风，单独哼唱或演奏一条旋律。"
        ),
    )
