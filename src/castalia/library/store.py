"""The library: works in one encrypted SQLite file, written whole or not at all.

Encryption: SQLite3 Multiple Ciphers' ChaCha20-Poly1305, page by page, search index included, under the vault's library
key. Journal: write-ahead with full synchronisation, so that a process killed at any moment loses no work that `keep`
has returned and leaves none half. All SQL of the library stands in this one file, which is why it is long.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import apsw
from filelock import FileLock, Timeout
from pydantic import ConfigDict

from castalia.core.errors import LockedError, StorageError, UsageError
from castalia.core.files import make_folder, storage_error
from castalia.core.language import say
from castalia.core.values import (
    Brief,
    BriefFields,
    Content,
    Evidence,
    Finding,
    KeptFile,
    Marked,
    MarkedFile,
    Record,
    Work,
)
from castalia.library import pixels

_PATIENCE = 20_000
"""Milliseconds to wait for another process that is writing."""

_ROOM = 2**18
"""Bytes without which SQLite cannot open its files."""

_LONGEST_ID = 200
"""Characters of what may be the beginning of an id; SQLite compares no pattern of any length."""

_FILE = "sha256, name, face, label, made, record"
_COLUMNS = "id, genre, brief, content, findings, evidence, record, tries, rating"


_MOST_BOARDS = 20
"""Boards that one work may lie on."""
_LONGEST_BOARD = 60
"""Characters of a board's name."""


@dataclass(frozen=True)
class Place:
    """Where the user put a work."""

    starred: bool = False
    boards: tuple[str, ...] = ()
    """Names, in order."""


