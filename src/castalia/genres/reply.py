"""Reply: the next turn of a conversation, each sentence judged before it is said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from castalia import privacy, quality
from castalia.core.errors import UsageError
from castalia.core.language import is_chinese, say
from castalia.core.ports import Form, Message, Plan, Rule, Sampling, Step
from castalia.core.values import Brief, BriefFields, Content, Draft, Evidence, Exact, Finding
from castalia.modalities.text.forms.calls import CallForm
from castalia.modalities.text.forms.json_grammar import Grammar
from castalia.modalities.text.forms.json_keywords import known_part
from castalia.modalities.text.forms.json_schema import JsonForm
from castalia.modalities.text.forms.talk import TalkForm

STEP = "reply"
_CALL = '{"name": …, "arguments": {…}}'
TALK = Sampling(temperature=0.7, top_k=64, top_p=0.95, min_p=0.03, repeat_penalty=1.05)


class ReplyFields(BriefFields):
    """Fields of a reply."""

    system: Annotated[str, Field(max_length=20_000, description="who speaks, and how | 说话者的身份与方式")] = ""
    before: Annotated[
        tuple[str, ...],
        Field(
            max_length=400,
            description="the turns before, the person's first, separated by ; | 之前的对话，从提问者开始，用 ; 分隔",
        ),
    ] = ()
    length: Annotated[int, Field(ge=1, le=8192, description="most tokens | 最多词元数")] = 512
    stop: Annotated[
        tuple[str, ...],
        Exact(),
        Field(max_length=4, description="the reply ends before one of these | 遇到其中之一即结束"),
    ] = ()
    json_schema: Annotated[
        str,
        Field(max_length=100_000, description="the reply is JSON by this JSON schema | 回复为符合此 JSON 模式的 JSON"),
    ] = ""
    tools: Annotated[
        str,
        Field(
            max_length=200_000,
            description="JSON list of tools to call: name, description, parameters | 可调用工具的 JSON 列表",
        ),
    ] = ""
    call: Annotated[
        Literal["auto", "required"], Field(description="whether a tool must be called | 是否必须调用工具")
    ] = "auto"

    goes_on: Annotated[
        bool, Field(description="the words are no question but a text to go on with | 要求是待续写的文本，而非提问")
    ] = False


class Reply:
    """See the module."""

    name = "reply"
    aliases = ("chat", "回复", "对话")
    languages = ("en", "zh")
    title = ("Reply", "回复")
    summary = ("the next turn of a conversation, in free words", "对话中的下一句，不拘形式")
    fields: type[BriefFields] = ReplyFields

    def plan(self, brief: Brief) -> Plan:
        """One step, sentence by sentence."""
        fields = _fields(brief)
        told = "\n\n".join(each for each in (fields.system, _instructions(fields)) if each)
        turns = [Message("system", told)] if told else []
        roles = ("user", "assistant")
        turns += [Message(roles[place % 2], text) for place, text in enumerate(fields.before)]  # pyright: ignore[reportArgumentType]
        asked = f"Go on with this text:\n\n{brief.words}" if fields.goes_on else brief.words
        turns.append(Message("user", asked))
        form = _form(brief, fields)
        step = Step(
            STEP,
            tuple(turns),
            form,
            TALK,
            max_tokens=fields.length,
            limit=fields.length,
            stop=fields.stop,
            begin=brief.words if fields.goes_on else "",
        )
        return Plan((step,), talk=True)

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The words up to the first stop."""
        text = said(parts.get(STEP, ""), brief.words, _fields(brief))
        return Content(text=text, language="zh" if is_chinese(text) else "en")

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Those of the house, and its schema."""
        fields = _fields(brief)
        schema = _schema(fields)
        if schema is None:
            return ()
        talk = fields.tools and fields.call == "auto"
        return (quality.JsonRule(schema, only_if="{" if talk else ""),)

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a reply is written anew."""


def read_schema(schema: Mapping[str, Any], most: int) -> Grammar:
    """What a JSON schema allows.

    Args:
        schema: The schema.
        most: Tokens that a text by it may take.

    Raises:
        UsageError: it is none, is too large, uses a keyword that is not known here (says which), or its shortest text
            takes more tokens.
    """
    try:
        grammar = Grammar(schema)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise _no_schema(error) from error
    least = round(grammar.left(grammar.start))
    if least <= most:
        return grammar
    raise UsageError(
        say(
            "The shortest text by this JSON schema takes about {least:,} tokens, and {most:,} are allowed.",
            "符合此 JSON 模式的最短文本约需 {least:,} 个词元，而上限为 {most:,}。",
            least=least,
            most=most,
        ),
        hint=say("Allow it more tokens, or ask for less.", "请允许更多词元，或减少要求。"),
    )


