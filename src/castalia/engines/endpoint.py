"""Any OpenAI-compatible endpoint as an engine: vLLM, Ollama, a hosted service.

What it cannot do is said in its capabilities: such an endpoint hands out finished text, so form rules are checked
afterwards instead of acting on each token, and no watermark can be put in. llama.cpp's own server can do more:
engines/llama_server.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import EngineError
from castalia.core.ports import Capabilities, Message, Sampling, Session
from castalia.engines.connection import Connection, file_name


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
        self._connection = Connection(url, key=key, transport=transport)
        self._model = model or self._connection.models("--model")[0]
        self.name = file_name(self._model)
        self.digest = f"{self._connection.address}#{self.name}"
        self.build = f"OpenAI-compatible endpoint at {self._connection.host}"
        self.threads = 0
        self.context = 8192
        self.capabilities = Capabilities(scores="none", embeddings=False, seed=False)

    def render(self, messages: Sequence[Message]) -> str:
        """The conversation in plain words; the server applies its own template."""
        return "\n\n".join(f"{turn.role}: {turn.content}" for turn in messages)

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:  # noqa: ARG002
        """See `LanguageModel.tokenize`; not to be had here."""
        self._cannot("tokenize")

    def tokenize_each(self, texts: Sequence[str]) -> list[list[int]]:  # noqa: ARG002
        """See `LanguageModel.tokenize_each`; not to be had here."""
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
        return self._connection.chat(
            self._model, messages, sampling=sampling, seed=seed, max_tokens=max_tokens, stop=stop
        )

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `LanguageModel.embed`; not promised, since many servers refuse it: what they answer is raised."""
        return self._connection.embed(self._model, texts)

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _cannot(self, what: str) -> NoReturn:
        raise EngineError(f"an OpenAI-compatible endpoint cannot {what}; ask `capabilities` first")
