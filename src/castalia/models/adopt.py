"""Take in a model that the catalogue does not know, by URL, hub repository and file, or path: fetch, look, remember."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from castalia.core import config
from castalia.core.errors import EngineError, OfflineError, UsageError
from castalia.core.files import folders, write_atomic
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.models import sources, store
from castalia.models.catalogue import HubSource, Model, PathSource, Source, UrlSource, catalogue
from castalia.models.choose import ladder
from castalia.models.inspect import Header, inspect

_HUB = re.compile(r"(?:https?://)?(?:hf\.co|huggingface\.co)/|hf:")
_HUB_FILE = re.compile(r"([\w.-]+/[\w.-]+)/(?:(?:resolve|blob)/main/)?([\w./-]+\.gguf)", re.IGNORECASE)


def adopt(wanted: str, *, progress: Progress | None = None, notice: store.Notice | None = None) -> str:
    """The catalogue's name for what the user points to, fetched and written into the user's `models.toml`.

    Args:
        wanted: A catalogue name, a path, a URL, or `OWNER/REPOSITORY/FILE.gguf` on the hub; empty for the default.
        progress: Told how far the download is.
        notice: Told what is fetched and from whom.

    Raises:
        UsageError: it is none of these.
        EngineError, MissingError, StorageError: see `store.ensure`; EngineError also when the file is no usable GGUF.
    """
    if not wanted:
        named = config.load().config.model
        wanted = named if named in catalogue() else ladder()
    if wanted in catalogue():
        store.pull(wanted, progress=progress, notice=notice)
        return wanted
    source, file = _source(wanted)
    name = re.sub(r"[^a-z0-9.]+", "-", PurePosixPath(file).stem.lower()).strip("-.") or "model"
    known = catalogue().get(name)
    if known and source not in known.sources:
        raise UsageError(
            say("There is a model {name} already.", "已有模型 {name}。", name=name),
            hint=say("Rename the file, or use it where it is: --model FILE.", "请改文件名，或直接使用：--model 文件。"),
        )
    if config.load().config.offline and not isinstance(source, PathSource):
        raise OfflineError(
            say("CASTALIA_OFFLINE forbids fetching {wanted}.", "CASTALIA_OFFLINE 禁止下载 {wanted}。", wanted=wanted),
            hint=f"CASTALIA_OFFLINE=0 castalia models pull {wanted}",
        )
    size, digest = sources.facts(source, file)
    model = Model(
        name=name,
        title=name,
        file=file,
        size=size,
        memory=size + size // 8 + 2**28,
        quality=max((each.quality for each in catalogue().values() if each.size <= size), default=0),
        licence="licence not stated",
        languages=("en",),
        context=4096,
        sha256=digest,
        sources=(source,),
    )
    path = store.folder() / f"{name}.gguf"
    store.fetch(model, path, progress=progress, notice=notice)
    try:
        header = inspect(path)
    except EngineError:
        path.unlink()
        raise
    _remember(model, source, header, store.digest(path))
    return name


def _source(wanted: str) -> tuple[Source, str]:
    hub = _HUB_FILE.fullmatch(_HUB.sub("", wanted, count=1))
    path = Path(wanted).expanduser()
    if path.is_file() and str(path).isprintable():
        return PathSource(kind="path", path=str(path.resolve())), path.name
    if hub and (_HUB.match(wanted) or "://" not in wanted):
        return HubSource(kind="hub", repository=hub[1]), hub[2]
    if re.match(r"https?://", wanted):
        return UrlSource(kind="url", url=wanted), unquote(re.split("[?#]", wanted)[0])
    raise UsageError(
        say(
            "{wanted!r} is no model's name, no file, no URL and no OWNER/REPOSITORY/FILE.gguf of the hub.",
            "{wanted!r} 不是模型名称、文件、网址，也不是模型库中的 所有者/仓库/文件.gguf。",
            wanted=wanted,
        ),
        hint=say("`castalia models list` names the models.", "`castalia models list` 会列出模型。"),
    )


def _remember(model: Model, source: Source, header: Header, digest: str) -> None:
    """Write the entry with what the file says of itself, behind the entries that are there."""
    licence = str(header.metadata.get("general.license") or model.licence)[:200]
    values = {
        "title": str(header.metadata.get("general.name") or model.title)[:200],
        "file": model.file,
        "size": model.size,
        "memory": model.memory,
        "quality": model.quality,
        "licence": licence,
        "languages": list(model.languages),
        "context": header.context or model.context,
        "sha256": digest,
    }
    path = folders().config / "models.toml"
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    if model.name in catalogue():
        return
    # A JSON string, number or list of strings is TOML too, once characters outside the BMP stand for themselves.
    entry = [f"[{json.dumps(model.name)}]", *_lines(values)]
    origin = [f"[[{json.dumps(model.name)}.sources]]", *_lines(source.model_dump(exclude_defaults=True))]
    write_atomic(path, "\n".join([*before.splitlines(), "", *entry, *origin, ""]).lstrip().encode())


def _lines(values: Mapping[str, object]) -> list[str]:
    return [f"{name} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "") for name, value in values.items()]