class KeptFields(BriefFields):
    """A brief's fields as they come out of the library, where the genre's own type is not known."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Library:
    """A user's works.

    Args:
        path: The file; made when it is not there.
        key: 32 bytes.

    Raises:
        LockedError: the file is encrypted under another key, or is no library.
        StorageError: it cannot be read or written.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        make_folder(path.parent, private=True)
        self._path = path
        try:
            # Two processes that open an empty file would each begin it under a salt of its own.
            with FileLock(path.with_name(path.name + ".lock"), timeout=_PATIENCE / 1000), self._errors():
                self._open(key)
        except Timeout as error:
            raise self._busy() from error
        except OSError as error:
            raise storage_error(error, path) from error

    def _open(self, key: bytes) -> None:
        fresh = not self._path.exists()
        self._database = apsw.Connection(str(self._path))
        if fresh:
            self._path.chmod(0o600)
        self._database.set_busy_timeout(_PATIENCE)
        self._database.pragma("cipher", "chacha20")
        self._database.pragma("hexkey", key.hex())
        self._database.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        self._database.pragma("journal_mode", "wal")
        self._database.pragma("synchronous", "full")
        self._database.pragma("foreign_keys", "on")
        self._migrate()

    # ------------------------------------------------------------ in

    def keep(self, marked: Marked, *, tries: int = 1) -> Work:
        """Keep a marked work; the only way in. Returns it as it is kept.

        Raises:
            StorageError: the disk is full or read-only; the library is as it was before.
        """
        judged, record = marked.judged, marked.record
        draft = judged.draft
        work = Work(
            id=record.id,
            genre=draft.brief.genre,
            brief=draft.brief,
            content=draft.content,
            findings=judged.findings,
            evidence=draft.evidence,
            record=record,
            tries=tries,
        )
        (brief, content), kept = pixels.taken_out(draft.brief, draft.content)
        with self._writing():
            self._database.execute(
                "INSERT INTO works VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?)",
                (
                    work.id,
                    work.genre,
                    record.language,
                    record.created.astimezone(UTC).isoformat(),
                    record.text_sha256,
                    tries,
                    brief,
                    content,
                    json.dumps([finding.model_dump() for finding in judged.findings], ensure_ascii=False),
                    draft.evidence.model_dump_json(),
                    record.model_dump_json(),
                ),
            )
            self._database.executemany(
                "INSERT INTO pictures VALUES (?, ?, ?)", [(work.id, name, png) for name, png in kept.items()]
            )
            self._database.executemany(
                "INSERT OR IGNORE INTO lineage VALUES (?, ?)", [(work.id, parent) for parent in draft.brief.parents]
            )
            body = "\n".join((work.content.title, work.content.text, draft.brief.words, work.genre))
            self._database.execute("INSERT INTO words VALUES (?, ?)", (work.id, body))
        return work

    def note(self, file: MarkedFile, name: str = "") -> KeptFile:
        """Remember a marked file that leaves the studio; the bytes are not kept.

        Args:
            file: The file.
            name: What it is called, without folders.

        Raises:
            StorageError: the disk is full or read-only.
        """
        kept = KeptFile(
            sha256=hashlib.sha256(file.content).hexdigest(),
            name=name,
            face=file.face,
            label=file.label,
            made=datetime.now(UTC),
            record=file.record,
        )
        with self._writing():
            self._database.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    kept.sha256,
                    kept.record.id,
                    file.payload,
                    kept.record.text_sha256,
                    kept.name,
                    kept.face,
                    kept.label,
                    kept.made.isoformat(),
                    kept.record.model_dump_json(),
                ),
            )
        return kept

    def rate(self, work_id: str, rating: int) -> Work:
        """Rate a work from 1 to 5; every rating is remembered, the last one counts.

        Raises:
            UsageError: no such work, or no such rating.
        """
        if not 1 <= rating <= 5:
            raise UsageError(say("A rating is 1 to 5, not {n}.", "评分为 1 到 5，而不是 {n}。", n=rating))
        work = self.get(work_id)
        with self._writing():
            self._database.execute("UPDATE works SET rating = ? WHERE id = ?", (rating, work.id))
            now = datetime.now(UTC).isoformat()
            self._database.execute("INSERT INTO ratings VALUES (?, ?, ?)", (work.id, rating, now))
        return work.model_copy(update={"rating": rating})

    def place(self, work_id: str, *, starred: bool | None = None, boards: Iterable[str] | None = None) -> Place:
        """Star a work, or say on which boards it lies; None leaves that as it is. An empty board is none.

        Raises:
            UsageError: no such work, or the boards are too many or their names too long.
        """
        id_ = self.get(work_id).id
        wanted = None if boards is None else sorted({" ".join(name.split()) for name in boards} - {""})
        if wanted is not None and (len(wanted) > _MOST_BOARDS or any(len(name) > _LONGEST_BOARD for name in wanted)):
            raise UsageError(
                say(
                    "At most {n} boards, with names of at most {m} characters.",
                    "最多 {n} 个画板，名称不超过 {m} 字。",
                    n=_MOST_BOARDS,
                    m=_LONGEST_BOARD,
                )
            )
        with self._writing():
            if starred is not None:
                change = "INSERT OR IGNORE INTO stars VALUES (?)" if starred else "DELETE FROM stars WHERE work = ?"
                self._database.execute(change, (id_,))
            if wanted is not None:
                self._database.execute("DELETE FROM boards WHERE work = ?", (id_,))
                self._database.executemany("INSERT INTO boards VALUES (?, ?)", [(id_, name) for name in wanted])
        return self.places([id_])[id_]

    def keep_thumbnail(self, work_id: str, content: bytes) -> None:
        """Keep a small marked file of a work."""
        with self._writing():
            self._database.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", (work_id, content))

    def delete(self, work_id: str) -> str:
        """Delete a work or the record of a marked file, with ratings, search entry and what is known of its files.

        Its id stays in the lineage of works made from it.

        Returns:
            The full id.

        Raises:
            UsageError: no such work.
        """
        record = self.find_record(work_id)
        with self._writing():
            self._database.execute("DELETE FROM words WHERE id = ?", (record.id,))
            self._database.execute("DELETE FROM works WHERE id = ?", (record.id,))
            self._database.execute("DELETE FROM files WHERE work = ?", (record.id,))
        return record.id

    # ------------------------------------------------------------ out

    def get(self, work_id: str) -> Work:
        """A work by its id or the beginning of it, at least four characters.

        Raises:
            UsageError: none or several begin so.
        """
        return self._whole(self._one(f"SELECT {_COLUMNS} FROM works WHERE id LIKE ? ESCAPE '\\' LIMIT 2", work_id))

    def has(self, work_id: str) -> bool:
        """Whether a work has exactly this id."""
        return bool(self._rows("SELECT 1 FROM works WHERE id = ?", (work_id,)))

    def find_record(self, record_id: str) -> Record:
        """The record of a work or of a marked file; likewise."""
        row = self._one(
            "SELECT record FROM (SELECT id, record FROM works UNION ALL SELECT work, record FROM files) "
            "WHERE id LIKE ? ESCAPE '\\' GROUP BY id LIMIT 2",
            record_id,
        )
        return Record.model_validate_json(row[0])

    def files(self, *, limit: int = 50, offset: int = 0) -> Sequence[KeptFile]:
        """Marked files that left the studio, newest first."""
        rows = self._rows(f"SELECT {_FILE} FROM files ORDER BY made DESC, rowid DESC LIMIT ? OFFSET ?", (limit, offset))
        return [_file(row) for row in rows]

    def find_file(self, *, sha256: str = "", payload: str = "", fingerprint: str = "") -> KeptFile | None:
        """The first file with this digest, payload of a watermark, or fingerprint of its words, or None."""
        rows = self._rows(
            f"SELECT {_FILE} FROM files WHERE sha256 = ? OR payload = nullif(?, '') OR fingerprint = nullif(?, '') "
            "ORDER BY made LIMIT 1",
            (sha256, payload, fingerprint),
        )
        return _file(rows[0]) if rows else None

    def list(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        genre: str | None = None,
        language: str | None = None,
        starred: bool = False,
        board: str | None = None,
    ) -> Sequence[Work]:
        """Works, newest first; without their pictures, of which there may be many (see `get`)."""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM works WHERE genre = coalesce(?, genre) AND language = coalesce(?, language) "
            "AND (NOT ? OR id IN (SELECT work FROM stars)) "
            "AND (? IS NULL OR id IN (SELECT work FROM boards WHERE name = ?)) "
            "ORDER BY created DESC, rowid DESC LIMIT ? OFFSET ?",
            (genre, language, int(starred), board, board, limit, offset),
        )
        return [_work(row) for row in rows]

    def places(self, work_ids: Iterable[str]) -> Mapping[str, Place]:
        """Where each of these works was put."""
        wanted = list(work_ids)
        among = f"({', '.join('?' * len(wanted))})"
        stars = {row[0] for row in self._rows(f"SELECT work FROM stars WHERE work IN {among}", tuple(wanted))}
        boards: dict[str, list[str]] = {}
        for work, name in self._rows(
            f"SELECT work, name FROM boards WHERE work IN {among} ORDER BY name", tuple(wanted)
        ):
            boards.setdefault(work, []).append(name)
        return {each: Place(each in stars, tuple(boards.get(each, ()))) for each in wanted}

    def boards(self) -> Mapping[str, int]:
        """The boards by name, with how many works lie on each."""
        return dict(self._rows("SELECT name, count(*) FROM boards GROUP BY name ORDER BY name", ()))

    def thumbnail(self, work_id: str) -> bytes | None:
        """What `keep_thumbnail` kept."""
        rows = self._rows("SELECT content FROM thumbnails WHERE work = ?", (work_id,))
        return bytes(rows[0][0]) if rows else None

    def search(self, query: str, *, limit: int = 50) -> Sequence[Work]:
        """Works whose text, title or brief holds every word of the query, best first; one character is enough.

        Likewise without their pictures.
        """
        words = query.replace("\0", " ").split()
        if not words:
            return self.list(limit=limit)
        long = [word for word in words if len(word) >= 3]
        short = [word for word in words if len(word) < 3]
        # The trigram index needs three characters; shorter words are looked for by reading the texts.
        conditions = ["words MATCH ?"] * bool(long) + ["body LIKE ? ESCAPE '\\'"] * len(short)
        match = " AND ".join('"' + word.replace('"', '""') + '"' for word in long)
        patterns = ["%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%" for word in short]
        order = "rank" if long else "rowid DESC"
        columns = ", ".join(f"works.{name.strip()}" for name in _COLUMNS.split(","))
        rows = self._rows(
            f"SELECT {columns} FROM (SELECT id, rowid AS place FROM words WHERE {' AND '.join(conditions)} "
            f"ORDER BY {order} LIMIT ?) AS found JOIN works ON works.id = found.id",
            (*([match] if long else []), *patterns, limit),
        )
        return [_work(row) for row in rows]

    def find_by_fingerprint(self, text_sha256: str) -> Work | None:
        """The newest work with this fingerprint (see `provenance.text_sha256`), or None."""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM works WHERE fingerprint = ? ORDER BY created DESC LIMIT 1", (text_sha256,)
        )
        return self._whole(rows[0]) if rows else None

    def parents(self, work_id: str) -> Sequence[str]:
        """Ids of the works that this one was made from."""
        return [row[0] for row in self._rows("SELECT parent FROM lineage WHERE child = ?", (self.get(work_id).id,))]

    def children(self, work_id: str) -> Sequence[str]:
        """Ids of the works that were made from this one."""
        return [row[0] for row in self._rows("SELECT child FROM lineage WHERE parent = ?", (self.get(work_id).id,))]

    def count(self) -> int:
        """How many works there are."""
        return int(self._rows("SELECT count(*) FROM works", ())[0][0])

    def setting(self, name: str, value: str | None = None) -> str | None:
        """Read a setting that belongs to the library; with `value`, write it first."""
        if value is not None:
            with self._writing():
                self._database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))
        rows = self._rows("SELECT value FROM settings WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else None

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._database.close()

    # ------------------------------------------------------------ within

    def _one(self, statement: str, work_id: str) -> tuple[Any, ...]:
        """The only row whose id begins so.

        Raises:
            UsageError: none or several do.
        """
        wanted = work_id.strip().lower().removeprefix("urn:uuid:")
        pattern = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        found = self._rows(statement, (pattern,)) if 4 <= len(wanted) <= _LONGEST_ID else []
        if len(found) == 1:
            return found[0]
        raise UsageError(
            say("No work has the id {id!r}.", "没有 id 为 {id!r} 的作品。", id=work_id)
            if not found
            else say("Several works' ids begin with {id!r}.", "有多件作品的 id 以 {id!r} 开头。", id=work_id),
            hint="castalia works list; castalia works files",
        )

    def _whole(self, row: Sequence[Any]) -> Work:
        """A work with its pictures."""
        return _work(row, dict(self._rows("SELECT name, png FROM pictures WHERE work = ?", (row[0],))))

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._errors():
            return [tuple(row) for row in self._database.execute(statement, values)]

    def _migrate(self) -> None:
        """Bring the file to the newest schema, each numbered step in a transaction of its own."""
        steps = sorted(
            (step for step in (files("castalia.library") / "migrations").iterdir() if step.name.endswith(".sql")),
            key=lambda step: step.name,
        )
        if self._version() > len(steps):
            raise StorageError(
                say("{path} was written by a newer Castalia.", "{path} 由更新版本的 Castalia 写入。", path=self._path),
                hint="pip install --upgrade castalia",
            )
        if self._version() == len(steps):
            return
        self._database.execute("BEGIN IMMEDIATE")  # of two processes that open a new file, the second waits here
        try:
            for number in range(self._version(), len(steps)):
                self._database.execute(steps[number].read_text(encoding="utf-8"))
                self._database.execute(f"PRAGMA user_version = {number + 1}")
            self._database.execute("COMMIT")
        except BaseException:
            self._database.execute("ROLLBACK")
            raise

    def _version(self) -> int:
        return int(next(iter(self._database.execute("PRAGMA user_version")))[0])

    @contextmanager
    def _errors(self) -> Generator[None]:
        """SQLite's refusals in our words."""
        path = self._path
        try:
            yield
        except apsw.NotADBError as error:
            raise LockedError(
                say(
                    "{path} does not open with this key, or is no library.",
                    "{path} 无法用此密钥打开，或不是作品库。",
                    path=path,
                ),
                hint=say(
                    "It has not been changed. Restore the vault that belongs to it.", "该文件未被改动。请恢复其密钥库。"
                ),
            ) from error
        except apsw.CorruptError as error:
            raise StorageError(
                say("{path} is damaged: {why}.", "{path} 已损坏：{why}。", path=path, why=error),
                hint=say("Restore it from a backup; it has not been overwritten.", "请从备份恢复；该文件未被覆盖。"),
            ) from error
        except apsw.FullError as error:
            raise storage_error(OSError(28, "disk full"), path) from error
        except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError) as error:
            raise storage_error(OSError(13, "not writable"), path) from error
        except (apsw.BusyError, apsw.LockedError) as error:
            raise self._busy() from error
        except apsw.IOError as error:
            # On a full disk the shared memory beside the file fails first, and only as an input or output error.
            if shutil.disk_usage(path.parent).free < _ROOM:
                raise storage_error(OSError(28, "disk full"), path) from error
            raise StorageError(f"{path}: {error}") from error

    @contextmanager
    def _writing(self) -> Generator[None]:
        """A transaction that nobody overtakes: all of it or nothing.

        One that reads before it writes is refused at once, without patience, where another wrote meanwhile: it
        begins as one that writes. Not by the connection's own `with`, which stops Python's other threads meanwhile.
        """
        with self._errors():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def _busy(self) -> StorageError:
        return StorageError(
            say(
                "Another process has been writing {path} for too long.",
                "另一个进程长时间占用 {path}。",
                path=self._path,
            ),
            hint=say("Try again.", "请重试。"),
            retryable=True,
        )


def _file(row: Sequence[Any]) -> KeptFile:
    return KeptFile(
        sha256=row[0],
        name=row[1],
        face=row[2],
        label=row[3],
        made=datetime.fromisoformat(row[4]),
        record=Record.model_validate_json(row[5]),
    )


def _work(row: Sequence[Any], kept: Mapping[str, bytes] = MappingProxyType({})) -> Work:
    brief, content = pixels.put_back(row[2], kept), pixels.put_back(row[3], kept)
    fields = KeptFields.model_validate(brief.pop("fields"))
    return Work(
        id=row[0],
        genre=row[1],
        brief=Brief(fields=fields, **brief),
        content=Content.model_validate(content),
        findings=tuple(Finding.model_validate(finding) for finding in json.loads(row[4])),
        evidence=Evidence.model_validate_json(row[5]),
        record=Record.model_validate_json(row[6]),
        tries=row[7],
        rating=row[8],
    )
