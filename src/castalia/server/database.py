"""What the server's tables lie in: an SQLite file, or a PostgreSQL server.

Both run the same statements, which are written with SQLite's placeholders (`?`, or `?2` for one that comes twice).
Calls come from several threads, and take turns.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol

import apsw

from castalia.core.errors import MissingError, StorageError
from castalia.core.files import make_folder
from castalia.core.language import say

if TYPE_CHECKING:
    import psycopg

Row = tuple[Any, ...]
_ALONE = 8471
"""Key of the lock by which a second server is kept off a PostgreSQL database."""


class Database(Protocol):
    """Tables, and who may write to them."""

    def run(self, statement: str, *values: object) -> list[Row]:
        """The rows of one statement.

        Raises:
            StorageError: the database cannot be reached, is full or damaged.
        """
        ...

    def writing(self) -> AbstractContextManager[None]:
        """A transaction: all of it or nothing, and nobody else between."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def opened(at: Path | str) -> Database:
    """The database, its schema brought to the newest version.

    Args:
        at: An SQLite file, which is made when it is not there, or the URL of a PostgreSQL database.

    Raises:
        StorageError: it cannot be opened, was written by a newer version, or another server uses it.
        MissingError: what talks to PostgreSQL is not installed.
    """
    if isinstance(at, Path):
        file = SQLite(at)
        _migrate(file, at.name, file.version)
        return file
    if not find_spec("psycopg"):
        raise MissingError(
            say("PostgreSQL is not supported yet here: psycopg is missing.", "尚不支持 PostgreSQL：缺少 psycopg。"),
            hint='pip install "castalia[postgres]"',
        )
    server = PostgreSQL(at)
    _migrate(server, "PostgreSQL", server.version)
    return server


class SQLite:
    """A file, through the library that the works use too, without its encryption.

    Nothing here needs it, and a server starts before anybody has logged in.
    """

    def __init__(self, path: Path) -> None:
        make_folder(path.parent, private=True)
        self._lock, self._name = RLock(), path.name
        try:
            self._database = apsw.Connection(str(path))
            path.chmod(0o600)
            self._database.set_busy_timeout(10_000)
            self._database.pragma("journal_mode", "wal")
            self._database.pragma("synchronous", "full")
            self._database.pragma("foreign_keys", "on")
        except apsw.Error as error:
            raise StorageError(f"{path}: {error}") from error

    def version(self, number: int | None = None) -> int:
        """The schema's version, after it was set to a number."""
        if number is not None:
            self.run(f"PRAGMA user_version = {number}")
        return int(self.run("PRAGMA user_version")[0][0])

    def run(self, statement: str, *values: object) -> list[Row]:
        """See `Database.run`."""
        with self._lock:
            try:
                return [tuple(row) for row in self._database.execute(statement, values)]  # pyright: ignore[reportArgumentType]
            except apsw.FullError as error:
                raise StorageError(
                    say("The disk is full.", "磁盘已满。"), hint=say("Free some space.", "请清出空间。")
                ) from error
            except apsw.Error as error:
                raise StorageError(f"{self._name}: {error}") from error

    @contextmanager
    def writing(self) -> Generator[None]:
        """See `Database.writing`."""
        with self._lock, self._database:
            yield

    def close(self) -> None:
        """See `Database.close`."""
        with self._lock:
            self._database.close()


class PostgreSQL:
    """A server's database, by its URL. A connection that was lost is made anew for the next statement."""

    def __init__(self, url: str) -> None:
        self._url, self._lock, self._inside = url, RLock(), False
        self._connection = self._connected()

    def version(self, number: int | None = None) -> int:
        """The schema's version, after it was set to a number; a database without one is made ready for it."""
        if number is None:
            self.run("CREATE TABLE IF NOT EXISTS schema_version (number INTEGER NOT NULL)")
            if not self.run("SELECT number FROM schema_version"):
                # SQLite's names for what stands in the schema: bytes, and names that are the same in any case (there of
                # ASCII letters alone).
                self.run("CREATE DOMAIN blob AS bytea")
                self.run("CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
                self.run("INSERT INTO schema_version VALUES (0)")
        else:
            self.run("UPDATE schema_version SET number = ?", number)
        return int(self.run("SELECT number FROM schema_version")[0][0])

    def run(self, statement: str, *values: object) -> list[Row]:
        """See `Database.run`."""
        import psycopg

        given = [int(each) if isinstance(each, bool) else each for each in values]
        with self._lock:
            if self._connection.closed and not self._inside:
                self._connection = self._connected()
            try:
                cursor: Any = psycopg.RawCursor(self._connection)
                # Without values it may be several statements, and holds no placeholder.
                cursor.execute(*((_numbered(statement), given) if given else (statement,)))
                return [tuple(row) for row in cursor] if cursor.description else []
            except psycopg.Error as error:
                raise StorageError(f"PostgreSQL: {error}") from error

    @contextmanager
    def writing(self) -> Generator[None]:
        """See `Database.writing`."""
        with self._lock:
            if self._connection.closed:
                self._connection = self._connected()
            outer, self._inside = self._inside, True
            try:
                with self._connection.transaction():
                    yield
            finally:
                self._inside = outer

    def close(self) -> None:
        """See `Database.close`."""
        with self._lock:
            self._connection.close()

    def _connected(self) -> psycopg.Connection[Row]:
        import psycopg

        try:
            made = psycopg.connect(self._url, autocommit=True, connect_timeout=10)
            alone = made.execute("SELECT pg_try_advisory_lock(%s)", (_ALONE,)).fetchone()
        except psycopg.Error as error:
            # The error may name the user and host, never the password.
            raise StorageError(
                f"PostgreSQL: {error}", hint=say("Check the URL and that it runs.", "请检查网址及其是否运行。")
            ) from error
        if not alone or not alone[0]:
            made.close()
            raise StorageError(
                say("Another server uses this database.", "另一个服务器正在使用此数据库。"),
                hint=say("Stop it, or name another database.", "请先停止它，或指定其他数据库。"),
            )
        return made


def _numbered(statement: str) -> str:
    """A statement with PostgreSQL's placeholders, which are numbered."""
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"${found[1] or count}"

    return re.sub(r"\?(\d*)", number, statement)


def _migrate(database: Database, name: str, version: Any) -> None:  # noqa: ANN401 - reads or sets the version
    """Bring the schema to the newest version, each numbered step in a transaction of its own."""
    folder = files("castalia.server") / "migrations"
    steps: Sequence[Any] = sorted(
        (each for each in folder.iterdir() if each.name.endswith(".sql")), key=lambda each: each.name
    )
    known: int = version()
    if known > len(steps):
        raise StorageError(
            say("{path} was written by a newer Castalia.", "{path} 由更新版本的 Castalia 写入。", path=name),
            hint="pip install --upgrade castalia",
        )
    for number, step in enumerate(steps[known:], known + 1):
        with database.writing():
            database.run(step.read_text(encoding="utf-8"))
            version(number)
