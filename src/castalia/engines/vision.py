"""A model that says in words what a picture shows: behind any OpenAI-compatible chat endpoint that takes pictures."""

from __future__ import annotations

from typing import Any

from castalia.core.errors import EngineError
from castalia.core.language import say
from castalia.core.ports import Message, Sampling
from castalia.core.values import Language
from castalia.engines.connection import Connection, file_name

_ASKED: dict[Language, str] = {
    "en": "Say in one or two plain sentences what this picture shows: things, place, light. Name only what is seen.",
    "zh": "用一两句平实的话说出这张图片里有什么：事物、地点、光线。只说看得见的。",
}
_TOKENS = 120
_LONGEST = 500
"""Characters of a caption that are kept."""


class VisionModel:
    """Says what pictures show; what it says is a guess.

    Args:
        url: Base URL, mostly ending in `/v1`.
        model: The server's name for the model; empty takes the first that it lists.
        key: API key; empty sends none.
        digest: SHA-256 of the weights, where they are known.
        build: Engine and version; empty says that it is an endpoint.
        transport: An httpx transport, for tests and proxies.

    Raises:
        UsageError: the URL is not HTTP(S), or a key would travel unencrypted.
        EngineError: the server cannot be reached, or lists no model.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str = "",
        key: str = "",
        digest: str = "",
        build: str = "",
        transport: Any = None,  # noqa: ANN401
    ) -> None:
        self._connection = Connection(url, key=key, transport=transport)
        self._model = model or self._connection.models("vision_model =")[0]
        self.name = file_name(self._model)
        self.digest = digest or f"{self._connection.address}#{self.name}"
        self.build = build or f"OpenAI-compatible endpoint at {self._connection.host}"

    def describe(self, png: bytes, language: Language = "en") -> str:
        """What a picture shows, in a sentence or two.

        Raises:
            EngineError: the server refuses pictures, or says nothing.
        """
        pieces = self._connection.chat(
            self._model,
            [Message("user", _ASKED[language])],
            sampling=Sampling(temperature=0.0),
            seed=0,
            max_tokens=_TOKENS,
            png=png,
        )
        said = " ".join("".join(pieces).split())[:_LONGEST]
        if not said:
            raise EngineError(
                say("{name} said nothing of the picture.", "{name} 没有说出图片内容。", name=self.name),
                hint=say("Does the model see? Choose another vision_model.", "该模型能看图吗？请更换 vision_model。"),
            )
        return said

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()
