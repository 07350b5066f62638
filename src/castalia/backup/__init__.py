"""Backup and restore of a data folder: one archive, made while the studio or a server goes on.

The archive is a ZIP that stores and never compresses, so that what is read out of it is never larger than it is. What
lies encrypted stays so, and no password is needed. Its last entry is a manifest with the SHA-256 of every other one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import time
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Literal

import apsw
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import castalia
from castalia.backup.databases import copy_database
from castalia.core.errors import CastaliaError, StorageError, UsageError
from castalia.core.files import make_folder, storage_error
from castalia.core.language import say

MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 2**27
_PART = 2**20
"""Bytes that are read at a time."""
_PASSING = (".lock", "-wal", "-shm", ".part")
"""Ends of names of files that belong to a running process, or to a database that brings them along."""
_SERVERS = ("server.lock", "server/server.lock")
"""What a server holds in its data folder, or in that of the user who started it."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    castalia_backup: Literal[1] = 1
    version: str
    made: datetime
    schemas: dict[str, int]
    """Number of the newest step of each kind of database."""
    files: dict[str, _Entry]


@dataclass(frozen=True)
class Archive:
    """What an archive holds."""

    path: Path
    files: int
    bytes: int
    made: datetime
    open: bool
    """Whether whoever has it can read the works: a library without a password brings its key file."""


def backup(data: Path, archive: Path) -> Archive:
    """Write a data folder into one new file that only this user may read.

    Args:
        data: The user's own data folder, or a server's. Models are not in it, and neither are settings.
        archive: The file.

    Raises:
        UsageError: there is nothing to back up, or the archive exists or would lie in the folder.
        StorageError: something cannot be read or written; no archive is left then.
    """
    data, archive = data.resolve(), archive.absolute()
    if not data.is_dir():
        raise UsageError(say("There is no folder {path}.", "没有文件夹 {path}。", path=data), hint="--data")
    if archive.exists():
        raise UsageError(
            say("{path} exists.", "{path} 已存在。", path=archive), hint=say("Name another file.", "请换一个文件名。")
        )
    if archive.parent.resolve().is_relative_to(data):
        raise UsageError(
            say("{path} would lie in what is backed up.", "{path} 位于要备份的文件夹之内。", path=archive),
            hint=say("Name a file elsewhere, best on another disk.", "请存到别处，最好是另一块磁盘。"),
        )
    found: dict[str, _Entry] = {}
    with _errors(archive):
        handle, temporary = tempfile.mkstemp(dir=archive.parent, prefix=f".{archive.name[:80]}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as packed:
                    for name, path in _listed(data):
                        for end, content in _parts(path, archive.parent):
                            found[name + end] = _put(packed, name + end, content)
                    manifest = _Manifest(
                        version=castalia.__version__, made=datetime.now(UTC), schemas=_schemas(), files=found
                    )
                    packed.writestr(_info(MANIFEST), manifest.model_dump_json(indent=1))
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, archive)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    return _told(archive, manifest)


def restore(archive: Path, data: Path, *, replace: bool = False) -> tuple[Archive, Path | None]:
    """Put the data folder of an archive in place: all of it, once every digest was right, or nothing.

    Args:
        archive: What `backup` wrote.
        data: Where to; its parent folder holds the new one until it is complete.
        replace: Whether a folder that holds something may be replaced. It is moved aside, not deleted.

    Returns:
        What was restored, and where the folder before is now.

    Raises:
        UsageError: the archive is none, damaged, hostile or of a newer version, or the folder holds something.
        StorageError: the folder cannot be written, or a server runs over it.
    """
    data = data.resolve()
    if not archive.is_file():
        raise UsageError(say("There is no file {path}.", "没有文件 {path}。", path=archive))
    there = data.exists() and (not data.is_dir() or any(data.iterdir()))
    if there and not replace:
        raise UsageError(
            say("{path} holds something already.", "{path} 已有内容。", path=data),
            hint=say("--replace moves it aside.", "--replace 会将其移到旁边。"),
        )
    make_folder(data.parent)
    _no_server(data)
    with _errors(archive), zipfile.ZipFile(archive) as packed:
        manifest = _checked(packed, archive.stat().st_size)
        fresh = Path(tempfile.mkdtemp(dir=data.parent, prefix=f".{data.name[:80]}.restoring."))
        try:
            for name, entry in manifest.files.items():
                _take(packed, name, entry, fresh)
            _hand_over(fresh, data if data.exists() else data.parent)
            aside = _swap(fresh, data, there=there)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    return _told(archive, manifest), aside


# -------------------------------------------------------------------- out


def _listed(data: Path) -> Iterator[tuple[str, Path]]:
    """Files with their names in the archive; the server's own database first, for a work may be newer than its job.

    Raises:
        StorageError: a link leads elsewhere.
    """
    paths: list[Path] = []
    for folder, folders, names in os.walk(data):
        for path in (Path(folder) / each for each in (*folders, *names)):
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise StorageError(
                    say("{path} is a link, and would not be in the backup.", "{path} 是链接，无法备份。", path=path),
                    hint=say("Put what it leads to in its place.", "请将其指向的内容放到原处。"),
                )
            if stat.S_ISREG(mode) and not path.name.endswith(_PASSING):
                paths.append(path)
    for path in sorted(paths, key=lambda each: (each.name != "server.db", each.suffix == ".db", each)):
        yield path.relative_to(data).as_posix(), path


