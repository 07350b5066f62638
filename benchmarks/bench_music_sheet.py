"""Twenty pieces as a user would get them: written, judged, engraved, played, and measured by ear's substitutes.

For each: whether it was delivered and after how many tries, seconds, loudness (LUFS), true peak (dBTP), seconds of
silence at both ends and within, length against the score's, sound that does not die away, and notes of one part that
lie on each other. The scores and sounds are written into a folder to be looked at and listened to.

    python benchmarks/bench_music_sheet.py --out sheet
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from _report import emit
from castalia.core.errors import RefusedError
from castalia.core.score import Score
from castalia.modalities.music import find_soundfont
from castalia.modalities.music.files.loudness import loudness, true_peak
from castalia.modalities.music.files.sound import RATE, render_sound
from castalia.studio import Studio

Asked = tuple[str, str, dict[str, object]]
"""Genre, words, fields."""
ASKED: tuple[Asked, ...] = (
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
ON_A_TUNE: tuple[tuple[str, dict[str, object]], ...] = (
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
    tune = str(args.out / "07.mid")
    asked = [*ASKED, *((genre, "", {"melody": tune, **more}) for genre, more in ON_A_TUNE)]
    pieces = [piece(studio, number, each, args) for number, each in enumerate(asked, 1)]
    studio.close()
    made = [each for each in pieces if "refused" not in each]
    emit(
        "music_sheet",
        "twenty briefs, a seed each, through the studio; sound without the spoken label that follows it",
        {
            "delivered": len(made),
            "of": len(pieces),
            "first_try": sum(each["tries"] == 1 for each in made),
            "pieces": pieces,
        },
    )


def piece(studio: Studio, number: int, asked: Asked, args: argparse.Namespace) -> dict[str, Any]:
    """One row of the sheet."""
    genre, words, fields = asked
    began = time.perf_counter()
    row: dict[str, Any] = {"number": number, "genre": genre, "words": words, **fields}
    if "melody" in fields:
        row["melody"] = "number 7"
    try:
        work = studio.create(genre, words, seed=args.seed + number, faces=["txt"], **fields)
    except RefusedError as refused:
        print(row, [f"{each.rule}: {each.found}" for each in refused.best.broken], flush=True)
        return row | {"refused": sorted({each.rule for each in refused.best.broken})}
    row |= {"tries": work.tries, "seconds": round(time.perf_counter() - began, 1)}
    for face in ("mid", "musicxml", "png", "wav"):
        studio.export(work, args.out / f"{number:02}.{face}")
    assert work.content.score
    row |= heard(work.content.score)
    row["noted"] = sorted({each.rule for each in work.findings if not each.ok})
    print(row, flush=True)
    return row


def heard(score: Score) -> dict[str, Any]:
    """What can be measured of a piece's sound, as it is before the spoken label follows."""
    sound = render_sound(score, find_soundfont())
    loud = np.flatnonzero(np.abs(sound).max(1) > QUIET)
    quiet = np.diff(loud, prepend=loud[0]).max() / RATE
    return {
        "bars": -(-score.length // score.metres[0].bar),
        "parts": len(score.parts),
        "length_seconds": round(len(sound) / RATE, 1),
        "score_seconds": round(score.seconds, 1),
        "lufs": round(loudness(sound, RATE), 1),
        "peak_dbtp": round(float(true_peak(sound)), 1),
        "silence_seconds": [round(float(each), 2) for each in (loud[0] / RATE, (len(sound) - loud[-1]) / RATE)],
        "longest_silence_within": round(float(quiet), 2),
        "dies_away": score.cyclic or bool(np.abs(sound[-RATE // 20 :]).max() < 0.02),
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
