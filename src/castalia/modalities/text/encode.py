"""From a step of a plan to the tokens of a prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from castalia.core.ports import LanguageModel, Message, Step

_PLACE = re.compile(r"\{(\w+)\}")


def messages(step: Step, parts: Mapping[str, str]) -> list[Message]:
    """The step's conversation with the texts of earlier steps in their `{places}`; unknown places stay as they are."""

    def fill(turn: Message) -> Message:
        return replace(turn, content=_PLACE.sub(lambda place: parts.get(place[1], place[0]), turn.content))

    return [fill(turn) for turn in step.messages]


def prompt(engine: LanguageModel, step: Step, parts: Mapping[str, str]) -> list[int]:
    """Tokens of the rendered conversation."""
    return engine.tokenize(engine.render(messages(step, parts)), special=True)