def _no_schema(error: Exception) -> UsageError:
    return UsageError(say("That is no JSON schema: {why}.", "不是有效的 JSON 模式：{why}。", why=type(error).__name__))


def said(text: str, words: str, fields: ReplyFields) -> str:
    """What is said of a text that was written: without the one that it goes on with, up to a stop."""
    if not fields.goes_on:
        return cut(text, fields.stop)
    text = text.removeprefix(words)
    return text[: len(text) - len(text.lstrip())] + cut(text, fields.stop)


def cut(text: str, stop: Sequence[str]) -> str:
    """A text up to the first of these, without white space around it, in which nothing ends."""
    text = text.lstrip()
    ends = [text.index(mark) for mark in stop if mark in text]
    return text[: min(ends, default=len(text))].strip()


def _broken(brief: Brief, text: str) -> bool:
    """Whether what was said so far breaks a rule of the house."""
    if not text:
        return False
    draft = Draft(brief=brief, content=Content(text=text), evidence=Evidence(model="", digest="", engine="", seed=0))
    return not quality.judge(draft, quality.house_rules(personal=privacy.personal, talk=True)).passed


def _form(brief: Brief, fields: ReplyFields) -> Form:
    begun = len(brief.words) if fields.goes_on else 0
    talk = TalkForm(lambda text: not _broken(brief, said(text, brief.words, fields)), fields.stop, begun)
    schema = _schema(fields)
    if schema is None:
        return talk
    call = JsonForm(read_schema(schema, fields.length), fields.length)
    return CallForm(call, talk) if fields.tools and fields.call == "auto" else call


def _schema(fields: ReplyFields) -> Mapping[str, Any] | None:
    """What the reply, or the call in it, has to be; None for free talk."""
    if fields.tools:
        return calls_schema(_read(fields.tools, "tools"))
    return _read(fields.json_schema, "json_schema") if fields.json_schema else None


def calls_schema(tools: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """JSON schema of a call of one of these: its `name`, and `arguments` as the tool's parameters say.

    What is not known here of the parameters is left out, unless the tool is `strict`.

    Raises:
        UsageError: the parameters of one are no JSON schema.
    """
    try:
        return _calls_schema(tools)
    except (AttributeError, TypeError, RecursionError) as error:
        raise _no_schema(error) from error


def _calls_schema(tools: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    calls: list[Any] = []
    for number, each in enumerate(tools):
        place = "#/properties/arguments" if len(tools) == 1 else f"#/anyOf/{number}/properties/arguments"
        parameters = each.get("parameters") or {"type": "object"}
        arguments = _moved(parameters if each.get("strict") else known_part(parameters), place)
        known = {"name": {"const": each["name"]}, "arguments": arguments}
        calls.append({"type": "object", "properties": known, "required": [*known], "additionalProperties": False})
    return calls[0] if len(calls) == 1 else {"anyOf": calls}


def _moved(schema: Any, place: str) -> Any:  # noqa: ANN401 - JSON
    """A schema whose references begin at another place."""
    if isinstance(schema, list):
        return [_moved(each, place) for each in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    return {
        name: place + each.removeprefix("#") if name == "$ref" and isinstance(each, str) else _moved(each, place)
        for name, each in cast("dict[str, Any]", schema).items()
    }


def _instructions(fields: ReplyFields) -> str:
    """What the model is told of the JSON that it has to write."""
    if fields.tools and fields.call == "required":
        return f"Tools: {fields.tools}\nAnswer with a call of a tool, as JSON alone: {_CALL}."
    if fields.tools:
        return (
            f"You have these tools: {fields.tools}\nWhen one of them fits the question, your whole answer is one line "
            f"of JSON and no other word:\n{_CALL}\nWhen none fits, answer in words."
        )
    if not fields.json_schema:
        return ""
    if _read(fields.json_schema, "json_schema") == {"type": "object"}:
        return "Answer with a JSON object alone."  # a small model would answer with the schema
    return f"Answer with JSON alone, by this JSON schema: {fields.json_schema}"


def _read(text: str, name: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(say("{name} is no JSON: {why}.", "{name} 不是 JSON：{why}。", name=name, why=error)) from error


def _fields(brief: Brief) -> ReplyFields:
    return brief.fields if isinstance(brief.fields, ReplyFields) else ReplyFields()


GENRE = Reply()
