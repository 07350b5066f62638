"""An HTTP connection to a language model's server, for every remote engine: keys, time-outs, busy servers, errors."""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import EngineError, UsageError
from castalia.core.language import say
from castalia.core.ports import Message, Sampling, SecretStore

_TRIES = 3
_MOST_BYTES = 100_000_000
"""Of one answer: a picture of 40 megapixels as base64 is 60 MB; more is not read."""
_LONGEST_TOKEN = 64
"""Characters; more of them for each token asked for are not read."""
_PATIENCE = 180.0
_LONGEST_WAIT = 20.0
"""Seconds; a server that asks for more patience than this is reported as busy instead."""


def secret_name(url: str) -> str:
    """The name under which an endpoint's key is kept: its scheme and host, so that no other host is sent it.

    Raises:
        UsageError: the URL is not HTTP(S).
    """
    parts = _parts(url)
    return f"endpoint/{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


def key_for(url: str, variable: str, secrets: SecretStore | None) -> str:
    """The key of an endpoint; empty where there is none.

    Args:
        url: Of the endpoint; a model's name may follow after `#`.
        variable: Of the environment, which goes first.
        secrets: Where keys are kept, by host.
    """
    kept = secrets.get(secret_name(url.partition("#")[0])) if secrets else None
    return os.environ.get(variable) or (kept or b"").decode()


def file_name(model: str) -> str:
    """A model's name without folders: some servers call one by the path of its file, which no record should hold."""
    return re.split(r"[/\\]", model)[-1] if re.match(r"/|[A-Za-z]:\\", model) else model


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


