"""ZIP archives, as office documents, e-books and packed scores are: single members read and replaced within limits.

Members that are not replaced keep their order, names, times and bytes; they are packed anew.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator

from castalia.provenance.embed.face import MalformedError

_MOST = 20_000
"""Members of an archive."""
_LONGEST = 64_000_000
"""Bytes of a member that is read."""
_WHOLE = 1_000_000_000
"""Bytes of all members together when an archive is written anew."""
_RATIO = 250
"""Times that the whole may grow in unpacking, beyond 10 MB: more is a bomb."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def begins(content: bytes) -> bool:
    """Whether a file opens with a local header (APPNOTE 6.3.10, section 4.3.7)."""
    return content[:4] == b"PK\x03\x04"


def names(content: bytes) -> list[str]:
    """All members in order; raises `MalformedError`."""
    with _opened(content) as archive:
        return archive.namelist()


def member(content: bytes, name: str) -> bytes | None:
    """One member's bytes, or None; raises `MalformedError` when it is too long or damaged."""
    with _opened(content) as archive:
        try:
            entry = archive.getinfo(name)
        except KeyError:
            return None
        return _read(archive, entry)


def members(content: bytes, wanted: Iterable[str], most: int) -> Iterator[bytes]:
    """The bytes of several members, as long as they have no more than so many together; likewise."""
    for name in wanted:
        data = member(content, name) or b""
        most -= len(data)
        if most < 0:
            return
        yield data


def replaced(content: bytes, new: dict[str, bytes]) -> bytes:
    """The archive with members replaced; those that it lacks come last.

    Raises:
        MalformedError: it is damaged, encrypted, or grows beyond the limits.
    """
    made = io.BytesIO()
    with _opened(content) as old, zipfile.ZipFile(made, "w") as archive:
        entries = old.infolist()
        total = sum(entry.file_size for entry in entries)
        if total > _WHOLE or total > 10_000_000 + _RATIO * len(content):
            raise MalformedError("an archive that grows too large")
        archive.comment = old.comment
        for entry in entries:
            data = new[entry.filename] if entry.filename in new else _read(old, entry)
            archive.writestr(_like(entry), data)
        for name in new.keys() - set(old.namelist()):
            entry = zipfile.ZipInfo(name, entries[0].date_time)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, new[name])
    return made.getvalue()


def _like(entry: zipfile.ZipInfo) -> zipfile.ZipInfo:
    new = zipfile.ZipInfo(entry.filename, entry.date_time)
    new.compress_type = entry.compress_type
    new.external_attr, new.create_system, new.comment = entry.external_attr, entry.create_system, entry.comment
    return new


def _opened(content: bytes) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as error:
        raise MalformedError(f"an archive that cannot be read ({error})") from error
    entries = archive.infolist()
    if not 0 < len(entries) <= _MOST or len({entry.filename for entry in entries}) != len(entries):
        archive.close()
        raise MalformedError("an archive of no, of too many, or of doubled members")
    return archive


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & 1 or entry.compress_type not in _METHODS or entry.file_size > _LONGEST:
        raise MalformedError(f"a member that is encrypted, packed in an odd way or too long: {entry.filename[:80]}")
    try:
        with archive.open(entry) as stream:
            data = stream.read(_LONGEST + 1)  # no more than the directory says: the reader stops there
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, struct.error, NotImplementedError) as error:
        raise MalformedError(f"a member that cannot be read: {entry.filename[:80]} ({error})") from error
    return data
