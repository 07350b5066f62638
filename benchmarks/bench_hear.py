"""How well a recording becomes a melody: `python benchmarks/bench_hear.py --file jsb16.json.gz`.

Protocol of `hear`: 40 tunes of eight bars at 56 to 132 quarters a minute: 20 sopranos of JSB's validation split and 20
invented ones in 4/4 and 3/4 with eighths, dots, sixteenths and triplets. Each is hummed synthetically (vibrato, scoops,
drift of -30 cents, breath noise at 20 dB, echo; see `_singing.py`) and played by two of five instruments of the shipped
soundfont in a hall (flute, "ahh" voice, whistle, violin, piano). Beside it, decoded in the same way, YIN (de Cheveigné
and Kawahara 2002): its pitch and aperiodicity as posteriors, its onsets from rises of the sound's level.

`precision`, `recall`: notes with the right pitch (50 cents) whose onset is within 50 ms. `exact`: share of the written
notes whose pitch and distance to the next note, in ticks, stand in the written melody's order in what was heard;
`exact_any_level` lets halved or doubled values pass. `tempo`: within 4 %; `tempo_any_level` likewise. `metre`: of the
invented tunes, metre and bar lines both right. Times are of hearing, from file to score, against the sound's length.
"""

from __future__ import annotations

import argparse
import io
import time
from collections import defaultdict
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from _report import emit
from _singing import RATE, Sound, Truth, hummed, invented, played, soprano
from bench_jsb import read
from castalia.core.errors import UsageError
from castalia.core.score import Score
from castalia.modalities.music.hear.melody import Heard, hear, melody_in
from castalia.modalities.music.hear.posteriors import HOP, LOWEST, PITCHES, THIRDS, Posteriors, loudness_of
from castalia.modalities.music.hear.recording import RATE as HEARD_RATE
from castalia.modalities.music.hear.recording import read_recording

TEMPI = (56, 63, 72, 80, 88, 96, 104, 112, 120, 132)
INSTRUMENTS = {"flute": 73, "ahh": 52, "whistle": 78, "violin": 40, "piano": 0}
WINDOW = 2048
THRESHOLD = 0.15
"""YIN's own, of the normalised difference."""
DELAY = 5
"""Frames by which its onsets come late on hums and piano (median); taken off, so that it is not judged by that."""


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--tunes", type=int, default=40)
    args = parser.parse_args()
    pieces = read(args.file, "valid")[1::3]
    half = args.tunes // 2
    tunes = [soprano(pieces[at], TEMPI[at % 10]) for at in range(half)]
    tunes += [invented(at, TEMPI[at % 10]) for at in range(args.tunes - half)]
    found: dict[str, dict[str, list[dict[str, float]]]] = {"castalia": defaultdict(list), "yin": defaultdict(list)}
    seconds = {"castalia": 0.0, "yin": 0.0}
    length = 0.0
    names = list(INSTRUMENTS)
    for number, tune in enumerate(tunes):
        sources = ["hum", names[number % 5], names[(number + 2) % 5]]
        for source in sources:
            sound, truth = hummed(tune, 1000 + number) if source == "hum" else played(tune, INSTRUMENTS[source])
            file = as_wav(sound)
            length += len(sound) / RATE
            for way in found:
                began = time.perf_counter()
                try:
                    heard = hear(file) if way == "castalia" else melody_in(yin(read_recording(file)))
                except UsageError:
                    heard = None
                seconds[way] += time.perf_counter() - began
                found[way][source].append(judged(heard, tune, truth, with_metre=number >= half))
    figures: dict[str, Any] = {
        way: {source: mean(rows) for source, rows in by_source.items()}
        | {"all": mean([row for rows in by_source.values() for row in rows])}
        for way, by_source in found.items()
    }
    speed = {way: round(length / spent, 1) for way, spent in seconds.items()}
    emit("hear", "hear: 40 tunes, synthetic hum and soundfont", {"times_real_time": speed} | figures)


def as_wav(sound: Sound) -> bytes:
    """A file of 16 bits."""
    import soundfile

    made = io.BytesIO()
    soundfile.write(made, sound, RATE, format="WAV", subtype="PCM_16")
    return made.getvalue()


def judged(heard: Heard | None, tune: Score, truth: Truth, *, with_metre: bool) -> dict[str, float]:
    """The figures of one recording."""
    if heard is None:
        return {"precision": 0, "recall": 0, "exact": 0, "exact_any_level": 0, "tempo": 0, "tempo_any_level": 0} | (
            {"metre": 0} if with_metre else {}
        )
    left = list(heard.notes)
    hits = 0
    for start, _, pitch in truth:
        near = [note for note in left if note.pitch == pitch and abs(note.start - start) <= 0.05]
        if near:
            hits += 1
            left.remove(min(near, key=lambda note: abs(note.start - start)))
    levels = {factor: exact(heard.score, tune, factor) for factor in (1, 2, 0.5)}
    ratio = heard.score.tempo / tune.tempo
    made = {
        "precision": hits / len(heard.notes),
        "recall": hits / len(truth),
        "exact": levels[1],
        "exact_any_level": max(levels.values()),
        "tempo": float(abs(ratio - 1) <= 0.04),
        "tempo_any_level": float(any(abs(ratio * factor - 1) <= 0.04 for factor in levels)),
    }
    if with_metre:
        made["metre"] = float(heard.score.metres[0].beats == tune.metres[0].beats and heard.score.pickup == 0)
    return made


