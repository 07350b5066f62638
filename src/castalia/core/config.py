"""Settings: command line > environment (`CASTALIA_*`) > `castalia.toml` > default, each with where it came from."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from castalia.core.errors import UsageError
from castalia.core.files import folders
from castalia.core.language import say

Source = Literal["command line", "environment", "file", "default"]


class Config(BaseModel):
    """All settings; each field's description is its help text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lang: Annotated[Literal["", "en", "zh"] | str, Field(description="interface language; empty: by locale")] = ""
    offline: Annotated[bool, Field(description="forbid every connection that is not a configured engine")] = False
    model: Annotated[str, Field(description="language model: a name, a path or an endpoint's URL")] = ""
    models: Annotated[str, Field(description="folder of model files; empty: in the cache folder")] = ""
    threads: Annotated[int, Field(ge=0, le=512, description="threads for generation; 0: chosen by load")] = 0
    context: Annotated[int, Field(ge=512, le=1_048_576, description="context length in tokens")] = 4096
    tries: Annotated[int, Field(ge=1, le=100, description="drafts written before giving up")] = 4
    provider: Annotated[
        str, Field(max_length=200, description="your name or organisation, written into every mark")
    ] = ""
    watermark_strength: Annotated[float, Field(ge=0.5, le=6, description="watermark bias in nats")] = 4.0
    timestamp_url: Annotated[str, Field(description="RFC 3161 time stamp authority; empty: none")] = ""
    accept_marking_responsibility: Annotated[
        bool, Field(description="an editor takes responsibility: leave out the visible label (recorded)")
    ] = False


class Settings:
    """A `Config` together with the source of each value."""

    def __init__(self, config: Config, sources: Mapping[str, Source]) -> None:
        self.config = config
        self.sources = dict(sources)


def config_file() -> Path:
    """Where `castalia.toml` is read from: the working folder's, else the configuration folder's."""
    here = Path("castalia.toml")
    return here if here.is_file() else folders().config / "castalia.toml"


def load(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read all layers.

    Args:
        overrides: Values from the command line; None values are ignored.

    Raises:
        UsageError: a layer holds an unknown name or a value of the wrong kind; names the layer and the value.
    """
    values: dict[str, Any] = {}
    sources: dict[str, Source] = dict.fromkeys(Config.model_fields, "default")
    layers: tuple[tuple[Source, Mapping[str, Any]], ...] = (
        ("file", _file_layer(config_file())),
        ("environment", _environment_layer()),
        ("command line", {name: value for name, value in (overrides or {}).items() if value is not None}),
    )
    for source, layer in layers:
        for name, value in layer.items():
            values[name] = value
            sources[name] = source
    try:
        return Settings(Config.model_validate(values), sources)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise UsageError(
            say(
                "Setting {name} from the {source} is wrong: {value!r} ({why}).",
                "来自{source}的设置 {name} 有误：{value!r}（{why}）。",
                name=name,
                source=sources.get(name, "file"),
                value=first.get("input"),
                why=first["msg"],
            ),
            hint=say("`castalia config` lists every setting.", "`castalia config` 会列出所有设置。"),
        ) from error


def _file_layer(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as stream:
            return {key.replace("-", "_"): value for key, value in tomllib.load(stream).items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}", hint=say("Mend or remove that file.", "请修正或删除该文件。")) from error


def _environment_layer() -> Mapping[str, Any]:
    layer: dict[str, Any] = {}
    for name in Config.model_fields:
        raw = os.environ.get(f"CASTALIA_{name.upper()}")
        if raw is not None and raw != "":
            layer[name] = raw
    return layer
