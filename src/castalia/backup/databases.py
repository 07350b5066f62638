"""A database copied as it lies, at one moment, while others write it, and without the key that it is encrypted under.

SQLite's own backup interface would want the key of every library, which nobody who runs a server has. So the file is
copied with its write-ahead log. Meanwhile a shared lock keeps the log from being deleted, and pages that a checkpoint
overwrites in the file stand in the log too, as long as that was not begun anew: its header, looked at before and after,
tells (https://www.sqlite.org/walformat.html, "WAL Reset"). What follows its last whole commit does not count.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import apsw

from castalia.core.errors import StorageError
from castalia.core.language import say

_PART = 2**20
"""Bytes that are read at a time."""
_TRIES = 100
"""Copies that a busy writer may spoil."""
_LOG_HEADER = 32


def copy_database(path: Path, whole: IO[bytes], log: IO[bytes]) -> None:
    """Copy a database and its log at one moment; see the module.

    Raises:
        StorageError: somebody writes faster than it can be read.
    """
    wal = path.with_name(path.name + "-wal")
    with _held(path) as database:
        for _ in range(_TRIES):
            before = _header(wal)
            for stream in (whole, log):
                stream.seek(0)
                stream.truncate()
            for start in range(0, database.xFileSize(), _PART):
                whole.write(database.xRead(min(_PART, database.xFileSize() - start), start))
            with suppress(FileNotFoundError), wal.open("rb") as stream:
                shutil.copyfileobj(stream, log, _PART)
            if _header(wal) == before:
                return
    raise StorageError(
        say("{path} is written all the time.", "{path} 一直在被写入。", path=path),
        hint=say("Try again when there is less to do.", "请在空闲时重试。"),
    )


@contextmanager
def _held(path: Path) -> Generator[apsw.VFSFile]:
    """A database's bytes as they lie, under SQLite's shared lock.

    Through SQLite's own file layer: to open and close it otherwise would drop the locks of connections in this process.
    """
    plain = next(name for name in apsw.vfs_names() if name in ("unix", "win32"))
    database = apsw.VFSFile(plain, str(path), [apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READONLY, 0])
    try:
        for attempt in range(_TRIES):
            try:
                database.xLock(apsw.SQLITE_LOCK_SHARED)
                break
            except apsw.BusyError:  # somebody rolls the log into it
                if attempt == _TRIES - 1:
                    raise
                time.sleep(0.1)
        yield database
        database.xUnlock(apsw.SQLITE_LOCK_NONE)
    finally:
        database.xClose()


def _header(wal: Path) -> bytes:
    """The log's header, with salts that change when it is begun anew; empty where there is no log."""
    try:
        with wal.open("rb") as stream:
            return stream.read(_LOG_HEADER)
    except FileNotFoundError:
        return b""
