"""Folders and atomic writing. All lives under `CASTALIA_HOME` when that is set, else in the platform's folders."""

from __future__ import annotations

import errno
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from castalia.core.errors import StorageError, UsageError
from castalia.core.language import say

CONFIG_NAME = "castalia.toml"


@dataclass(frozen=True)
class Folders:
    """Where things are kept: `data` (library, keys), `cache` (models, re-creatable), `config` (castalia.toml)."""

    data: Path
    cache: Path
    config: Path

    @property
    def models(self) -> Path:
        """Model files: large, and safe to delete."""
        return self.cache / "models"


def folders() -> Folders:
    """The folders of this user: one tree under `CASTALIA_HOME`, or the platform's own three.

    Raises:
        UsageError: this user has no home folder and `CASTALIA_HOME` names none.
    """
    try:
        if home := os.environ.get("CASTALIA_HOME"):
            root = Path(home).expanduser()
            return Folders(root / "data", root / "cache", root / "config")
        from platformdirs import PlatformDirs

        places = PlatformDirs("castalia", appauthor=False)
        return Folders(places.user_data_path, places.user_cache_path, places.user_config_path)
    except RuntimeError as error:
        raise UsageError(
            say("There is no home folder to keep works and models in.", "没有可存放作品和模型的主文件夹。"),
            hint=say("Set CASTALIA_HOME to a folder.", "请将 CASTALIA_HOME 设为一个文件夹。"),
        ) from error


def config_file() -> Path:
    """The user's own settings file."""
    return folders().config / CONFIG_NAME


def make_folder(path: Path, *, private: bool = False) -> Path:
    """Create a folder with its parents; `private` means that only this user may look inside.

    Raises:
        StorageError: the folder cannot be made (read-only, a file is in the way, no space).
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
    except OSError as error:
        raise storage_error(error, path) from error
    return path


def write_atomic(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a whole file or nothing: a temporary file beside it, flushed, then renamed over it.

    Raises:
        StorageError: the disk is full or the folder read-only; an older file is left as it was.
    """
    make_folder(path.parent)
    handle, temporary = -1, ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.", suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if not private:
            os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise storage_error(error, path) from error


def storage_error(error: OSError, path: Path) -> StorageError:
    """The operating system's refusal in our words."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return StorageError(
                say("The disk is full: {path} could not be written.", "磁盘已满：无法写入 {path}。", path=path),
                hint=say("Free some space and run it again.", "请清出空间后重试。"),
            )
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return StorageError(
                say("No permission to write {path}.", "没有写入 {path} 的权限。", path=path),
                hint=say("Set CASTALIA_HOME to a folder you may write to.", "请将 CASTALIA_HOME 设为可写的文件夹。"),
            )
        case _:
            return StorageError(f"{path}: {error.strerror or error}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
