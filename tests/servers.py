"""A real `castalia serve`, as its own process, for the tests of it."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

PASSWORD = "five quiet harbour lamps"


PROGRAM = """
import json, pathlib, sys
from castalia.server import ServerSettings, serve
settings = ServerSettings(port=0, data=pathlib.Path(sys.argv[1]), **json.loads(sys.argv[2]))
serve(settings, lambda url: print("Listening on", url, flush=True))
"""


@dataclass
class Served:
    """The process and its address; `data` outlives it."""

    data: Path
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    """Of `ServerSettings`, for those that have no option."""
    process: Any = None
    url: str = ""
    clients: list[httpx.Client] = field(default_factory=list)

    def start(self) -> Served:
        command = [sys.executable, "-m", "castalia", "--lang", "en", "serve", "--port", "0", "--data", str(self.data)]
        if self.settings:
            command = [sys.executable, "-c", PROGRAM, str(self.data), json.dumps(self.settings)]
        with (self.data.parent / f"{self.data.name}.log").open("a") as log:
            self.process = subprocess.Popen(
                [*command, *self.arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **self.environment},
            )
        line = self.process.stdout.readline()
        assert line.startswith("Listening on "), (line, self.log)
        self.url = line.split()[-1]
        return self

    @property
    def log(self) -> str:
        return (self.data.parent / f"{self.data.name}.log").read_text()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self._gone()

    def stop(self) -> None:
        self.process.terminate()
        self._gone()

    def _gone(self) -> None:
        self.process.wait(30)
        self.process.stdout.close()
        while self.clients:
            self.clients.pop().close()

    def client(self, **headers: str) -> httpx.Client:
        self.clients.append(httpx.Client(base_url=self.url, headers=headers, timeout=60))
        return self.clients[-1]

    def sign_up(self, name: str, invitation: str = "") -> Person:
        client = self.client()
        made = client.post("/api/accounts", json={"name": name, "password": PASSWORD, "invitation": invitation})
        assert made.status_code == 201, made.text
        client.headers["X-CSRF-Token"] = made.json()["csrf"]
        return Person(name, client, made.json())

    def log_in(self, name: str, password: str = PASSWORD) -> Person:
        client = self.client()
        made = client.post("/api/session", json={"name": name, "password": password})
        assert made.status_code == 200, made.text
        client.headers["X-CSRF-Token"] = made.json()["csrf"]
        return Person(name, client, made.json())


@dataclass
class Person:
    """Somebody with a session."""

    name: str
    client: httpx.Client
    told: dict[str, Any]

    def key(self, **wanted: Any) -> str:
        made = self.client.post("/api/keys", json=wanted)
        assert made.status_code == 201, made.text
        return made.json()["key"]

    def make(self, genre: str, words: str = "", **more: Any) -> dict[str, Any]:
        """A job that is over."""
        asked = self.client.post("/api/works", json={"genre": genre, "words": words, **more})
        assert asked.status_code == 202, asked.text
        return self.wait(asked.json()["id"])

    def wait(self, job: str) -> dict[str, Any]:
        """The last event of a job."""
        last = "{}"
        with self.client.stream("GET", f"/api/jobs/{job}/events", timeout=120) as events:
            assert events.status_code == 200
            for line in events.iter_lines():
                last = line.removeprefix("data: ") if line.startswith("data: ") else last
        return json.loads(last)


def tile() -> dict[str, str]:
    """A small picture, as a field of a request."""
    made = io.BytesIO()
    picture = Image.effect_mandelbrot((96, 96), (-2.0, -1.2, 0.6, 1.2), 40).convert("RGB")
    picture.paste("orange", (16, 16, 48, 40))
    picture.save(made, "png")
    return {"name": "../../tile.png", "base64": base64.b64encode(made.getvalue()).decode()}
