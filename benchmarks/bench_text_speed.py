"""Speed of the sampling loop against the engine alone: `python benchmarks/bench_text_speed.py [--model NAME]`.

Protocol: one process, one thread, the same weights and prompt, 128 tokens, five rounds in turn, medians. `engine`: the
engine's own stream without rules or marks. `watermark`: our loop with the watermark. `drawn_haiku`, `drawn_news`: the
tokens that whole works draw under their masks and the watermark, all candidates counted, over the time of the whole
work with its prompts; `kept_haiku`, `kept_news`: of these, the tokens of the work. Limit: bytes of weights read a token
over the memory bandwidth that one thread reaches reading 256 MiB.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from collections.abc import Mapping, Sequence

from _report import STATE, emit

os.environ.setdefault("CASTALIA_HOME", str(STATE / "home"))

import numpy as np

from castalia import genres, models
from castalia.core.ports import LanguageModel, Message, Sampling, Scores, Session, Step
from castalia.core.values import Brief
from castalia.modalities.text import compose, encode
from castalia.modalities.text.generate import Writer
from castalia.provenance.watermark import PUBLISHED
from castalia.provenance.watermarks.text import TextWatermark
from castalia.studio import Studio

MASKED = {
    "haiku": "first snow over the harbour",
    "news": "Mill Bridge in Durham closes on Monday for repairs; traffic uses Elvet Bridge; cyclists may cross",
}
TOKENS = 128
ROUNDS = 5
SAMPLING = Sampling(temperature=0.8, top_k=40)
TURNS = (Message("user", "Tell the story of a lighthouse, a storm and a lost ship, in as much detail as you can."),)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    args = parser.parse_args()
    studio = Studio(model=args.model, threads=1)
    engine = studio.engine
    bandwidth = _bandwidth()
    chosen = models.choose(args.model)
    assert isinstance(chosen, models.Local), "an endpoint has no weights here"
    size = chosen.path.stat().st_size
    _own(engine, 1)
    rates: dict[str, list[float]] = {"engine": [], "loop": [], "watermark": []}
    first: list[float] = []
    for seed in range(ROUNDS):
        rates["engine"].append(_own(engine, seed)[1])
        for name, mark in (("loop", None), ("watermark", TextWatermark(PUBLISHED.secret, 4.0))):
            wait, rate = _ours(engine, seed, mark)
            rates[name].append(rate)
            if name == "watermark":
                first.append(wait)
        for genre, words in MASKED.items():
            for name, rate in zip(("drawn", "kept"), _masked(studio, genre, words, seed), strict=True):
                rates.setdefault(f"{name}_{genre}", []).append(rate)
    prefill = _prefill(engine)
    middle = {name: round(statistics.median(each), 2) for name, each in rates.items()}
    emit(
        f"text_speed_{engine.name}",
        f"one thread, {TOKENS} tokens, {ROUNDS} rounds in turn, medians",
        {
            "model": engine.name,
            "tokens_per_second": middle,
            "ratio_loop": round(middle["loop"] / middle["engine"], 3),
            "ratio_watermark": round(middle["watermark"] / middle["engine"], 3),
            **{f"ratio_{name}": round(middle[name] / middle["engine"], 3) for name in middle if "_" in name},
            "share_of_bandwidth_limit": round(middle["engine"] * size / bandwidth, 3),
            "bandwidth_gb_s": round(bandwidth / 1e9, 2),
            "prefill_tokens_per_second": round(prefill, 1),
            "first_token_s": round(statistics.median(first), 3),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        },
    )


def _own(engine: LanguageModel, seed: int) -> tuple[float, float]:
    """(seconds to the first piece, tokens a second after it) of the engine's own stream."""
    began, first, text = time.perf_counter(), 0.0, ""
    for piece in engine.stream(TURNS, sampling=SAMPLING, seed=seed, max_tokens=TOKENS):
        first = first or time.perf_counter()
        text += piece
    count = len(engine.tokenize(text))
    return first - began, (count - 1) / (time.perf_counter() - first)


def _ours(engine: LanguageModel, seed: int, mark: TextWatermark | None) -> tuple[float, float]:
    """The same of our loop."""
    step = Step("text", TURNS, sampling=SAMPLING, max_tokens=TOKENS)
    prompt = encode.prompt(engine, TURNS)
    short = Step("text", TURNS, sampling=SAMPLING, max_tokens=1)
    began = time.perf_counter()
    Writer(engine, (), mark, seed).write(short, prompt, {}, first=True)
    wait = time.perf_counter() - began
    session = engine.open(prompt, first=True)
    session.close()
    began = time.perf_counter()
    written = Writer(engine, (), mark, seed).write(step, prompt, {}, first=True)
    return wait, written.sampled / (time.perf_counter() - began)


def _masked(studio: Studio, genre: str, words: str, seed: int) -> tuple[float, float]:
    """(tokens drawn, tokens kept) a second of one draft with form masks and watermark."""
    room = genres.find(genre)
    brief = Brief(genre=genre, words=words, fields=genres.fields_of(room, {}), seed=seed)
    engine, drawn = studio.engine, 0
    opened = engine.open

    def counting(prompt: Sequence[int], *, first: bool = False) -> Session:
        session = opened(prompt, first=first)
        push = session.push

        def counted(tokens: Mapping[int, int]) -> Mapping[int, Scores]:
            nonlocal drawn
            drawn += len(tokens)
            return push(tokens)

        session.push = counted
        return session

    engine.open = counting
    try:
        began = time.perf_counter()
        mark = TextWatermark(PUBLISHED.secret, 4.0)
        draft = compose(brief, room.plan(brief), engine, room.assemble, watermark=mark)
        seconds = time.perf_counter() - began
    finally:
        engine.open = opened
    return drawn / seconds, draft.evidence.sampled_tokens / seconds


def _prefill(engine: LanguageModel) -> float:
    text = "The harbour was quiet and the boats lay still. " * 40
    tokens = engine.tokenize(text)[:400]
    began = time.perf_counter()
    engine.open(tokens, first=True).close()
    return len(tokens) / (time.perf_counter() - began)


def _bandwidth() -> float:
    """Bytes a second that one thread reads, summing 256 MiB, best of five."""
    source = np.ones(2**25, np.uint64)
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        source.max()
        best = max(best, source.nbytes / (time.perf_counter() - began))
    return best


if __name__ == "__main__":
    main()
