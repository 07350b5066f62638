"""Interface language: every message is written in English and Chinese where it is used.

A third language is data: a JSON file `<code>.json` in the folder `messages/` of the configuration folder maps
the English template to its translation; a template it lacks is shown in English.
"""

from __future__ import annotations

import json
import locale
import os
from contextvars import ContextVar
from functools import cache
from pathlib import Path

_current: ContextVar[str] = ContextVar("castalia_language", default="")
_overlay_folder: ContextVar[Path | None] = ContextVar("castalia_messages", default=None)


def use(language: str, overlays: Path | None = None) -> None:
    """Set the interface language ("en", "zh" or the name of an overlay file) for this context."""
    _current.set(language)
    _overlay_folder.set(overlays)


def current() -> str:
    """The interface language: the one set by `use`, else the locale's, else English."""
    return _current.get() or _from_locale()


def say(en: str, zh: str, **values: object) -> str:
    """The message in the interface language, with `{name}` places filled in from `values`."""
    language = current()
    template = zh if language == "zh" else en
    folder = _overlay_folder.get()
    if folder is not None and language not in ("en", "zh"):
        template = _overlay(folder / f"{language}.json").get(en, en)
    return template.format(**values) if values else template


def is_chinese(text: str) -> bool:
    """Whether a text is Chinese: more than a third of its letters are Chinese characters."""
    letters = [letter for letter in text if letter.isalpha()]
    return sum("\u4e00" <= letter <= "\u9fff" for letter in letters) * 3 > len(letters)


def _from_locale() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith("zh") else "en"


@cache
def _overlay(path: Path) -> dict[str, str]:
    try:
        return {str(key): str(value) for key, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}
