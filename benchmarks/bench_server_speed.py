"""Speed of writing token by token over HTTP: `python benchmarks/bench_server_speed.py MODEL.gguf`.

Protocol: llama.cpp's server on this machine, one thread, one slot; the same prompt, 24 tokens, five rounds in turn,
medians of tokens a second. `server`: its own generation in one request, by its own clock. `loop`: our sampling loop,
a request a token, 512 scores each. `watermark`: the same with the watermark. `named`: 40 requests for 60 named scores.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx

from _report import emit
from castalia.core.ports import Message, Sampling, Step
from castalia.engines.llama_server import LlamaServer
from castalia.modalities.text.generate import Writer
from castalia.provenance.watermark import PUBLISHED
from castalia.provenance.watermarks.text import TextWatermark

TOKENS, ROUNDS = 24, 5
TURNS = (Message("user", "Tell the story of a lighthouse, a storm and a lost ship, in as much detail as you can."),)
SERVER = Path(__file__).parent.parent / "tests" / "llama_server.py"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    model: Path = parser.parse_args().model
    with subprocess.Popen(
        [sys.executable, str(SERVER), str(model)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        url = next(line for line in process.stdout if "127.0.0.1" in line).strip()
        try:
            figures = measure(url)
        finally:
            process.kill()
    emit("server_speed", " ".join(__doc__.split("Protocol: ")[1].split()), {"model": model.stem, **figures})


def measure(url: str) -> dict[str, float]:
    """Tokens a second, and milliseconds a request for named scores."""
    engine = LlamaServer(url)
    prompt = engine.tokenize(engine.render(TURNS), special=True)
    rates: dict[str, list[float]] = {"server": [], "loop": [], "watermark": []}
    for seed in range(ROUNDS):
        body = {"prompt": prompt, "n_predict": TOKENS, "seed": seed, "ignore_eos": True, "cache_prompt": True}
        timings = httpx.post(f"{url}/completion", json=body, timeout=600).json()["timings"]
        rates["server"].append(timings["predicted_per_second"])
        for name, mark in (("loop", None), ("watermark", TextWatermark(PUBLISHED.secret, 4.0))):
            engine.scores([prompt])  # the prompt is in memory, as it is for the server's own generation
            began = time.monotonic()
            step = Step("body", TURNS, sampling=Sampling(top_k=40), max_tokens=TOKENS)
            written = Writer(engine, (), mark, seed).write(step, prompt, {})
            rates[name].append(written.sampled / (time.monotonic() - began))
    known = engine.scores([prompt])[0]
    began = time.monotonic()
    for start in range(40):
        engine.named(prompt, range(1_000 + start, 1_060 + start), known)
    named = (time.monotonic() - began) / 40
    medians = {f"{name}_tokens_per_second": round(statistics.median(row), 1) for name, row in rates.items()}
    ratio = statistics.median(loop / own for loop, own in zip(rates["loop"], rates["server"], strict=True))
    return {**medians, "loop_over_server": round(ratio, 2), "named_milliseconds": round(1_000 * named, 1)}


if __name__ == "__main__":
    main()
