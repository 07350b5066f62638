"""Text in a picture, when a reader of text is installed beside Castalia; without one there is none."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from castalia.modalities.image.oklab import Pixels

_SURE = 0.7
"""Confidence from which a line counts as read."""
_MOST = 20
"""Lines that are kept."""
_NETWORKS = 3
"""One finds lines, one turns them upright, one reads them."""


def can_read() -> bool:
    """Whether `rapidocr` is installed."""
    return _reader() is not None


def text_in(pixels: Pixels) -> tuple[str, ...]:
    """Lines of text (height, width, 3), from the top down; empty without a reader or without text."""
    reader = _reader()
    if reader is None:
        return ()
    found: Any = reader(np.ascontiguousarray(pixels[..., ::-1]))  # it takes blue first
    if not found.txts:
        return ()
    lines = [text.strip() for text, sure in zip(found.txts, found.scores, strict=True) if sure >= _SURE]
    return tuple(line for line in lines if line)[:_MOST]


@cache
def _reader() -> Any:  # noqa: ANN401 - rapidocr has no types
    """The reader, if its networks lie in its own package; a version that would fetch them is left alone."""
    try:
        package: Any = import_module("rapidocr")
    except ImportError:
        return None
    if len([*Path(package.__file__).parent.glob("models/*.onnx")]) < _NETWORKS:
        return None
    return package.RapidOCR(params={"Global.log_level": "critical"})
