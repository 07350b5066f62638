"""The guard: a brief is cleaned before anything else sees it. Words are material, never instructions to the program."""

from __future__ import annotations

import re
import unicodedata

from castalia.core.errors import TooLongError, UsageError
from castalia.core.language import say

LONGEST = 20_000
"""Characters of a brief; more would crowd the work out of the model's context."""

_CONTROL_TOKEN = re.compile(r"<\|[^<>|]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<｜[^<>]{1,40}｜>")
_INVISIBLE = frozenset(
    (
        *(0x061C, 0x180E, 0xFEFF),  # Arabic letter mark, Mongolian vowel separator, byte order mark
        *(*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)),  # spaces and directions
        *(*range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)),  # annotations and tags
    )
)
_KEPT_INVISIBLE = {0x200C, 0x200D}  # joiners that Indic and Persian scripts and emoji need


def guard(words: str, *, strip: bool = True) -> str:
    """The brief without control characters, direction overrides, invisible characters and a model's control tokens.

    Args:
        words: The brief, or a field of it.
        strip: Whether white space at its ends goes too.

    Raises:
        TooLongError: it is longer than `LONGEST` characters.
        UsageError: it is not valid text.
    """
    if len(words) > LONGEST:
        raise TooLongError(
            say(
                "The brief has {n:,} characters; at most {top:,} are read.",
                "要求有 {n:,} 个字符，最多 {top:,} 个。",
                n=len(words),
                top=LONGEST,
            ),
            hint=say("Shorten it to what the work needs.", "请只保留作品所需的内容。"),
        )
    try:
        words.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            say(
                "The brief is not valid Unicode (character {place}).",
                "要求不是有效的 Unicode（第 {place} 个字符）。",
                place=error.start + 1,
            ),
            hint="iconv -t UTF-8",
        ) from error
    text = unicodedata.normalize("NFC", re.sub("\r\n|[\r\x85\u2028\u2029]", "\n", words))
    text = "".join(letter for letter in text if _shown(letter))
    # Repeated, because taking one token out can join the pieces of another.
    while (cleaned := _CONTROL_TOKEN.sub("", text)) != text:
        text = cleaned
    return text.strip() if strip else text


def _shown(letter: str) -> bool:
    if letter in "\n\t":
        return True
    code = ord(letter)
    if code in _INVISIBLE and code not in _KEPT_INVISIBLE:
        return False
    return unicodedata.category(letter) not in ("Cc", "Co", "Cs", "Cn")
