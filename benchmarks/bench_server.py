"""The server under load: `python benchmarks/bench_server.py [MODEL]`, by default smollm2-135m.

Protocol: `castalia serve` as it is installed, on this machine, with one language model. streams: a chat of 96 tokens
alone, then four at once, each by an account of its own; all tokens over all seconds; in the same run and in turn
llama.cpp's server with four slots, with one thread and with one a core, of which the better counts; three rounds,
medians. mixed: 20 clients of four accounts send 10 requests each (lists, files, verification, moderation, embeddings,
replies, pictures); lost is what got no right answer after waiting as `Retry-After` says. memory: resident megabytes
after 200, 1,100 and 2,000 of 2,000 such requests from eight clients, nine in ten of them light; flat is less than 3 %
and 12 MB more in the second half. slow: 60 connections that send half a request and 20 that take no answer; the time
of /healthz beside them, and how many are left after 30 s. Fails when something is lost, memory is not flat, a slow
connection stays, or four streams are slower than .9 of one.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from _report import emit
from castalia.models import ensure
from servers import Served, tile

STREAMS, TOKENS, ROUNDS = 4, 96, 3
ASKED = "Tell the story of a lighthouse, a storm and a lost ship, in as much detail as you can."
LLAMA = """
import sys, time, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, slots = sys.argv[1], int(sys.argv[2])
parameters.n_ctx, parameters.n_parallel, parameters.cpuparams.n_threads = 2048 * slots, slots, int(sys.argv[3])
parameters.hostnames, parameters.port = ["127.0.0.1"], 0
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
time.sleep(10**6)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="smollm2-135m")
    parser.add_argument("--streams", action="store_true", help="measure the streams alone")
    asked = parser.parse_args()
    model: str = asked.model
    path = ensure(model)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("CASTALIA_MODELS", str(path.parent))
        os.environ["CASTALIA_HOME"] = folder
        served = Served(Path(folder) / "server", ("--requests", "0"), {"CASTALIA_MODEL": model}).start()
        try:
            ada = served.sign_up("Ada")
            codes = [ada.client.post("/api/invitations").json()["invitation"] for _ in range(STREAMS - 1)]
            people = [ada, *(served.sign_up(f"Person {n}", code) for n, code in enumerate(codes))]
            keys = [each.key() for each in people]
            figures = streams(served.url, keys, path)
            if not asked.streams:
                figures |= mixed(served.url, keys) | memory(served, keys) | slow(served)
        finally:
            served.stop()
    good = (
        figures.get("mixed_lost", 0) == 0
        and figures.get("memory_flat", True)
        and figures.get("slow_left_after_30_seconds", 0) == 0
        and figures["streams_together_over_one"] >= 0.9
    )
    loads = {"load_before": round(load, 1), "load_after": round(os.getloadavg()[0], 1)}
    emit(
        "server", " ".join(__doc__.split("Protocol: ")[1].split()), {"model": model, **loads, **figures, "passed": good}
    )
    sys.exit(0 if good else 1)


# -------------------------------------------------------------------- streams


def streams(url: str, keys: Sequence[str], model: Path) -> dict[str, Any]:
    """Tokens a second of one stream and of several."""
    rates: dict[str, list[float]] = {}
    first: list[float] = []
    with contextlib.ExitStack() as running:
        threads = sorted({1, os.cpu_count() or 1})  # fewer are faster where others compute too
        rivals = {f"llama_{n}": running.enter_context(llama(model, n)) for n in threads}
        asked = {"castalia": (url, keys), **{name: (base, [""] * STREAMS) for name, base in rivals.items()}}
        for base, who in asked.values():
            said(base, who[0], 0)  # the model is loaded
        for seed in range(ROUNDS):
            for name, (base, who) in asked.items():
                for label, several in (("one", who[:1]), ("together", who)):
                    rate, firsts = together(base, several, 10 * seed + 1)
                    rates.setdefault(f"{name}_{label}", []).append(rate)
                    if (name, label) == ("castalia", "together"):
                        first.extend(firsts)
    medians = {name: statistics.median(row) for name, row in rates.items()}
    best = max(rivals, key=lambda each: medians[f"{each}_together"])
    return {
        "streams_tokens_per_second": {name: round(each, 1) for name, each in medians.items()},
        "streams_together_over_one": ratio(rates["castalia_together"], rates["castalia_one"]),
        "streams_best_llama": best,
        "streams_llama_together_over_one": ratio(rates[f"{best}_together"], rates[f"{best}_one"]),
        "streams_together_over_llama_together": ratio(rates["castalia_together"], rates[f"{best}_together"]),
        "streams_one_over_llama_one": ratio(rates["castalia_one"], rates[f"{best}_one"]),
        "streams_last_first_word_seconds": round(max(first), 2),
    }


