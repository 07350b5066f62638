"""Chinese script: traditional characters as simplified ones."""

from __future__ import annotations

import lzma
from functools import cache
from importlib.resources import files


def simplified(text: str) -> str:
    """The text with each traditional character in its simplified form; all else as it is."""
    return text if text.isascii() else text.translate(_forms())


@cache
def _forms() -> dict[int, str]:
    data = (files("castalia") / "data" / "chinese" / "simplified.txt.xz").read_bytes()
    rows = (row.split("\t") for row in lzma.decompress(data).decode().splitlines())
    pairs = [(many.split(" "), one) for one, many in rows]
    simple = {one for _, one in pairs}
    return {ord(form): one for forms, one in pairs for form in forms if form not in simple}
