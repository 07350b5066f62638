"""Errands: jobs that need no model in memory, done beside those that do. Models are fetched, collections taken in."""

from __future__ import annotations

import base64
import io
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from castalia import models
from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.server.jobs import Taken
from castalia.server.sent import base_name
from castalia.server.shelves import Shelves, training_room

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of random name within it, for its owner alone
"""Where a machine has it, a folder that lies on no disk."""
_MOST_FILES = 20_000
"""In an archive that was sent."""
_MOST_BYTES = 300_000_000
"""Of all of them, unpacked."""
_MOST_BYTES_EACH = 20_000_000
"""Of a score, unpacked."""


def run(taken: Taken, progress: Progress) -> Mapping[str, Any]:
    """Do an errand, and tell what came of it.

    Raises:
        CastaliaError: it could not be done.
    """
    asked = taken.asked
    if asked["do"] == "pull":
        name = str(asked["model"])
        fetch = models.pull_network if name in models.networks() else models.pull
        fetch(name, progress=progress)
        return {"model": name}
    assert asked["do"] == "collect", asked["do"]
    return _collect(taken, progress)


def _collect(taken: Taken, progress: Progress) -> Mapping[str, Any]:
    """Clean what was sent, and seal what is kept of it for its owner."""
    asked = taken.asked
    name, kind = str(asked["name"]), str(asked["kind"])
    with tempfile.TemporaryDirectory(prefix="castalia-", dir=_MEMORY if _MEMORY.is_dir() else None) as scratch:
        sent, made = Path(scratch) / "sent", Path(scratch) / "made"
        sent.mkdir()
        source = _laid_out(asked["files"], sent, unpack=kind != "picture")
        training = training_room()
        collection = training.add(
            name,
            str(source),
            kind=kind,
            owner=str(asked["owner"]),
            licence=str(asked["licence"]),
            progress=progress,
            within=made,
        )
        Shelves(taken.home, taken.vault).put(name, made / name)
    parts: list[str] = list(collection.split.values())
    split = dict(Counter(parts))
    return {"collection": name, "pieces": len(collection.pieces), "split": split, "dropped": collection.card["dropped"]}


def _laid_out(files: Sequence[Mapping[str, str]], folder: Path, *, unpack: bool) -> Path:
    """Put files that were sent into a folder; of their names the last part alone is used.

    Args:
        files: `{"name", "base64"}` each.
        folder: Empty, and nobody else's.
        unpack: Whether archives are unpacked; pictures are read from within them.

    Returns:
        The folder, or the one archive that was sent.
    """
    for each in files:
        name, content = base_name(each["name"]), base64.b64decode(each["base64"])
        if Path(name).suffix.lower() != ".zip":
            _free(folder, name).write_bytes(content)
            continue
        members = _members(name, content)
        if unpack:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for member in members:
                    _free(folder, base_name(member.filename)).write_bytes(_unpacked(archive, member))
        elif len(files) == 1:
            (folder / "sent.zip").write_bytes(content)
            return folder / "sent.zip"
        else:
            raise UsageError(
                say("An archive of pictures comes alone.", "图片压缩包须单独发送。"),
                hint=say("Send one .zip, or pictures.", "请发送一个 .zip，或若干图片。"),
            )
    return folder


def _members(name: str, content: bytes) -> list[zipfile.ZipInfo]:
    """Files of an archive, by its own list: nothing is unpacked yet."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = [each for each in archive.infolist() if not each.is_dir()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UsageError(
            say("{name} is no zip file, or damaged.", "{name} 不是 zip 文件，或已损坏。", name=name),
            hint=say("Send the files themselves.", "请直接发送文件。"),
        ) from error
    total = sum(each.file_size for each in found)
    if len(found) > _MOST_FILES or total > _MOST_BYTES:
        raise UsageError(
            say(
                "{name} has {n:,} files of {total:,} bytes in all.",
                "{name} 含 {n:,} 个文件，共 {total:,} 字节。",
                name=name,
                n=len(found),
                total=total,
            ),
            hint=say(
                "At most {n:,} files and {most:,} bytes.",
                "最多 {n:,} 个文件、{most:,} 字节。",
                n=_MOST_FILES,
                most=_MOST_BYTES,
            ),
        )
    return found


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A file of an archive; one that is larger than a score may be is cut, so that it is said to be too large."""
    try:
        with archive.open(member) as stream:
            return stream.read(_MOST_BYTES_EACH + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
        raise UsageError(
            say("{name} cannot be unpacked: {why}.", "无法解压 {name}：{why}。", name=member.filename, why=error),
            hint=say("Send the files themselves.", "请直接发送文件。"),
        ) from error


def _free(folder: Path, name: str) -> Path:
    """A place of that name; a second file of one name gets a number."""
    path = folder / (name.lstrip(".") or "-")
    place, number = path, 1
    while place.exists():
        number += 1
        place = path.with_name(f"{path.stem} {number}{path.suffix}")
    return place
