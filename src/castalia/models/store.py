"""The folder of installed models: pull into it, find in it, remove from it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from castalia.core import config
from castalia.core.errors import DigestError, EngineError, OfflineError, StorageError, UsageError
from castalia.core.files import folders, make_folder, storage_error, write_atomic
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.models import sources
from castalia.models.catalogue import Model, catalogue
from castalia.models.inspect import inspect

Notice = Callable[[str], None]


_MOST_SURPLUS = 1.1
"""How far a file may exceed the catalogue's size, which is a rounded one where the digest is not known."""


@dataclass(frozen=True)
class Local:
    """A model file on this disk."""

    name: str
    path: Path
    digest: str
    """SHA-256."""
    vouched: bool = False
    """Whether the catalogue names this digest."""


def folder() -> Path:
    """Where model files are."""
    named = config.load().config.models
    return Path(named).expanduser() if named else folders().models


def known(name: str) -> Model:
    """The catalogue's entry.

    Raises:
        UsageError: there is none of that name.
    """
    models = catalogue()
    if name not in models:
        raise UsageError(
            say("There is no model {name!r}.", "没有模型 {name!r}。", name=name),
            hint=say("`castalia models list` names them.", "`castalia models list` 会列出全部。"),
        )
    return models[name]


def path_of(name: str) -> Path:
    """Where a model's file is or will be."""
    return folder() / f"{known(name).name}.gguf"


def installed() -> list[Model]:
    """Installed models of the catalogue, best first."""
    present = [model for model in catalogue().values() if path_of(model.name).is_file()]
    return sorted(present, key=lambda model: -model.quality)


def ensure(name: str, *, progress: Progress | None = None, notice: Notice | None = None) -> Path:
    """The model's file, fetched on first use after one line that says what, from whom and how big.

    Raises:
        OfflineError: it is not installed, and the network is switched off.
        EngineError: no source could be reached.
        DigestError: the file is not the promised one; it has been deleted.
        StorageError: the disk is full or read-only; nothing is left half.
    """
    path = path_of(name)
    return path if path.is_file() else pull(name, progress=progress, notice=notice)


def pull(name: str, *, progress: Progress | None = None, notice: Notice | None = None) -> Path:
    """Fetch a model; see `ensure`. An installed one is left as it is."""
    model = known(name)
    path = path_of(name)
    if config.load().config.offline and not path.is_file():
        raise OfflineError(
            say(
                "{name} is not installed and CASTALIA_OFFLINE forbids fetching it.",
                "{name} 未安装，且 CASTALIA_OFFLINE 禁止下载。",
                name=name,
            ),
            hint=f"CASTALIA_OFFLINE=0 castalia models pull {name}",
        )
    fetch(model, path, progress=progress, notice=notice)
    return path


def fetch(model: Model, path: Path, *, progress: Progress | None = None, notice: Notice | None = None) -> None:
    """Bring a model's file to its place; of two processes the second waits. See `ensure`."""
    make_folder(path.parent)
    try:
        with FileLock(path.with_suffix(".lock")):
            if not path.is_file():
                _fetch(model, path, progress, notice or _to_standard_error)
    except OSError as error:
        sources.discard(_partial(path))
        raise storage_error(error, path) from error


def add(path: Path) -> Local:
    """A model file of the user's own, looked into before use.

    Raises:
        EngineError: it is missing or no usable GGUF.
    """
    inspect(path)
    found = digest(path)
    return Local(path.stem, path, found, vouched=found in {model.sha256 for model in catalogue().values()})


def local(name: str) -> Local:
    """An installed model of the catalogue, looked into before use.

    Raises:
        DigestError: the file is no longer the one that the catalogue promises.
        EngineError: it is no usable GGUF.
    """
    path, wanted = path_of(name), known(name).sha256
    inspect(path)
    found = digest(path)
    if wanted and found != wanted:
        raise DigestError(
            say(
                "{path} has SHA-256 {found}; {wanted} was promised.",
                "{path} 的 SHA-256 为 {found}，应为 {wanted}。",
                path=path,
                found=found,
                wanted=wanted,
            ),
            hint=f"castalia models remove {name}; castalia models pull {name}",
        )
    return Local(name, path, found, vouched=bool(wanted))