@contextlib.contextmanager
def llama(model: Path, threads: int) -> Iterator[str]:
    """llama.cpp's own server; its address."""
    command = [sys.executable, "-c", LLAMA, str(model), str(STREAMS), str(threads)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "127.0.0.1" in line).strip()
        try:
            yield line if line.startswith("http") else f"http://{line}"
        finally:
            process.kill()


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """Median of the rounds' ratios."""
    return round(statistics.median(a / b for a, b in zip(over, under, strict=True)), 2)


def together(base: str, keys: Sequence[str], seed: int) -> tuple[float, list[float]]:
    """(all tokens over all seconds, seconds to the first word of each) of streams that begin at once."""
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(keys)) as pool:
        ended = list(pool.map(lambda each: said(base, each[1], seed + each[0]), enumerate(keys)))
    return sum(tokens for tokens, _ in ended) / (time.monotonic() - began), [first for _, first in ended]


def said(base: str, key: str, seed: int) -> tuple[int, float]:
    """(tokens, seconds to the first word) of one stream."""
    body = {
        "model": "castalia",
        "messages": [{"role": "user", "content": ASKED}],
        "seed": seed,
        "max_tokens": TOKENS,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    began, first, tokens = time.monotonic(), 0.0, 0
    with httpx.stream("POST", f"{base}/v1/chat/completions", json=body, headers=headers, timeout=600) as answer:
        assert answer.status_code == 200, answer.read()
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                event = json.loads(line.removeprefix("data: "))
                assert "error" not in event, event
                if not first and event["choices"] and event["choices"][0]["delta"].get("content"):
                    first = time.monotonic() - began
                if event.get("usage"):
                    tokens = event["usage"]["completion_tokens"]
    assert tokens > 0
    return tokens, first


# -------------------------------------------------------------------- many requests


class Client:
    """Somebody who asks, and waits where told to."""

    def __init__(self, url: str, key: str) -> None:
        self.line = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=300)
        self.waits = 0
        self.last = ""

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx types them
        """An answer; what is busy is asked again."""
        for _ in range(200):
            answer = self.line.request(method, path, **more)
            if answer.status_code not in (429, 503):
                break
            self.waits += 1
            time.sleep(min(float(answer.headers["Retry-After"]), 5))
        self.last = f"{method} {path}: {answer.status_code} {answer.content[:400]!r}"
        return answer

    def made(self, genre: str, **fields: object) -> bool:
        """Whether a work is made, and its file can be had."""
        job = self.ask("POST", "/api/works", json={"genre": genre, "fields": fields, "seed": 1}).json()
        while job.get("state") in ("waiting", "running"):
            time.sleep(0.1)
            job = self.ask("GET", f"/api/jobs/{job['id']}").json()
        if job.get("state") != "done":
            return False
        file = self.ask("GET", f"/api/works/{job['works'][0]}/files/png")
        removed = self.ask("DELETE", f"/api/works/{job['works'][0]}")  # the same number of works at the end
        return file.status_code == 200 and file.content.startswith(b"\x89PNG") and removed.status_code == 204


def verified(client: Client, _: int) -> bool:
    answer = client.ask("POST", "/api/verify", files={"file": ("a.txt", b"Some words that nobody marked.")})
    return answer.status_code == 200 and not answer.json()["ok"]


def replied(client: Client, seed: int) -> bool:
    body = {"messages": [{"role": "user", "content": "Say a word."}], "max_tokens": 8, "seed": seed}
    answer = client.ask("POST", "/v1/chat/completions", json=body)
    return answer.status_code == 200 and answer.json()["usage"]["completion_tokens"] > 0


def embedded(client: Client, _: int) -> bool:
    answer = client.ask("POST", "/v1/embeddings", json={"input": ["the sea", "a boat"]})
    return answer.status_code == 200 and len(answer.json()["data"]) == 2


def moderated(client: Client, _: int) -> bool:
    answer = client.ask("POST", "/v1/moderations", json={"input": "a calm sea"})
    return answer.status_code == 200 and not answer.json()["results"][0]["flagged"]


