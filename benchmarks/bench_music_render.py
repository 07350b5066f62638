"""How fast a chorale is written, played and printed: `python benchmarks/bench_music_render.py`.

Sixteen bars in four voices, choir, seed 1; one thread. Bounds: composed in 2 s, played at 20 times real time. Each is
the median of three; sound is from score to samples at 44.1 kHz, the soundfont loaded each time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from _report import emit
from castalia import genres
from castalia.core.values import Brief
from castalia.modalities.music import Composers, compose, file_of, find_soundfont
from castalia.modalities.music.files.loudness import loudness, true_peak
from castalia.modalities.music.files.sound import RATE, render_sound

T = TypeVar("T")


def main() -> None:
    """Measure, and print one line."""
    room, composers, font = genres.find("chorale"), Composers(), find_soundfont()
    brief = Brief(genre="chorale", words="evening in G", fields=genres.fields_of(room, {"bars": 16}), seed=1)
    composing, draft = timed(lambda: compose(brief, room.plan(brief), composers, room.assemble))
    score = draft.content.score
    assert score
    playing, sound = timed(lambda: render_sound(score, font))
    kinds = ("mid", "musicxml", "png", "pdf")
    faces = {face: timed(partial(file_of, score, face, soundfont=font))[0] for face in kinds}
    length = len(sound) / RATE
    emit(
        "music_render",
        "16 bars in four voices, medians of three, one thread",
        {
            "compose_seconds": round(composing, 2),
            "compose_bound_seconds": 2.0,
            "sound_seconds": round(length, 1),
            "times_real_time": round(length / playing, 1),
            "times_real_time_bound": 20,
            "lufs": round(loudness(sound, RATE), 2),
            "true_peak_dbtp": round(true_peak(sound), 2),
            "write_seconds": {face: round(seconds, 3) for face, seconds in faces.items()},
        },
    )


def timed(run: Callable[[], T]) -> tuple[float, T]:
    """(median seconds of three, what came of it); a first run that warms up is not counted."""
    made = run()
    seconds: list[float] = []
    for _ in range(3):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), made


if __name__ == "__main__":
    main()
