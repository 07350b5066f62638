"""Any OpenAI-compatible endpoint as an engine: llama-server, vLLM, Ollama, a hosted service.

What it cannot do is said in its capabilities: an endpoint hands out finished text, so form rules are checked afterwards
instead of acting on each token, and no watermark can be put in.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn
from urllib.parse import SplitResult, urlsplit

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import EngineError, UsageError
from castalia.core.language import say
from castalia.core.ports import Capabilities, Message, Sampling, Session

_TRIES = 3
_LONGEST_WAIT = 20.0
"""Seconds; a server that asks for more patience than this is reported as busy instead."""


def secret_name(url: str) -> str:
    """The name under which an endpoint's key is kept: its scheme and host, so that no other host is sent it.

    Raises:
        UsageError: the URL is not HTTP(S).
    """
    parts = _parts(url)
    return f"endpoint/{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # brackets or a port that are none
        pass
    raise UsageError(
        say("{url!r} is not an endpoint's URL.", "{url!r} 不是端点网址。", url=url), hint="http://127.0.0.1:8080/v1"
    )


class Endpoint:
    """A `LanguageModel` behind HTTP.

    Args:
        url: Base URL, mostly ending in `/v1`.
        model: The server's name for the model; empty takes the first that it lists.
        key: API key; empty sends none.
        transport: An httpx transport, for tests and proxies.

    Raises:
        UsageError: the URL is not HTTP(S), or a key would travel unencrypted to another machine.
        EngineError: the server cannot be reached, or lists no model.
    """

    def __init__(self, url: str, *, model: str = "", key: str = "", transport: Any = None) -> None:  # noqa: ANN401
        import httpx

        parts = _parts(url)
        if key and parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise UsageError(
                say("The key for {host} would travel unencrypted.", "{host} 的密钥将以明文传输。", host=parts.hostname),
                hint=say("Use https://.", "请使用 https://。"),
            )
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(180, connect=10),
            transport=transport,
            follow_redirects=False,
        )
        self._url = url
        self._model = model or self._first_model()
        # Some servers call a model by the path of its file; a path of theirs has no place in a work's record.
        self.name = re.split(r"[/\\]", self._model)[-1] if re.match(r"/|[A-Za-z]:\\", self._model) else self._model
        self.digest = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}#{self.name}"
        self.build = f"OpenAI-compatible endpoint at {parts.hostname}"
        self.threads = 0
        self.context = 8192
        self.capabilities = Capabilities(scores="none", embeddings=False, seed=False)

    def render(self, messages: Sequence[Message]) -> str:
        """The conversation in plain words; the server applies its own template."""
        return "\n\n".join(f"{turn.role}: {turn.content}" for turn in messages)

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:  # noqa: ARG002
        """See `LanguageModel.tokenize`; not to be had here."""
        self._cannot("tokenize")

    def piece(self, token: int) -> bytes:  # noqa: ARG002
        """See `LanguageModel.piece`; not to be had here."""
        self._cannot("show tokens")

    def ends(self, token: int) -> bool:  # noqa: ARG002
        """See `LanguageModel.ends`; not to be had here."""
        self._cannot("show tokens")

    def open(self, prompt: Sequence[int], *, first: bool = False) -> Session:  # noqa: ARG002
        """See `LanguageModel.open`; not to be had here."""
        self._cannot("score tokens")

    def stream(
        self, messages: Sequence[Message], *, sampling: Sampling, seed: int, max_tokens: int, stop: Sequence[str] = ()
    ) -> Iterator[str]:
        """See `LanguageModel.stream`."""
        import httpx

        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": turn.role, "content": turn.content} for turn in messages],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": seed,
            "max_tokens": max_tokens,
            "stream": True,
        } | ({"stop": list(stop)} if stop else {})
        for attempt in range(_TRIES):
            try:
                with self._client.stream("POST", "chat/completions", json=body) as response:
                    if response.status_code != 200:
                        response.read()
                        if self._again(response, attempt):
                            continue
                        raise self._refusal(response.status_code, response.text)
                    yield from _pieces(response.iter_lines())
                    return
            except httpx.HTTPError as error:
                raise self._unreachable(error) from error

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `LanguageModel.embed`; not promised, since many servers refuse it: what they answer is raised."""
        rows: list[dict[str, Any]] = self._ask("POST", "embeddings", {"model": self._model, "input": list(texts)})[
            "data"
        ]
        vectors = np.array([row["embedding"] for row in sorted(rows, key=lambda row: row["index"])], np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _first_model(self) -> str:
        listed: list[dict[str, Any]] = self._ask("GET", "models").get("data") or []
        if not listed:
            raise EngineError(
                say("{url} lists no model.", "{url} 没有列出任何模型。", url=self._url),
                hint=say("Name one: --model {url}#NAME.", "请指明：--model {url}#NAME。", url=self._url),
            )
        return str(listed[0]["id"])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        import httpx

        for attempt in range(_TRIES):
            try:
                response = self._client.request(method, path, json=body)
            except httpx.HTTPError as error:
                raise self._unreachable(error) from error
            if response.status_code == 200:
                try:
                    answer: Any = response.json()
                    return answer
                except ValueError as error:
                    raise self._refusal(200, response.text) from error
            if not self._again(response, attempt):
                raise self._refusal(response.status_code, response.text)
        raise AssertionError  # the last try returns or raises

    def _again(self, response: Any, attempt: int) -> bool:  # noqa: ANN401
        """Whether to ask once more, after the wait that the server names."""
        if response.status_code not in (429, 503) or attempt + 1 == _TRIES:
            return False
        named = response.headers.get("retry-after", "")
        wait = float(named) if named.replace(".", "", 1).isdigit() else 0.5 * 2**attempt
        if wait > _LONGEST_WAIT:
            return False
        time.sleep(wait)
        return True

    def _refusal(self, status: int, text: str) -> EngineError:
        wants_key = say(
            "Store a valid key with `castalia keys endpoint URL`, or set CASTALIA_ENDPOINT_KEY.",
            "请用 `castalia keys endpoint 网址` 保存有效密钥，或设置 CASTALIA_ENDPOINT_KEY。",
        )
        hints = {
            401: wants_key,
            403: wants_key,
            404: say("The URL mostly ends in /v1.", "网址通常以 /v1 结尾。"),
        }
        return EngineError(
            say(
                "{url} answered {status}: {text}",
                "{url} 返回 {status}：{text}",
                url=self._url,
                status=status,
                text=text[:300],
            ),
            hint=hints.get(status, ""),
            retryable=status in (429, 500, 502, 503, 504),
        )

    def _unreachable(self, error: Exception) -> EngineError:
        return EngineError(
            say("{url} cannot be reached: {why}.", "无法连接 {url}：{why}。", url=self._url, why=error),
            hint=say("Is the server running?", "服务器是否在运行？"),
            retryable=True,
        )

    def _cannot(self, what: str) -> NoReturn:
        raise EngineError(f"an OpenAI-compatible endpoint cannot {what}; ask `capabilities` first")


def _pieces(lines: Iterator[str]) -> Iterator[str]:
    """Texts out of a server-sent event stream; a server's own error event is raised."""
    for line in lines:
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        if data == "[DONE]":
            return
        try:
            event: dict[str, Any] = json.loads(data)
        except ValueError as error:
            raise EngineError(f"the endpoint sent a broken event: {data[:200]}", retryable=True) from error
        if "error" in event:
            raise EngineError(f"the endpoint failed: {event['error']}", retryable=True)
        choices: list[dict[str, Any]] = event.get("choices") or []
        for choice in choices:
            delta: dict[str, Any] = choice.get("delta") or {}
            if text := delta.get("content"):
                yield str(text)
