"""Embeddings as OpenAI's clients ask for and read them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

import numpy as np
from pydantic import BeforeValidator, Field

from castalia.core.language import say
from castalia.server.asked import Given
from castalia.server.errors import Refusal


def _no_tokens(given: object) -> object:
    """Texts; numbers are tokens of another model than the one here."""
    several = cast("list[Any]", given) if isinstance(given, list) else []
    if several and not isinstance(several[0], str):
        raise Refusal(
            400,
            "unsupported_parameter",
            say("Tokens are not read here, since they are another model's.", "此处不读取词元，因其属于其他模型。"),
            hint=say(
                "Send text; in LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False)",
                "请发送文本；LangChain 中为 OpenAIEmbeddings(check_embedding_ctx_length=False)",
            ),
            param="input",
        )
    return cast("object", given)


class Embeddings(Given):
    """Texts to embed."""

    input: Annotated[str | Annotated[list[str], Field(min_length=1, max_length=2048)], BeforeValidator(_no_tokens)]
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int | None, Field(ge=1)] = None
    """How many of a vector's numbers are given, its length being one again; None: all."""

    def job(self, settings: Mapping[str, object]) -> dict[str, Any]:
        """What the worker is told."""
        texts = [self.input] if isinstance(self.input, str) else self.input
        return {"do": "embed", "texts": texts, "settings": dict(settings)}

    def shown(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """The answer, of what the worker made.

        Raises:
            Refusal: it has fewer dimensions than were asked for.
        """
        if made["vectors"] and (self.dimensions or 1) > (width := len(made["vectors"][0])):
            raise Refusal(
                400,
                "invalid_value",
                say("{model} has {n:,} dimensions.", "{model} 有 {n:,} 维。", model=made["model"], n=width),
                hint=say("Ask for that many, or fewer.", "请不要超过该维数。"),
                param="dimensions",
            )
        spent = {"prompt_tokens": made["tokens"], "total_tokens": made["tokens"]}
        data = [
            {"object": "embedding", "index": index, "embedding": self._vector(vector)}
            for index, vector in enumerate(made["vectors"])
        ]
        return {"object": "list", "model": made["model"], "data": data, "usage": spent}

    def _vector(self, vector: list[float]) -> Any:  # noqa: ANN401 - numbers, or text
        if self.dimensions and self.dimensions < len(vector):
            kept = np.asarray(vector[: self.dimensions])
            vector = (kept / max(float(np.linalg.norm(kept)), 1e-12)).tolist()
        if self.encoding_format == "float":
            return vector
        return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
