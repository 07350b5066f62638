"""Why a field's value is refused, in the user's language: pydantic says it in English alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castalia.core.language import say

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_SHOWN = 120
"""Characters of a wrong value that an error repeats."""


def refusal(error: ErrorDetails) -> str:
    """What is wrong with a value.

    Args:
        error: As `ValidationError.errors()` has it.
    """
    about = error.get("ctx", {})
    said = {
        "greater_than_equal": say("at least {n}", "不小于 {n}", n=about.get("ge")),
        "less_than_equal": say("at most {n}", "不大于 {n}", n=about.get("le")),
        "literal_error": say("one of {names}", "可选：{names}", names=str(about.get("expected")).replace(" or ", ", ")),
        "int_parsing": say("a whole number is wanted", "应为整数"),
        "int_from_float": say("a whole number is wanted", "应为整数"),
        "bool_parsing": say("yes or no is wanted", "应为 yes 或 no"),
        "too_long": say("at most {n} of them", "最多 {n} 个", n=about.get("max_length")),
        "string_too_long": say("at most {n} characters", "最多 {n} 个字符", n=about.get("max_length")),
        "value_error": str(about.get("error")),
    }
    return said.get(error["type"], error["msg"])


def shortened(value: object) -> str:
    """A value as it was given; of a long one the beginning."""
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
