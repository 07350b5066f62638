"""Twenty pieces as a user would get them: written, judged, engraved, played, and measured by ear's substitutes.

For each: whether it was delivered and after how many tries, seconds, loudness (LUFS), true peak (dBTP), seconds of
silence at both ends, length against the score's, notes that sound after their end, and notes of one part that lie on
each other. The scores and sounds are written into a folder to be looked at and listened to.

    python benchmarks/bench_music_sheet.py --out sheet
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from _report import emit
from castalia.core.errors import RefusedError
from castalia.core.score import Score
from castalia.modalities.music.files.loudness import loudness, true_peak
from castalia.studio import Studio

ASKED: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("chorale", "a calm evening prayer in E minor", {"bars": 8}),
    ("chorale", "joyful thanksgiving in D major", {"bars": 16, "sound": "brass"}),
    ("chorale", "雨夜的思念", {"bars": 8, "sound": "strings"}),
    ("chorale", "morning in B flat", {"bars": 12, "sound": "organ"}),
    ("melody", "a merry jig in G", {"bars": 16}),
    ("melody", "a slow air in A minor", {"bars": 16}),
    ("melody", "a waltz for a wedding in F", {"bars": 16}),
    ("melody", "江南小调", {"bars": 8}),
    ("loop", "dark rain over a city at night", {}),
    ("loop", "bright cheerful kitchen, quick", {"lead": "yes"}),
    ("loop", "calm meditation by the sea", {}),
    ("loop", "欢快的早晨", {}),
    ("song", "a song about the harbour at night", {"verses": 1}),
    ("song", "a song of the first snow", {"verses": 1}),
    ("song", "思乡的歌", {"verses": 1}),
)
ON_THE_FIRST_TUNE: tuple[tuple[str, dict[str, object]], ...] = (
    ("variation", {"strength": "subtle"}),
    ("variation", {"strength": "strong"}),
    ("accompaniment", {"texture": "guitar"}),
    ("accompaniment", {"texture": "piano"}),
    ("chorale", {}),
)
QUIET = 10 ** (-60 / 20)
"""Amplitude below which a sample counts as silence."""


def main() -> None:
    """Make, measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    studio = Studio()
    asked = [*ASKED, *((genre, "", {"melody": str(args.out / "07.mid"), **more}) for genre, more in ON_THE_FIRST_TUNE)]
    pieces = [piece(studio, number, *each, args) for number, each in enumerate(asked, 1)]
    studio.close()
    made = [each for each in pieces if "refused" not in each]
    emit(
        "music_sheet",
        "twenty briefs, one seed, through the studio; sound as delivered, without the spoken label",
        {
            "delivered": len(made),
            "of": len(pieces),
            "first_try": sum(each["tries"] == 1 for each in made),
            "pieces": pieces,
        },
    )


def piece(
    studio: Studio, number: int, genre: str, words: str, fields: dict[str, object], args: argparse.Namespace
) -> dict[str, Any]:
    """One row of the sheet."""
    began = time.perf_counter()
    row: dict[str, Any] = {"number": number, "genre": genre, "words": words, **fields} | {
        "melody": bool(fields.get("melody"))
    }
    try:
        work = studio.create(genre, words, seed=args.seed + number, faces=["txt"], **fields)
    except RefusedError as refused:
        print(row, [f"{each.rule}: {each.found}" for each in refused.best.broken], flush=True)
        return row | {"refused": sorted({each.rule for each in refused.best.broken})}
    row |= {"tries": work.tries, "seconds": round(time.perf_counter() - began, 1)}
    for face in ("mid", "musicxml", "png", "wav"):
        studio.export(work, args.out / f"{number:02}.{face}")
    assert work.content.score
    row |= heard(work.content.score, args.out / f"{number:02}.wav")
    row["noted"] = sorted({each.rule for each in work.findings if not each.ok})
    print(row, flush=True)
    return row


def heard(score: Score, path: Path) -> dict[str, Any]:
    """What can be measured of a sound."""
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    loud = np.flatnonzero(np.abs(sound).max(1) > QUIET)
    ends = score.seconds + 3
    after = np.abs(sound[int(ends * rate) :]).max(initial=0.0)
    return {
        "bars": -(-score.length // score.metres[0].bar),
        "parts": len(score.parts),
        "length_seconds": round(len(sound) / rate, 1),
        "score_seconds": round(score.seconds, 1),
        "lufs": round(loudness(sound, rate), 1),
        "peak_dbtp": round(float(true_peak(sound)), 1),
        "silence_seconds": [round(float(loud[0]) / rate, 2), round((len(sound) - float(loud[-1])) / rate, 2)],
        "stuck": bool(after > 0.05),
        "overlapping_in_a_voice": overlapping(score),
    }


def overlapping(score: Score) -> int:
    """Notes of one pitch and part that begin before the last one of that pitch ended."""
    count = 0
    for part in score.parts:
        ends: dict[int, int] = {}
        for note in sorted(part.notes):
            count += note.start < ends.get(note.pitch, 0)
            ends[note.pitch] = note.start + note.length
    return count


if __name__ == "__main__":
    main()