class Connection:
    """Requests to one server.

    Args:
        url: Base URL; the paths asked for are put behind it.
        key: API key; empty sends none.
        transport: An httpx transport, for tests and proxies.

    Raises:
        UsageError: the URL is not HTTP(S), or a key would travel unencrypted to another machine.
    """

    def __init__(self, url: str, *, key: str = "", transport: Any = None) -> None:  # noqa: ANN401
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
            timeout=httpx.Timeout(_PATIENCE, connect=10),
            limits=httpx.Limits(keepalive_expiry=3),  # llama.cpp's server closes an idle connection after 5 seconds
            transport=transport,
            follow_redirects=False,
        )
        self._url = url
        self.host = parts.hostname
        self.address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        """The URL without a user's name and password."""

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        tries: int = _TRIES,
        patience: float = _PATIENCE,
    ) -> Any:  # noqa: ANN401 - JSON
        """The server's JSON answer; a busy server is asked again, one that is silent for `patience` seconds given up.

        Args:
            method: `GET` or `POST`.
            path: Behind the base URL.
            body: Sent as JSON; with files as the fields of a form.
            files: By field: name, content, media type.
            tries: How often it is asked.
            patience: Seconds.

        Raises:
            EngineError: the server cannot be reached, refuses, or answers with something else than JSON, or too much.
        """
        import httpx

        sent: dict[str, Any] = {"data": body, "files": files} if files else {"json": body}
        for attempt in range(tries):
            try:
                timeout = httpx.Timeout(patience, connect=10)
                with self._client.stream(method, path, timeout=timeout, **sent) as response:
                    content = self._content(response)
            except httpx.HTTPError as error:
                raise self._unreachable(error) from error
            text = content.decode(errors="replace")
            if response.status_code == 200:
                try:
                    answer: Any = json.loads(content)
                    return answer
                except (ValueError, RecursionError) as error:
                    raise self._refusal(200, text) from error
            if not _again(response, attempt, tries):
                raise self._refusal(response.status_code, text)
        raise AssertionError  # the last try returns or raises

    def _content(self, response: Any) -> bytes:  # noqa: ANN401
        """The answer, as long as it is not too long."""
        content = bytearray()
        for piece in response.iter_bytes():
            content += piece
            if len(content) > _MOST_BYTES:
                raise EngineError(
                    say(
                        "{url} answered with more than {n} MB.",
                        "{url} 的返回超过 {n} MB。",
                        url=self._url,
                        n=_MOST_BYTES // 1_000_000,
                    ),
                    hint=say("Ask for a smaller picture: image_size.", "请减小图片：image_size。"),
                )
        return bytes(content)

    def chat(
        self,
        model: str,
        messages: Sequence[Message],
        *,
        sampling: Sampling,
        seed: int,
        max_tokens: int,
        stop: Sequence[str] = (),
        png: bytes = b"",
    ) -> Iterator[str]:
        """The server's own generation by OpenAI's protocol, piece by piece; see `LanguageModel.stream`.

        Args:
            model: The server's name for it.
            messages: The conversation.
            sampling: How tokens are drawn.
            seed: For a server that takes one.
            max_tokens: At most.
            stop: Texts that end it.
            png: A picture that the last message is about; empty sends none.
        """
        import httpx

        turns: list[dict[str, Any]] = [{"role": turn.role, "content": turn.content} for turn in messages]
        if png:
            link = f"data:image/png;base64,{base64.b64encode(png).decode()}"
            said = {"type": "text", "text": turns[-1]["content"]}
            turns[-1]["content"] = [said, {"type": "image_url", "image_url": {"url": link}}]
        body: dict[str, Any] = {
            "model": model,
            "messages": turns,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": seed,
            "max_tokens": max_tokens,
            "stream": True,
        } | ({"stop": list(stop)} if stop else {})
        penalties = ("presence_penalty", "frequency_penalty")
        body |= {name: value for name in penalties if (value := getattr(sampling, name))}  # few know them all
        for attempt in range(_TRIES):
            try:
                with self._client.stream("POST", "chat/completions", json=body) as response:
                    if response.status_code != 200:
                        response.read()
                        if _again(response, attempt, _TRIES):
                            continue
                        raise self._refusal(response.status_code, response.text)
                    yield from _limited(_pieces(response.iter_lines()), max_tokens * _LONGEST_TOKEN)
                    return
            except httpx.HTTPError as error:
                raise self._unreachable(error) from error

    def embed(self, model: str, texts: Sequence[str], path: str = "embeddings") -> NDArray[np.float32]:
        """Unit vectors of texts, shape (texts, width); many servers refuse, and what they answer is raised."""
        answer = self.ask("POST", path, {"model": model, "input": list(texts)})
        try:
            rows = sorted(answer["data"], key=lambda row: row["index"])
            vectors = np.array([row["embedding"] for row in rows], np.float32).reshape(len(texts), -1)
        except (KeyError, TypeError, ValueError) as error:
            raise self._refusal(200, str(answer)) from error
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def models(self, setting: str) -> Sequence[str]:
        """The names of its models, at least one.

        Args:
            setting: How one is named in the settings, before the URL: `--model`.

        Raises:
            EngineError: it lists none.
        """
        answer = self.ask("GET", "models")
        try:
            names = [str(each["id"]) for each in answer["data"]]
        except (KeyError, TypeError):
            names = []
        if names:
            return names
        raise EngineError(
            say("{url} lists no model.", "{url} 没有列出任何模型。", url=self._url),
            hint=say(
                "Name one: {setting} {url}#NAME.", "请指明：{setting} {url}#名称。", setting=setting, url=self._url
            ),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

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


def _again(response: Any, attempt: int, tries: int) -> bool:  # noqa: ANN401
    """Whether to ask once more, after the wait that the server names."""
    if response.status_code not in (429, 503) or attempt + 1 == tries:
        return False
    named = response.headers.get("retry-after", "")
    wait = float(named) if named.replace(".", "", 1).isdigit() else 0.5 * 2**attempt
    if wait > _LONGEST_WAIT:
        return False
    time.sleep(wait)
    return True


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
            failure = event.get("error")
            choices: list[Any] = event.get("choices") or []
            texts: list[Any] = [(choice.get("delta") or {}).get("content") for choice in choices]
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise EngineError(f"the endpoint sent a broken event: {data[:200]}", retryable=True) from error
        if failure:
            raise EngineError(f"the endpoint failed: {str(failure)[:300]}", retryable=True)
        yield from (str(text) for text in texts if text)


def _limited(pieces: Iterator[str], most: int) -> Iterator[str]:
    """The pieces up to so many characters: a server that never ends does not fill the memory."""
    for piece in pieces:
        yield piece[:most]
        most -= len(piece)
        if most <= 0:
            return
