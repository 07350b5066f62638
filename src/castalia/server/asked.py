"""Requests to write, as OpenAI's clients send them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from castalia.core.language import say
from castalia.server.errors import Refusal

_MOST_TOKENS = 8192
"""Of a reply, however many more a request allows."""
_WORDS = ("text", "input_text", "output_text", "refusal")
"""Types of parts that are words."""
_MOST_PROMPTS = 20
"""Texts that one request has gone on with."""
_LEAST_SHARE = 1e-6
"""Of probability: what OpenAI's `top_p` 0 comes to, the likeliest token alone."""


class Given(BaseModel):
    """Of a request: what is `null` is left out, and what is not known here is not looked at."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, given: Any) -> Any:  # noqa: ANN401 - whatever was sent
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in cast("dict[str, Any]", given).items() if value is not None}


class Text(BaseModel):
    """A part of a turn."""

    type: Literal["text", "input_text", "output_text"]
    text: str


def _in_one_piece(content: Any) -> Any:  # noqa: ANN401 - whatever was sent
    return "\n".join(map(_words_of, cast("list[Any]", content))) if isinstance(content, list) else content


def _words_of(part: Any) -> str:  # noqa: ANN401 - whatever was sent
    """A part's words; a `Refusal` where it has none."""
    match part:
        case str():
            return part
        case {"type": "refusal", "refusal": str(text)} | {
            "type": "text" | "input_text" | "output_text",
            "text": str(text),
        }:
            return text
        case {"type": str(kind)} if kind not in _WORDS:
            raise Refusal(
                400,
                "unsupported_parameter",
                say(
                    "A part of the type {kind!r} is not read here.", "此处不读取 {kind!r} 类型的内容。", kind=kind[:40]
                ),
                hint=say("Send words alone: {part}", "请只发送文字：{part}", part='{"type": "text", "text": "…"}'),
                param="content",
            )
        case _:
            raise ValueError(say("A part is no {part}.", "有一部分不是 {part}。", part='{"type": "text", "text": "…"}'))


Words = Annotated[str, BeforeValidator(_in_one_piece, json_schema_input_type=str | list[Text])]
"""A text, whole or in parts."""


class Called(Given):
    """A function that is called."""

    name: Annotated[str, Field(max_length=64)]
    arguments: str = "{}"


class Call(Given):
    """A call of a tool in an earlier turn."""

    function: Called


class Turn(Given):
    """A turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Words = ""
    refusal: str = ""
    tool_calls: Annotated[list[Call], Field(max_length=32)] | None = None

    @property
    def text(self) -> str:
        """All its words; a call and its result in the words in which the model knows them."""
        words = self.content or self.refusal
        if self.role == "tool":
            return f"Result of the tool: {words}"
        calls = [
            f'{{"name": {json.dumps(each.function.name)}, "arguments": {each.function.arguments}}}'
            for each in self.tool_calls or ()
        ]
        return "\n".join([*([words] if words or not calls else []), *calls])


class Function(Given):
    """What a tool is."""

    name: Annotated[str, Field(pattern=r"^[\w-]{1,64}$")]
    description: str = ""
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Given):
    """A tool that may be called."""

    type: Literal["function"]
    function: Function


class Named(Given):
    """A function by its name."""

    name: str


class Choice(Given):
    """The tool that must be called."""

    type: Literal["function"]
    function: Named


class SchemaOf(Given):
    """A JSON schema with its name."""

    name: str = ""
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None


class Format(Given):
    """What the reply has to be."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaOf | None = None

    @property
    def asked(self) -> Mapping[str, Any] | None:
        """The JSON schema; None for free words."""
        if self.type == "json_schema" and self.json_schema and self.json_schema.schema_ is not None:
            return self.json_schema.schema_
        return None if self.type == "text" else {"type": "object"}


class StreamOptions(Given):
    """What a stream brings beside."""

    include_usage: bool = False


class Sampled(Given):
    """What every request to write may say."""

    model_config = ConfigDict(extra="allow")
    model: str = ""
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Annotated[int | None, Field(ge=1, le=8)] = None
    seed: int | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    max_tokens: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
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
        given = (self.stop,) if isinstance(self.stop, str) else self.stop or ()
        return tuple(each for each in given if each)


class Chat(Sampled):
    """A request for a reply."""

    messages: Annotated[list[Turn], Field(min_length=1, max_length=400)]
    max_completion_tokens: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    response_format: Format | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | Choice | None = None
    parallel_tool_calls: bool | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int | None, Field(ge=0, le=20)] = None

    @property
    def most(self) -> int:
        """Tokens of a reply."""
        return min(self.max_completion_tokens or self.max_tokens or 512, _MOST_TOKENS)


class Completion(Sampled):
    """A request to go on with a text."""

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=_MOST_PROMPTS)]
    logprobs: Annotated[int | None, Field(ge=0, le=20)] = None
    echo: bool = False

    @property
    def most(self) -> int:
        """Tokens of what is added."""
        return min(self.max_tokens or 16, _MOST_TOKENS)

    @property
    def texts(self) -> list[str]:
        """What is gone on with."""
        return [self.prompt] if isinstance(self.prompt, str) else self.prompt
