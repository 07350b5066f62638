"""Reply: the next turn of a conversation, each sentence judged before it is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia import privacy, quality
from castalia.core.language import is_chinese
from castalia.core.ports import Message, Plan, Rule, Sampling, Step
from castalia.core.values import Brief, BriefFields, Content, Draft, Evidence, Finding
from castalia.modalities.text.forms.talk import TalkForm

STEP = "reply"
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
        tuple[str, ...], Field(max_length=4, description="the reply ends before one of these | 遇到其中之一即结束")
    ] = ()


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
        turns = [Message("system", fields.system)] if fields.system else []
        roles = ("user", "assistant")
        turns += [Message(roles[place % 2], text) for place, text in enumerate(fields.before)]  # pyright: ignore[reportArgumentType]
        turns.append(Message("user", brief.words))
        form = TalkForm(lambda text: not _broken(brief, cut(text, fields.stop)), fields.stop)
        step = Step(STEP, tuple(turns), form, TALK, max_tokens=fields.length, limit=fields.length, stop=fields.stop)
        return Plan((step,), talk=True)

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The words up to the first stop."""
        text = cut(parts.get(STEP, ""), _fields(brief).stop)
        return Content(text=text, language="zh" if is_chinese(text) else "en")

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Those of the house alone."""
        del brief
        return ()

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a reply is written anew."""


def cut(text: str, stop: Sequence[str]) -> str:
    """A text up to the first of these, without white space around it."""
    ends = [text.index(mark) for mark in stop if mark in text]
    return text[: min(ends, default=len(text))].strip()


def _broken(brief: Brief, text: str) -> bool:
    """Whether what was said so far breaks a rule of the house."""
    if not text:
        return False
    draft = Draft(brief=brief, content=Content(text=text), evidence=Evidence(model="", digest="", engine="", seed=0))
    return not quality.judge(draft, quality.house_rules(personal=privacy.personal, talk=True)).passed


def _fields(brief: Brief) -> ReplyFields:
    return brief.fields if isinstance(brief.fields, ReplyFields) else ReplyFields()


GENRE = Reply()
