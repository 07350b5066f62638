"""Requests to write, as OpenAI's clients send them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_LEAST_SHARE = 1e-6
"""Of probability: what OpenAI's `top_p` 0 comes to, the likeliest token alone."""


class Text(BaseModel):
    """A part of a turn."""

    model_config = ConfigDict(extra="ignore")
    type: Literal["text"]
    text: str


class Called(BaseModel):
    """A function that is called."""

    model_config = ConfigDict(extra="ignore")
    name: Annotated[str, Field(max_length=64)]
    arguments: str = "{}"


class Call(BaseModel):
    """A call of a tool in an earlier turn."""

    model_config = ConfigDict(extra="ignore")
    id: str = ""
    function: Called


class Turn(BaseModel):
    """A turn of a conversation."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Text] | None = None
    tool_calls: Annotated[list[Call], Field(max_length=32)] | None = None
    tool_call_id: str = ""

    @property
    def text(self) -> str:
        """All its words; a call and its result in the words in which the model knows them."""
        content = self.content or ""
        words = content if isinstance(content, str) else "\n".join(each.text for each in content)
        if self.role == "tool":
            return f"Result of the tool: {words}"
        calls = [
            f'{{"name": {json.dumps(each.function.name)}, "arguments": {each.function.arguments}}}'
            for each in self.tool_calls or ()
        ]
        return "\n".join([*([words] if words or not calls else []), *calls])


class Function(BaseModel):
    """What a tool is."""

    model_config = ConfigDict(extra="ignore")
    name: Annotated[str, Field(pattern=r"^[\w-]{1,64}$")]
    description: Annotated[str, Field(max_length=4000)] = ""
    parameters: dict[str, Any] | None = None


class Tool(BaseModel):
    """A tool that may be called."""

    model_config = ConfigDict(extra="ignore")
    type: Literal["function"]
    function: Function


class Named(BaseModel):
    """A function by its name."""

    model_config = ConfigDict(extra="ignore")
    name: str


class Choice(BaseModel):
    """The tool that must be called."""

    model_config = ConfigDict(extra="ignore")
    type: Literal["function"]
    function: Named


class SchemaOf(BaseModel):
    """A JSON schema with its name."""

    model_config = ConfigDict(extra="ignore")
    name: str = ""
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None


class Format(BaseModel):
    """What the reply has to be."""

    model_config = ConfigDict(extra="ignore")
    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaOf | None = None

    @property
    def asked(self) -> Mapping[str, Any] | None:
        """The JSON schema; None for free words."""
        if self.type == "json_schema" and self.json_schema and self.json_schema.schema_ is not None:
            return self.json_schema.schema_
        return None if self.type == "text" else {"type": "object"}


class StreamOptions(BaseModel):
    """What a stream brings beside."""

    model_config = ConfigDict(extra="ignore")
    include_usage: bool = False


class Sampled(BaseModel):
    """What every request to write may say."""

    model_config = ConfigDict(extra="allow")
    model: str = ""
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Annotated[int | None, Field(ge=1, le=8)] = None
    seed: int | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    max_tokens: Annotated[int | None, Field(ge=1, le=8192)] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(ge=0, le=1)] = None
    presence_penalty: Annotated[float | None, Field(ge=-2, le=2)] = None
    frequency_penalty: Annotated[float | None, Field(ge=-2, le=2)] = None

    @property
    def sampling(self) -> Mapping[str, float | None]:
        """What it says of how tokens are drawn, by the names of the settings."""
        top_p = None if self.top_p is None else max(self.top_p, _LEAST_SHARE)
        told = {name: getattr(self, name) for name in ("temperature", "presence_penalty", "frequency_penalty")}
        return {**told, "top_p": top_p}

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts before which it ends."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())


class Chat(Sampled):
    """A request for a reply."""

    messages: Annotated[list[Turn], Field(min_length=1, max_length=400)]
    max_completion_tokens: Annotated[int | None, Field(ge=1, le=8192)] = None
    response_format: Format | None = None
    tools: Annotated[list[Tool], Field(max_length=64)] | None = None
    tool_choice: Literal["none", "auto", "required"] | Choice | None = None
    parallel_tool_calls: bool | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int | None, Field(ge=0, le=20)] = None

    @property
    def most(self) -> int:
        """Tokens of a reply."""
        return self.max_completion_tokens or self.max_tokens or 512


class Completion(Sampled):
    """A request to go on with a text."""

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=1)]
    logprobs: Annotated[int | None, Field(ge=0, le=20)] = None
    echo: bool = False

    @property
    def text(self) -> str:
        """What is gone on with."""
        return self.prompt if isinstance(self.prompt, str) else self.prompt[0]
