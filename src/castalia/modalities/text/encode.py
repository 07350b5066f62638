"""From a step of a plan to the tokens of a prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from castalia.core.ports import LanguageModel, Message, Step

_PLACE = re.compile(r"\{(\w+)\}")


def messages(step: Step, parts: Mapping[str, str], style: str = "") -> list[Message]:
    """The step's conversation.

    Args:
        step: The step.
        parts: Texts of earlier steps, put into their `{places}`; unknown places stay as they are.
        style: The user's wish how it should sound, added to the first turn.
    """

    def fill(turn: Message) -> Message:
        return replace(turn, content=_PLACE.sub(lambda place: parts.get(place[1], place[0]), turn.content))

    turns = [fill(turn) for turn in step.messages]
    if style and turns:
        turns[0] = replace(turns[0], content=f"{turns[0].content}\n{style}")
    return turns


def prompt(engine: LanguageModel, turns: Sequence[Message]) -> list[int]:
    """Tokens of the rendered conversation."""
    return engine.tokenize(engine.render(turns), special=True)