def exact(heard: Score, tune: Score, factor: float) -> float:
    """Share of the tune's notes that stand in the heard one, in order, with pitch and distance to the next."""
    ours = [(a.pitch, b.start - a.start) for a, b in zip(notes(tune), notes(tune)[1:], strict=False)]
    theirs = [
        (a.pitch, int((b.start - a.start) * factor)) for a, b in zip(notes(heard), notes(heard)[1:], strict=False)
    ]
    match = SequenceMatcher(None, ours, theirs, autojunk=False)
    return sum(block.size for block in match.get_matching_blocks()) / len(ours)


def notes(score: Score) -> list[Any]:
    """Of its one part."""
    return list(score.parts[0].notes)


def mean(rows: list[dict[str, float]]) -> dict[str, float]:
    """Of each figure, over the rows that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    made = {name: round(float(np.mean([row[name] for row in rows if name in row])), 3) for name in names}
    return {"recordings": len(rows)} | made


def yin(sound: Sound) -> Posteriors:
    """YIN's pitch (steps 1 to 5) in the form that the decoder reads."""
    frames = -(-len(sound) // HOP)
    padded = np.zeros(frames * HOP + 2 * WINDOW, np.float64)
    padded[WINDOW // 2 : WINDOW // 2 + len(sound)] = sound
    lags = WINDOW // 2
    midi, voiced = np.zeros(frames), np.zeros(frames)
    for at in range(frames):
        block = padded[at * HOP : at * HOP + WINDOW]
        curve = normalised_difference(block, lags)
        low, high = HEARD_RATE // 1600, min(lags - 2, HEARD_RATE // 60)
        under = np.flatnonzero(curve[low:high] < THRESHOLD)
        lag = low + (int(under[0]) if len(under) else int(curve[low:high].argmin()))
        while lag + 1 < high and curve[lag + 1] < curve[lag]:
            lag += 1
        left, middle, right = curve[lag - 1 : lag + 2]
        bend = left - 2 * middle + right
        exact_lag = lag + (0.5 * (left - right) / bend if bend > 1e-9 else 0.0)
        midi[at] = 69 + 12 * np.log2(HEARD_RATE / exact_lag / 440)
        voiced[at] = np.clip(1 - middle * 2, 0, 1)
    loud = loudness_of(sound)
    return posteriors(midi, voiced * (loud > -40), loud)


def normalised_difference(block: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """d'(lag) of equation 8, for lags below half the block."""
    size = len(block) - lags
    spectrum = np.fft.rfft(block, 2 * len(block))
    first = np.fft.rfft(block[:size], 2 * len(block))
    product = np.fft.irfft(np.conj(first) * spectrum)[:lags]
    squares = np.concatenate([[0], np.cumsum(block**2)])
    energy = squares[size : size + lags] - squares[:lags]
    difference = np.maximum(energy[0] + energy - 2 * product, 0)
    total = np.cumsum(difference[1:])
    return np.concatenate([[1], difference[1:] * np.arange(1, lags) / np.maximum(total, 1e-12)])


def posteriors(midi: NDArray[np.float64], voiced: NDArray[np.float64], loud: NDArray[np.float32]) -> Posteriors:
    """Bells around the pitch; onsets where the level rises or the pitch is new."""
    bins = LOWEST + (np.arange(PITCHES * THIRDS) - 1) / THIRDS
    fine = voiced[:, None] * np.exp(-(((bins[None] - midi[:, None]) / 0.3) ** 2))
    pitches = LOWEST + np.arange(PITCHES)
    heard = voiced[:, None] * np.exp(-(((pitches[None] - midi[:, None]) / 0.5) ** 2))
    before = np.concatenate([np.repeat(loud[:1], 5), loud[:-5]])
    rises = np.clip((loud - before) / 12, 0, 1)
    earlier = np.concatenate([np.zeros((6, PITCHES)), heard[:-6]])
    new = np.clip(heard - earlier, 0, 1)
    onsets = np.maximum(heard * rises[:, None], new)
    rows = [np.concatenate([each[DELAY:], np.zeros((DELAY, each.shape[1]))]) for each in (heard, onsets, fine)]
    heard, onsets, fine = (each.astype(np.float32) for each in rows)
    return Posteriors(heard, onsets, fine, loud)


if __name__ == "__main__":
    main()
