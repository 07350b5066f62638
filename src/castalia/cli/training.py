"""The way into the training room, which needs an extra."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from castalia.core.errors import MissingError
from castalia.core.language import say

if TYPE_CHECKING:
    from castalia import training
    from castalia.training import music


def _loaded(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingError(
            say("Training needs {name}, which is not installed.", "训练需要 {name}，尚未安装。", name=error.name),
            hint="pip install 'castalia[train]'",
        ) from error


def needs_training() -> training:  # pyright: ignore[reportGeneralTypeIssues]
    """The collections. Raises `MissingError` when a package is missing."""
    return _loaded("castalia.training")


def needs_music() -> music:  # pyright: ignore[reportGeneralTypeIssues]
    """The music recipe. Raises `MissingError` likewise."""
    return _loaded("castalia.training.music")
