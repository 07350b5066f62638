"""A server that speaks OpenAI's protocol of pictures: it draws, draws again, and says what colour a picture has.

It knows nothing of Castalia. `strict` refuses what OpenAI's newest models refuse; `busy` answers so many times that it
is; `answer` replaces what it sends.
"""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
from PIL import Image

NAMES = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (30, 60, 200), "white": (250, 250, 250)}


@dataclass
class PictureServer:
    key: str = ""
    strict: bool = False
    models: tuple[str, ...] = ("painter-1",)
    busy: int = 0
    answer: bytes | None = None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __enter__(self) -> PictureServer:
        here = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                self.send(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in here.models]})

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                body = form(self.headers["content-type"], content)
                here.asked.append((self.path, body))
                if here.key and self.headers["authorization"] != f"Bearer {here.key}":
                    return self.send(401, {"error": {"message": "wrong key"}})
                if here.busy:
                    here.busy -= 1
                    return self.send(503, {"error": {"message": "busy"}}, {"retry-after": "0.01"})
                for name in ("seed", "response_format", "strength"):
                    if here.strict and name in body:
                        return self.send(400, {"error": {"message": f"Unknown parameter: '{name}'.", "param": name}})
                if here.answer is not None:
                    return self.send(200, here.answer)
                if self.path == "/v1/chat/completions":
                    return self.stream(described(body))
                return self.send(200, {"created": 1, "data": [{"b64_json": drawn(body)}]})

            def send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {"content-length": str(len(content)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def stream(self, text: str) -> None:
                events = [{"choices": [{"delta": {"content": word}}]} for word in text.split(" ")]
                lines = [f"data: {json.dumps(each)}\n\n" for each in events]
                self.send(200, "".join([*lines, "data: [DONE]\n\n"]).replace('"}}]}\n', ' "}}]}\n').encode())

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"


def form(kind: str, content: bytes) -> dict[str, Any]:
    """The fields of a request: JSON, or a form whose files are bytes."""
    if kind.startswith("application/json"):
        return json.loads(content)
    message = BytesParser().parsebytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + content)
    fields: dict[str, Any] = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        if name:
            held = part.get_payload(decode=True)
            fields[str(name)] = held if part.get_filename() else held.decode()
    return fields


def drawn(body: dict[str, Any]) -> str:
    """Stripes of the colour that the words name, moved by the seed; over a given picture half of them."""
    width, height = (int(each) for each in body.get("size", "64x64").split("x"))
    colour = next((levels for name, levels in NAMES.items() if name in body["prompt"]), (120, 120, 120))
    at = np.arange(height)[:, None] + np.arange(width) + int(body.get("seed", 0)) % 97
    pixels = np.where((at // 8 % 2)[..., None] > 0, colour, 245).astype(np.uint8)
    if "image" in body:
        given = Image.open(io.BytesIO(body["image"])).convert("RGB")
        pixels = np.asarray(Image.fromarray(pixels).resize(given.size)) // 2 + np.asarray(given) // 2
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def described(body: dict[str, Any]) -> str:
    """What colour a picture has on the whole, in words."""
    (link,) = (part["image_url"]["url"] for part in body["messages"][-1]["content"] if part["type"] == "image_url")
    head, _, data = link.partition(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    mean = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")).reshape(-1, 3).mean(0)
    name = min(NAMES, key=lambda each: float(np.abs(mean - NAMES[each]).sum()))
    return f"A {name} umbrella lies on the ground."
