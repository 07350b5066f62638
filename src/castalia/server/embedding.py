"""Embeddings as OpenAI's clients ask for and read them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field


class Embeddings(BaseModel):
    """Texts to embed."""

    model_config = ConfigDict(extra="ignore")
    input: str | Annotated[list[str], Field(max_length=256)]
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"

    def job(self, settings: Mapping[str, object]) -> dict[str, Any]:
        """What the worker is told."""
        texts = [self.input] if isinstance(self.input, str) else self.input
        return {"do": "embed", "texts": texts, "settings": dict(settings)}

    def shown(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """The answer, of what the worker made."""
        spent = {"prompt_tokens": made["tokens"], "total_tokens": made["tokens"]}
        data = [
            {"object": "embedding", "index": index, "embedding": self._vector(vector)}
            for index, vector in enumerate(made["vectors"])
        ]
        return {"object": "list", "model": made["model"], "data": data, "usage": spent}

    def _vector(self, vector: list[float]) -> Any:  # noqa: ANN401 - numbers, or text
        if self.encoding_format == "float":
            return vector
        return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
