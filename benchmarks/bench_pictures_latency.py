"""How long a picture takes, and what the studio adds to its networks: `python benchmarks/bench_pictures_latency.py`.

    castalia models pull style; castalia models pull enlarge     # and the extra `pictures`

All in one run, one after the other in turns, by the processor's clock of this process and its children (a busy machine
shifts it less than the wall clock), medians. `cold`: `castalia create picture "a red umbrella" --out` in a new process,
five times. `warm`: `Studio.create` with its marked PNG, twenty times; `parts` splits it: drawing, the judge, marks and
the library. `enlarge`, `paint`: a picture of 512×512 made four times as large by the fast network, and painted in a
trained style, by a genre's whole way (read, made, judged, marked, kept) and by the network alone, in tiles as the
studio uses it and in one piece; ratios are whole way over network in one piece.

The benchmark fails (exit 1) where a warm picture of 128 px takes more than a second.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from _report import emit
from castalia import genres, quality
from castalia.core.values import Brief
from castalia.modalities import image
from castalia.modalities.image.enlarge import enlarge
from castalia.modalities.image.enlarge.network import four_times
from castalia.modalities.image.paint.networks import trained
from castalia.modalities.image.paint.styles import styles
from castalia.studio import Studio

WORDS, BOUND = "a red umbrella", 1.0


def main() -> None:
    """Measure, and print one line."""
    with tempfile.TemporaryDirectory() as folder, closing(Studio()) as studio:
        out = Path(folder) / "made.png"
        command = [sys.executable, "-m", "castalia", "create", "picture", WORDS, "--out", str(out), "-o"]
        figures: dict[str, Any] = {}
        for size in (64, 128):
            run = partial(subprocess.run, [*command, f"size={size}"], check=True, capture_output=True)
            make = partial(studio.create, "picture", WORDS, size=size)
            cold = [seconds(run) for _ in range(5)]
            warm = [seconds(lambda make=make: studio.export(make(), out)) for _ in range(20)]
            figures[f"picture_{size}"] = {"cold": median(cold), "warm": median(warm), "parts": parts(studio, size)}
        photo = scene()
        Image.fromarray(photo).save(given := Path(folder) / "photo.png")
        figures["enlarge_512_4x_fast"] = compared(
            lambda: studio.create("enlarge", picture=str(given), factor=4, kind="fast"),
            lambda: enlarge(photo, factor=4, kind="fast"),
            lambda: four_times(photo, "fast"),
        )
        style = next(each for each in styles() if each.number is not None)
        assert style.number is not None
        number = style.number
        figures["paint_512"] = compared(
            lambda: studio.create("painting", picture=str(given), style=style.name),
            lambda: studio.painters.painter.paint(photo, style.name, strength=1.0, keep_colours=False),
            lambda: trained(photo, number),
        )
    reached = figures["picture_128"]["warm"] <= BOUND
    emit("pictures_latency", "processor seconds, medians in one run", {**figures, "bound": BOUND, "reached": reached})
    if not reached:
        sys.exit(1)


def parts(studio: Studio, size: int) -> dict[str, float]:
    """Processor seconds of drawing and of the judge; the rest of a warm picture are marks and library."""
    room = genres.find("picture")
    brief = Brief(genre="picture", words=WORDS, fields=genres.fields_of(room, {"size": size}), seed=1)
    plan = room.plan(brief)
    draft = image.compose(brief, plan, studio.painters, room.assemble)
    drawing = [seconds(lambda: image.compose(brief, plan, studio.painters, room.assemble)) for _ in range(10)]
    judging = [seconds(lambda: quality.judge(draft, room.rules(brief))) for _ in range(10)]
    return {"draw": median(drawing), "judge": median(judging)}


def compared(whole: Callable[[], object], used: Callable[[], object], plain: Callable[[], object]) -> dict[str, float]:
    """Three times each in turns, after one that warms up."""
    taken: dict[str, list[float]] = {"whole_way": [], "network_as_used": [], "network_in_one_piece": []}
    for turn in range(4):
        for held, call in zip(taken.values(), (whole, used, plain), strict=True):
            spent = seconds(call)
            if turn:
                held.append(spent)
    found = {name: median(held) for name, held in taken.items()}
    return {**found, "ratio": round(found["whole_way"] / found["network_in_one_piece"], 2)}


def seconds(call: Callable[[], object]) -> float:
    """Of the processor, children's included."""
    began = _spent()
    call()
    return _spent() - began


def _spent() -> float:
    each = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in each)


def median(held: list[float]) -> float:
    """To the millisecond."""
    return round(statistics.median(held), 3)


def scene() -> np.ndarray:
    """512×512: hills of noise under a sky, which no network knows."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:512, 0:512] / 512
    waves = sum(np.sin(2 * np.pi * (x * f + rng.random()) + 3 * y * f) / f for f in (1, 2, 4, 8, 16, 32))
    sky = np.stack([0.4 + 0.4 * y, 0.6 + 0.2 * y, 0.9 - 0.2 * y], -1)
    land = np.stack([0.3 + 0.1 * waves, 0.5 + 0.15 * waves, 0.25 + 0.05 * waves], -1)
    return (np.where((y > 0.5 + 0.1 * waves)[..., None], land, sky).clip(0, 1) * 255).astype(np.uint8)


if __name__ == "__main__":
    main()
