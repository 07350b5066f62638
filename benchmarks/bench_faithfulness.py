"""What news, press releases and adverts state beyond their briefs: `python benchmarks/bench_faithfulness.py`.

Protocol: the texts that bench_forms.py kept, ours and the raw model's (which may show the best of four drafts under
the same judge, so it is flattered), on the briefs that both have. Counted per 100 sentences, twice: `judge` is the rule
that guards the studio's own works, so ours must be 0 by construction; `strings` is blunter and shares no code with it:
every figure, every number word and, inside a sentence, every capitalised word must stand in the brief as a string.
Meaning is not measured: a true number in a false sentence counts as supported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from _report import STATE, emit
from bench_forms import BRIEFS
from castalia.quality.facts import unsupported

GENRES = ("news", "press", "ad")
_NUMBER_WORDS = frozenset(
    "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand "
    "million".split()
)
_HEADS = re.compile(
    r"^(?:headlines|text|descriptions|call to action|for immediate release)$", re.IGNORECASE | re.MULTILINE
)


def main() -> None:
    """Count and print."""
    rows = {kind: {(r["genre"], r["number"]): r for r in _rows(kind)} for kind in ("ours", "raw")}
    figures: dict[str, Any] = {}
    for genre in GENRES:
        both = sorted(key for key in rows["ours"].keys() & rows["raw"].keys() if key[0] == genre)
        figures[genre] = {"briefs": len(both)} | {
            kind: _per_hundred([rows[kind][key] for key in both]) for kind in rows
        }
    emit("faithfulness", "unsupported numbers and names per 100 sentences", figures)


def _per_hundred(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    counted = {"sentences": 0, "judge": 0, "strings": 0}
    for row in rows:
        entry = BRIEFS[row["genre"]][row["number"]]
        said = "\n".join([entry["words"], entry.get("business", ""), *entry.get("facts", [])])
        text = _HEADS.sub("", row["text"])
        chinese = bool(re.search("[\u4e00-\u9fff]", entry["words"]))
        counted["sentences"] += len([part for part in re.split(r"[.!?](?=\s|$)|[。！？\n]", text) if part.strip()])
        found = unsupported(text, said, "zh" if chinese else "en")
        counted["judge"] += sum(kind in ("number", "name", "date") for kind, _, _ in found)
        counted["strings"] += sum(1 for _ in _strings(text, said))
    of = max(counted["sentences"], 1)
    return counted | {f"{name}_per_100": round(100 * counted[name] / of, 1) for name in ("judge", "strings")}


def _strings(text: str, said: str) -> Iterator[str]:
    known, plain = set(re.findall(r"\d+(?:\.\d+)?", said.replace(",", ""))), said.casefold()
    yield from (each for each in re.findall(r"\d+(?:\.\d+)?", text.replace(",", "")) if each not in known)
    words = re.findall(r"[a-z]+", text.casefold())
    yield from (word for word in words if word in _NUMBER_WORDS and not re.search(rf"\b{word}\b", plain))
    for line in text.splitlines():
        if line == line.title():  # a headline in capitals says nothing about names
            continue
        inside = re.finditer(r"(?<=[a-z,;] )[A-Z][\w'’-]+", line)
        yield from (each[0] for each in inside if re.sub(r"['’]s$", "", each[0]).casefold() not in plain)


def _rows(kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (STATE / f"forms-{kind}.jsonl").read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
