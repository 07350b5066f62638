"""What runs weights: llama.cpp in process, and OpenAI-compatible endpoints."""

from __future__ import annotations

from castalia.core.errors import EngineError
from castalia.core.language import say
from castalia.core.ports import LanguageModel, Progress
from castalia.engines.threads import processors

__all__ = ["connect", "processors"]


def connect(url: str, *, model: str, key: str, progress: Progress | None = None) -> LanguageModel:
    """The engine that makes the most of a server: with token scores where it hands them out.

    Args:
        url: Base URL of the endpoint.
        model: Name of its model; empty takes the server's own.
        key: API key; empty sends none.
        progress: Told when there are no token scores.

    Raises:
        UsageError: the URL is none, or a key would travel unencrypted.
        EngineError: the server cannot be reached, or lists no model.
    """
    from castalia.engines.endpoint import Endpoint
    from castalia.engines.llama_server import LlamaServer

    try:
        return LlamaServer(url, model=model, key=key)
    except EngineError as error:
        if progress:
            progress(
                say(
                    "no token scores, so rules are only checked: {why}",
                    "没有词元分数，规则只能事后检查：{why}",
                    why=error.message,
                ),
                0.0,
            )
        return Endpoint(url, model=model, key=key)
