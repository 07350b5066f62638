"""Builds the shipped originality indexes in `src/castalia/data/chinese/`.

    npm pack chinese-poetry@2.0.1                            # then unpack it
    python tools/build_poem_index.py UNPACKED_PACKAGE/dist   # no randomness

Writes
    famous_poems.bloom  every run of five characters of famous poems, commonplaces left out: runs that stand in more
                        than four other poems of the whole corpus
    poem_lines.bloom    every whole line of five or more characters of all Tang and Song poems, lyrics and older verse
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from castalia.quality.originality import Header, _runs, build_index  # pyright: ignore[reportPrivateUsage]

TARGET = Path(__file__).parent.parent / "src" / "castalia" / "data" / "chinese"
FAMOUS = ("mengxue/tangshisanbaishou.json", "mengxue/qianjiashi.json", "shuimotangshi", "shijing", "chuci",
          "caocaoshiji", "nalanxingde", "wudaishici/nantang")  # fmt: skip
SEARCHED = 3000
"""So many Tang and Song poems, and as many lyrics, by how often search engines find their title and author."""
COMMONPLACE = 5
"""Poems of the corpus in which a run may stand before it is anybody's."""
LINES_RATE = 2e-3


def texts(value: Any) -> Iterator[str]:
    """Every poem's text in a file of the collection, whatever its layout."""
    if isinstance(value, dict):
        for key in ("paragraphs", "content", "para"):
            part = value.get(key)
            if isinstance(part, list) and all(isinstance(line, str) for line in part):
                yield "\n".join(part)
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def read(path: Path) -> Iterator[str]:
    """Every poem below a path."""
    for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
        yield from texts(json.loads(file.read_text(encoding="utf-8")))


def searched(folder: Path, kind: str, poems: str, count: int) -> Iterator[str]:
    """The poems that search engines find most."""
    found: list[tuple[float, str]] = []
    for file in sorted((folder / "rank" / kind).glob("*.json")):
        twin = folder / poems / file.name.replace(".rank", "")
        if not twin.exists():
            continue
        ranks, works = (json.loads(path.read_text(encoding="utf-8")) for path in (file, twin))
        for rank, work in zip(ranks, works, strict=False):
            score = sum(math.log1p(value) for value in rank.values() if isinstance(value, int))
            found.append((score, "\n".join(work["paragraphs"])))
    found.sort(reverse=True)
    yield from (text for _, text in found[:count])


def main(folder: Path) -> None:
    """Build both."""
    every = [text for name in ("quantangshi", "songci", "wudaishici", "yuanqu", "shijing", "chuci", "caocaoshiji",
                               "nalanxingde") for text in read(folder / name)]  # fmt: skip
    famous = [text for name in FAMOUS for text in read(folder / name)]
    famous += searched(folder, "poet", "quantangshi", SEARCHED)
    famous += searched(folder, "ci", "songci", SEARCHED)
    five = Header("", "characters", 5, 0, 0, 8)
    wanted = {run for text in famous for run in _runs(text, five)}
    seen = Counter(run for text in every for run in set(_runs(text, five)) if run in wanted)
    kept = [run for run in wanted if seen[run] <= COMMONPLACE]
    print(len(famous), "famous;", len(wanted), "runs,", len(kept), "kept")
    header = build_index(
        kept, TARGET / "famous_poems.bloom", name="名篇 (famous poems)", unit="characters", length=5, rate=1e-5
    )
    print(header, header.false_positives)
    header = build_index(
        (re.sub(r"[（(].*?[)）]", "", text) for text in [*every, *famous]),
        TARGET / "poem_lines.bloom",
        name="全唐诗、全宋诗、全宋词 (Tang and Song poems)",
        unit="characters",
        length=0,
        rate=LINES_RATE,
    )
    print(header, header.false_positives)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
