"""Which model to use: the user's choice → the best installed one that fits → the 1.5B → the 0.5B."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from castalia.core import config
from castalia.core.errors import MissingError, UsageError
from castalia.core.files import config_file, write_atomic
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.models import store
from castalia.models.catalogue import catalogue
from castalia.models.machine import machine

STANDARD = "qwen2.5-coder-1.5b"
SMALL = "qwen2.5-coder-0.5b"


@dataclass(frozen=True)
class Endpoint:
    """A server that speaks OpenAI's protocol."""

    url: str
    model: str = ""
    """The server's name for the model; empty takes its first."""


def choose(wanted: str, *, progress: Progress | None = None) -> store.Local | Endpoint:
    """The model to use, fetched when it has to be.

    Args:
        wanted: A catalogue name, a file's path, an endpoint's URL (`http://host/v1#name`), or empty for the ladder.
        progress: Told about a download.

    Raises:
        UsageError: `wanted` is none of these.
        EngineError, MissingError, StorageError: see `store.ensure`.
    """
    if re.match(r"https?://", wanted):
        url, _, model = wanted.partition("#")
        return Endpoint(url, model)
    if wanted in catalogue():
        store.ensure(wanted, progress=progress)
        return store.local(wanted)
    if wanted:
        path = Path(wanted).expanduser()
        if path.is_file():
            return store.add(path)
        raise UsageError(
            say(
                "{wanted!r} is no model's name, no file and no endpoint's URL.",
                "{wanted!r} 不是模型名称、文件或端点网址。",
                wanted=wanted,
            ),
            hint=say("`castalia models list` names the models.", "`castalia models list` 会列出模型。"),
        )
    name = ladder()
    store.ensure(name, progress=progress)
    return store.local(name)


def here(wanted: str) -> bool:
    """Whether `choose` would find the model without fetching anything."""
    name = wanted or ladder()
    return name not in catalogue() or store.path_of(name).is_file()


def written_by(name: str, digest: str, configured: str) -> str:
    """What to name so that a work's own model is used again.

    Args:
        name: The record's model.
        digest: Its SHA-256, or an endpoint's URL and model.
        configured: The settings' model.

    Raises:
        MissingError: it is not installed.
    """
    if re.match(r"https?://", digest):
        return digest
    if name in {model.name for model in store.installed()}:
        return name
    path = Path(configured).expanduser()
    if path.is_file() and store.digest(path) == digest:
        return configured
    raise MissingError(
        say(
            "This work was written by {model} (SHA-256 {digest}), which is not installed.",
            "此作品由 {model}（SHA-256 {digest}）写成，该模型未安装。",
            model=name,
            digest=digest,
        ),
        hint=f"castalia models pull {name}"
        if name in catalogue()
        else say("Name its file, or another model: --model MODEL.", "请指定其文件或其他模型：--model 模型。"),
    )


def ladder() -> str:
    """The name that is used when nobody chose: the best installed that fits, else the largest default that would."""
    here = machine()
    for model in store.installed():
        if here.fits(model.memory):
            return model.name
    return STANDARD if here.fits(catalogue()[STANDARD].memory) else SMALL


def default() -> str:
    """The model that a run without `--model` uses."""
    return config.load().config.model or ladder()


def set_default(name: str) -> Path:
    """Write the choice into `castalia.toml` in the configuration folder, leaving its other lines alone.

    Returns:
        The file.

    Raises:
        UsageError: no such model, file or endpoint.
    """
    if not re.match(r"https?://", name) and name not in catalogue() and not Path(name).expanduser().is_file():
        store.known(name)
    path = config_file()
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    rest = [line for line in lines if not re.match(r"\s*model\s*=", line)]
    write_atomic(path, "\n".join([f'model = "{escaped}"', *rest, ""]).encode())
    return path
