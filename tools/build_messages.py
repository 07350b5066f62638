"""Make castalia.mo of each castalia.po: the binary form that Python's gettext reads.

Run: python tools/build_messages.py
"""

from __future__ import annotations

import ast
import re
import struct
from pathlib import Path

LOCALE = Path(__file__).parent.parent / "src" / "castalia" / "cli" / "locale"


def compiled(text: str) -> bytes:
    """The catalogue's bytes (GNU gettext manual, "The Format of GNU MO Files"): two sorted tables, then the strings."""
    messages: dict[bytes, bytes] = {}
    for entry in text.split("\n\n"):
        fields = dict(re.findall(r'^(msg\S+) (".*")$', entry, re.MULTILINE))
        said = {name: ast.literal_eval(value) for name, value in fields.items()}
        key = "\0".join(said[name] for name in ("msgid", "msgid_plural") if name in said)
        messages[key.encode()] = (said["msgstr"] if "msgstr" in said else said["msgstr[0]"]).encode()
    keys = sorted(messages)
    strings = [*keys, *(messages[key] for key in keys)]
    count, place = len(keys), 28 + 16 * len(keys)
    tables = b""
    for each in strings:
        tables += struct.pack("<II", len(each), place)
        place += len(each) + 1
    header = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0)
    return header + tables + b"".join(each + b"\0" for each in strings)


if __name__ == "__main__":
    for source in LOCALE.rglob("*.po"):
        source.with_suffix(".mo").write_bytes(compiled(source.read_text(encoding="utf-8")))