def remove(name: str) -> Path:
    """Delete a model's file. Returns where it was.

    Raises:
        UsageError: it is not installed.
    """
    path = path_of(name)
    if not path.is_file():
        raise UsageError(say("{name} is not installed.", "{name} 未安装。", name=name), hint="castalia models list")
    for each in (path, _stamp(path), path.with_suffix(".lock")):
        each.unlink(missing_ok=True)
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file, remembered beside it (or in the cache folder) as long as its size and time stay the same."""
    fact = path.stat()
    key = f"{fact.st_size}-{fact.st_mtime_ns}"
    stamp = _stamp(path)
    try:
        remembered = json.loads(stamp.read_text(encoding="utf-8"))
        if remembered["file"] == key:
            return str(remembered["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    with suppress(StorageError):  # a cache that cannot be written costs time alone
        write_atomic(stamp, json.dumps({"file": key, "sha256": found}).encode())
    return found


def _stamp(path: Path) -> Path:
    return folders().cache / "digests" / (hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16] + ".json")


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _fetch(model: Model, path: Path, progress: Progress | None, notice: Notice) -> None:
    partial = _partial(path)
    have = partial.stat().st_size if partial.exists() else 0
    free = shutil.disk_usage(path.parent).free
    if free < model.size - have + 64 * 2**20:
        raise OSError(28, f"{model.name} needs {model.size - have:,} bytes, {free:,} are free")
    failures: list[str] = []
    for source in model.sources:
        notice(
            say(
                "Fetching {title}, {size:.2f} GB, {licence}, from {who}",
                "正在下载 {title}，{size:.2f} GB，许可 {licence}，来源：{who}",
                title=model.title,
                size=model.size / 1e9,
                licence=model.licence,
                who=sources.publisher(source),
            )
        )
        try:
            sources.fetch(source, model, partial, _reporter(model, progress))
        except sources.OutOfReachError as error:
            failures.append(error.message)
            if partial.exists() and partial.stat().st_size > model.size * _MOST_SURPLUS:
                sources.discard(partial)
            continue
        _check_and_place(model, partial, path)
        return
    raise EngineError(
        say(
            "No source of {name} could be reached: {why}.",
            "无法访问 {name} 的任何来源：{why}。",
            name=model.name,
            why="; ".join(failures),
        ),
        hint=say(
            "Run it again: it goes on where it stopped. Or bring a GGUF file: --model FILE.",
            "请重试：会从中断处继续。或自备 GGUF 文件：--model 文件。",
        ),
        retryable=True,
    )


def _check_and_place(model: Model, partial: Path, path: Path) -> None:
    with partial.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if model.sha256 and found != model.sha256:
        sources.discard(partial)
        raise DigestError(
            say(
                "{name} has SHA-256 {found}; {wanted} was promised. The file has been deleted.",
                "{name} 的 SHA-256 为 {found}，应为 {wanted}。文件已删除。",
                name=model.name,
                found=found,
                wanted=model.sha256,
            ),
            hint=say(
                "Try again later, or bring the file yourself: --model FILE.", "请稍后重试，或自备文件：--model 文件。"
            ),
        )
    partial.replace(path)
    sources.discard(partial)
    digest(path)


def _reporter(model: Model, progress: Progress | None) -> sources.Advance:
    began = time.monotonic()
    first: list[int] = []

    def advance(count: int) -> None:
        if count > model.size * _MOST_SURPLUS:
            raise sources.OutOfReachError(f"{model.name}: more than the {model.size:,} bytes promised")
        if progress is None:
            return
        first.append(count) if not first else None
        speed = (count - first[0]) / max(time.monotonic() - began, 1e-3)
        if speed <= 0:
            progress(
                say(
                    "{name}: {have:.0f} of {all:.0f} MB",
                    "{name}：{have:.0f}/{all:.0f} MB",
                    name=model.name,
                    have=count / 1e6,
                    all=model.size / 1e6,
                ),
                min(count / model.size, 1.0),
            )
            return
        left = (model.size - count) / speed
        progress(
            say(
                "{name}: {have:.0f} of {all:.0f} MB, {left:.0f} s left",
                "{name}：{have:.0f}/{all:.0f} MB，剩余 {left:.0f} 秒",
                name=model.name,
                have=count / 1e6,
                all=model.size / 1e6,
                left=left,
            ),
            min(count / model.size, 1.0),
        )

    return advance


def _to_standard_error(line: str) -> None:
    sys.stderr.write(line + "\n")
