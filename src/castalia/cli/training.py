"""The way into the training room, which needs an extra."""

from __future__ import annotations

import importlib
from types import ModuleType

from castalia.core.errors import MissingError
from castalia.core.language import say


def needs_training(room: str = "") -> ModuleType:
    """`castalia.training`, or one of its rooms.

    Raises:
        MissingError: a package that it needs is not installed.
    """
    try:
        return importlib.import_module("castalia.training" + room)
    except ModuleNotFoundError as error:
        raise MissingError(
            say("Training needs {name}, which is not installed.", "训练需要 {name}，尚未安装。", name=error.name),
            hint="pip install 'castalia[train]'",
        ) from error