def _parts(path: Path, beside: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """(what is added to its name, content) of a file, or of a database and its log; nothing if it was just deleted."""
    try:
        if path.suffix != ".db":
            with path.open("rb") as stream:
                yield "", stream
            return
        with tempfile.TemporaryFile(dir=beside) as whole, tempfile.TemporaryFile(dir=beside) as log:
            copy_database(path, whole, log)
            yield "", whole
            if log.seek(0, os.SEEK_END):
                yield "-wal", log
    except FileNotFoundError:
        return


def _put(packed: zipfile.ZipFile, name: str, stream: IO[bytes]) -> _Entry:
    digest, size = hashlib.sha256(), 0
    stream.seek(0)
    with packed.open(_info(name), "w", force_zip64=True) as out:
        while part := stream.read(_PART):
            digest.update(part)
            size += len(part)
            out.write(part)
    return _Entry(bytes=size, sha256=digest.hexdigest())


def _info(name: str) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = (stat.S_IFREG | 0o600) << 16
    return made


def _schemas() -> dict[str, int]:
    rooms = ("library", "server")
    steps = {room: (files("castalia") / room / "migrations").iterdir() for room in rooms}
    return {room: sum(step.name.endswith(".sql") for step in found) for room, found in steps.items()}


# -------------------------------------------------------------------- in


def _checked(packed: zipfile.ZipFile, size: int) -> _Manifest:
    """The manifest of an archive whose entries are what it says, and no larger than the archive.

    Raises:
        UsageError: they are not, or a newer version wrote it.
    """
    listed = {each.filename: each for each in packed.infolist()}
    about = listed.pop(MANIFEST, None)
    if about is None or about.file_size > _LARGEST_MANIFEST or about.compress_type != zipfile.ZIP_STORED:
        raise _no_backup()
    manifest = _Manifest.model_validate_json(packed.read(about))
    newer = [room for room, number in manifest.schemas.items() if number > _schemas().get(room, 0)]
    if newer:
        raise UsageError(
            say(
                "Castalia {version} made it, which is newer.",
                "由更新的 Castalia {version} 制作。",
                version=manifest.version,
            ),
            hint="pip install --upgrade castalia",
        )
    plain = all(
        each.compress_type == zipfile.ZIP_STORED
        and each.compress_size == each.file_size == manifest.files[name].bytes
        and not each.flag_bits & 1
        and stat.S_IFMT(each.external_attr >> 16) in (0, stat.S_IFREG)
        and _inside(name)
        for name, each in listed.items()
        if name in manifest.files
    )
    whole = sum(each.bytes for each in manifest.files.values())
    if not plain or listed.keys() != manifest.files.keys() or len(packed.infolist()) != len(listed) + 1 or whole > size:
        raise _no_backup()
    return manifest


def _inside(name: str) -> bool:
    """Whether a name in an archive can only mean a file below the folder, on any system."""
    odd = any(letter in '\\:*?"<>|' or ord(letter) < 32 for letter in name)
    return not odd and len(name) < 1000 and all(part.strip(" .") for part in name.split("/"))


def _take(packed: zipfile.ZipFile, name: str, entry: _Entry, folder: Path) -> None:
    """Write one file of an archive.

    Raises:
        UsageError: its digest is another one.
    """
    path = folder.joinpath(*PurePosixPath(name).parts)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with packed.open(name) as stream, open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        while part := stream.read(_PART):
            digest.update(part)
            out.write(part)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != entry.sha256:
        raise _no_backup(name)


def _hand_over(fresh: Path, like: Path) -> None:
    """Where root restores, let everything belong to whom the place belongs to."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        owner = like.stat()
        for path in (fresh, *fresh.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)


def _swap(fresh: Path, data: Path, *, there: bool) -> Path | None:
    """Rename the new folder into place; where the old one is now."""
    _no_server(data)
    if not there:
        if data.exists():
            data.rmdir()
        fresh.rename(data)
        return None
    aside = data.with_name(f"{data.name}.before-{time.strftime('%Y%m%d-%H%M%S')}")
    data.rename(aside)
    try:
        fresh.rename(data)
    except OSError:
        aside.rename(data)
        raise
    return aside


def _no_server(data: Path) -> None:
    """Raise `StorageError` where a server runs over a folder."""
    for path in (data / each for each in _SERVERS):
        if path.exists():
            try:
                FileLock(path).acquire(timeout=0).lock.release()
            except Timeout as error:
                raise StorageError(
                    say("A server runs over {folder}.", "有服务器正在使用 {folder}。", folder=path.parent),
                    hint=say("Stop it first.", "请先停止它。"),
                ) from error


def _no_backup(name: str = "") -> UsageError:
    return UsageError(
        say(
            "That is no backup of Castalia, or it is damaged. {name}",
            "这不是 Castalia 的备份，或已损坏。{name}",
            name=name,
        ).strip(),
        hint=say("Nothing was changed. Take another one.", "没有任何改动。请换一个备份。"),
    )


def _told(path: Path, manifest: _Manifest) -> Archive:
    held = manifest.files
    return Archive(
        path=path,
        files=len(held),
        bytes=sum(each.bytes for each in held.values()),
        made=manifest.made,
        open=any(PurePosixPath(name).parts[-2:] == ("vault", "key") for name in held),
    )


@contextmanager
def _errors(path: Path) -> Generator[None]:
    """Refusals of the system and of the archive's reader in our words."""
    try:
        yield
    except CastaliaError:
        raise
    except (zipfile.BadZipFile, ValidationError, EOFError, NotImplementedError, UnicodeError) as error:
        raise _no_backup() from error
    except apsw.Error as error:
        raise StorageError(f"{path}: {error}") from error
    except OSError as error:
        raise storage_error(error, Path(error.filename or path)) from error