def listed(client: Client, number: int) -> bool:
    path = ("/api/works", "/api/genres", "/v1/models", "/api/jobs", "/api/session", "/openapi.json", "/")[number % 7]
    return client.ask("GET", path).status_code == 200


def patterned(client: Client, _: int) -> bool:
    return client.made("pattern", picture=tile())


MIXED: Sequence[Callable[[Client, int], bool]] = (
    listed,
    verified,
    moderated,
    replied,
    listed,
    embedded,
    listed,
    patterned,
    moderated,
    replied,
)
HEAVY = {9: replied, 19: embedded, 29: patterned}
LIGHT = (listed, verified, moderated, listed)


def light(client: Client, number: int) -> bool:
    """Nine in ten without a model."""
    return HEAVY.get(number % 30, LIGHT[number % 4])(client, number)


def asked(url: str, keys: Sequence[str], clients: int, each: int, what: Callable[[Client, int], bool]) -> Counter[str]:
    """So many requests from so many clients: how many were answered right, and waited."""

    def one(number: int) -> Counter[str]:
        client, counted = Client(url, keys[number % len(keys)]), Counter[str]()
        for turn in range(each):
            try:
                right = what(client, turn + number)
                counted["right" if right else "lost"] += 1
                if not right:
                    print(client.last, file=sys.stderr)
            except (httpx.HTTPError, KeyError, ValueError) as error:
                counted["lost"] += 1
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
        client.line.close()
        return counted + Counter(waits=client.waits)

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(one, range(clients)), Counter[str]())


def mixed(url: str, keys: Sequence[str]) -> dict[str, Any]:
    """Requests of all kinds at once."""
    began = time.monotonic()
    counted = asked(url, keys, 20, 10, lambda client, number: MIXED[number % 10](client, number))
    return {
        "mixed_right": counted["right"],
        "mixed_lost": counted["lost"],
        "mixed_told_to_wait": counted["waits"],
        "mixed_seconds": round(time.monotonic() - began, 1),
    }


def memory(served: Served, keys: Sequence[str]) -> dict[str, Any]:
    """Resident megabytes as requests come and go."""
    sizes, lost = [], 0
    for each in (25, 112, 113):  # from eight clients: 200, 896 and 904
        lost += asked(served.url, keys, 8, each, light)["lost"]
        sizes.append(resident(served.process.pid))
    grown = sizes[2] - sizes[1]
    return {
        "memory_start_middle_end_megabytes": [round(each, 1) for each in sizes],
        "memory_lost": lost,
        "memory_flat": grown < 12 and grown < 0.03 * sizes[1],
    }


def resident(process: int) -> float:
    """Megabytes of memory that a process has now."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


# -------------------------------------------------------------------- slow clients


def slow(served: Served) -> dict[str, Any]:
    """What connections that do nothing do to others, and what becomes of them."""
    at = urlsplit(served.url)
    address = (at.hostname, at.port)
    before = sockets(served.process.pid)
    half = f"POST /api/session HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Length: 900\r\n\r\n{{".encode()
    whole = f"GET /openapi.json HTTP/1.1\r\nHost: {at.netloc}\r\n\r\n".encode() * 300
    lines: list[socket.socket] = []
    for number in range(80):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        line.connect(address)
        line.sendall(whole if number >= 60 else half)
        lines.append(line)
    seconds: list[float] = []
    with httpx.Client(base_url=served.url) as client:
        began = time.monotonic()
        while time.monotonic() - began < 30:
            asked_at = time.monotonic()
            assert client.get("/healthz", timeout=30).status_code == 200
            seconds.append(time.monotonic() - asked_at)
            time.sleep(0.1)
        left = max(0, sockets(served.process.pid) - before - 1)
    for line in lines:
        line.close()
    return {
        "slow_connections": len(lines),
        "slow_health_milliseconds_p50_p95": [
            round(1000 * each) for each in (statistics.median(seconds), sorted(seconds)[int(len(seconds) * 0.95)])
        ],
        "slow_left_after_30_seconds": left,
    }


def sockets(process: int) -> int:
    """Connections of a process."""
    return sum(
        os.readlink(each).startswith("socket:") for each in Path(f"/proc/{process}/fd").iterdir() if each.is_symlink()
    )


if __name__ == "__main__":
    main()
