"""Settings: command line > environment (`CASTALIA_*`) > `castalia.toml` > default, each with where it came from.

The user's own `castalia.toml` lies in the configuration folder; one in the working folder goes over it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from castalia.core.errors import UsageError
from castalia.core.files import CONFIG_NAME, config_file
from castalia.core.language import say

Source = Literal["command line", "environment", "file", "default"]


SAMPLING = (
    *("temperature", "top_k", "top_p", "min_p"),
    *("repeat_penalty", "presence_penalty", "frequency_penalty"),
)
"""Settings that change how tokens are drawn, named as in `ports.Sampling`; None leaves it to the genre."""


_PERSONAL = (
    *("accept_marking_responsibility", "image_model", "model", "models", "offline", "timestamp_url"),
    *("vision_model", "vision_projector"),
)
"""What only the user's own file may say; `offline = true` is harmless anywhere."""


class Config(BaseModel):
    """All settings; each field's description is its help text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lang: Annotated[
        Literal["", "en", "zh"] | str, Field(description="interface language; empty: by locale | 界面语言；空为按系统")
    ] = ""
    offline: Annotated[
        bool,
        Field(description="forbid every connection that is not a configured engine | 除已配置的引擎外禁止一切连接"),
    ] = False
    model: Annotated[
        str, Field(description="language model: a name, a path or an endpoint's URL | 语言模型：名称、路径或端点网址")
    ] = ""
    models: Annotated[
        str, Field(description="folder of model files; empty: in the cache folder | 模型文件夹；空为缓存文件夹内")
    ] = ""
    music_model: Annotated[
        str,
        Field(description="folder of a music model; empty: the one that comes along | 音乐模型文件夹；空为自带模型"),
    ] = ""
    image_model: Annotated[
        str,
        Field(
            description="what draws: a folder of a trained model or of diffusers, a checkpoint file, or an images "
            "endpoint's URL; empty: the one that comes along | "
            "绘画模型：训练所得或 diffusers 的文件夹、检查点文件，或图片端点网址；空为自带模型"
        ),
    ] = ""
    image_size: Annotated[
        int,
        Field(
            ge=0,
            le=2048,
            description="pixels a side that a bigger model draws; 0: its own | 外部绘画模型的边长",
        ),
    ] = 0
    image_steps: Annotated[
        int,
        Field(
            ge=0, le=500, description="denoising steps of a bigger model; 0: its own | 外部绘画模型的去噪步数；0 为默认"
        ),
    ] = 0
    image_guidance: Annotated[
        float | None,
        Field(ge=0, le=50, description="how closely a bigger model keeps to the words | 外部绘画模型与文字的贴合程度"),
    ] = None
    vision_model: Annotated[
        str,
        Field(
            description="what says in words what a picture shows: a chat endpoint's URL, or a GGUF file | "
            "看图说话的模型：对话端点网址或 GGUF 文件"
        ),
    ] = ""
    vision_projector: Annotated[str, Field(description="the GGUF file's mmproj file | GGUF 模型的 mmproj 文件")] = ""
    soundfont: Annotated[
        str,
        Field(description="file .sf2 or .sf3 that plays music; empty: the own one | 音色库文件；空为自带音色库"),
    ] = ""
    threads: Annotated[
        int,
        Field(ge=0, le=512, description="threads for generation; 0: as many as are fastest | 生成线程数；0 为取最快者"),
    ] = 0
    context: Annotated[
        int, Field(ge=512, le=1_048_576, description="context length in tokens | 上下文长度（词元）")
    ] = 4096
    tries: Annotated[int, Field(ge=1, le=100, description="drafts written before giving up | 放弃前的尝试次数")] = 4
    temperature: Annotated[
        float | None, Field(ge=0, le=5, description="0: the likeliest token always | 0 为总取最可能的词元")
    ] = None
    top_k: Annotated[
        int | None, Field(ge=0, le=100_000, description="most candidates a token; 0: all | 候选词元上限；0 为全部")
    ] = None
    top_p: Annotated[
        float | None, Field(gt=0, le=1, description="candidates whose probability sums to this | 候选词元的概率之和")
    ] = None
    min_p: Annotated[
        float | None,
        Field(ge=0, le=1, description="least share of the best candidate's probability | 相对最佳候选的最低概率"),
    ] = None
    repeat_penalty: Annotated[
        float | None, Field(ge=1, le=10, description="against repetition; 1: off | 重复惩罚；1 为关闭")
    ] = None
    presence_penalty: Annotated[
        float | None,
        Field(
            ge=-2, le=2, description="nats off each token that was drawn before; 0: off | 已出现词元的惩罚；0 为关闭"
        ),
    ] = None
    frequency_penalty: Annotated[
        float | None,
        Field(
            ge=-2, le=2, description="nats off a token for each time it was drawn; 0: off | 按出现次数的惩罚；0 为关闭"
        ),
    ] = None
    provider: Annotated[
        str,
        Field(
            max_length=200,
            description="your name or organisation, written into every mark | 写入每个标识的姓名或机构",
        ),
    ] = ""
    watermark_strength: Annotated[
        float, Field(ge=0.5, le=6, description="watermark bias in nats | 水印强度（纳特）")
    ] = 4.0
    timestamp_url: Annotated[
        str, Field(description="RFC 3161 time stamp authority; empty: none | RFC 3161 时间戳机构；空为不用")
    ] = ""
    accept_marking_responsibility: Annotated[
        bool,
        Field(
            description="an editor takes responsibility: leave out the visible label (recorded)"
            " | 由编辑负责：不加可见标识（会记录）"
        ),
    ] = False

    @property
    def sampling(self) -> dict[str, int | float]:
        """The sampling values that the user set, by name; what is missing is the genre's own choice."""
        given = self.model_dump(include=set(SAMPLING))
        return {name: value for name, value in given.items() if value is not None}


class Settings:
    """A `Config` together with the source of each value."""

    def __init__(self, config: Config, sources: Mapping[str, Source]) -> None:
        self.config = config
        self.sources = dict(sources)


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
        ("file", _folder_layer(Path(CONFIG_NAME))),
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


def _folder_layer(path: Path) -> Mapping[str, Any]:
    """The working folder's file. It may come from somebody else, so it chooses no model, network or marks."""
    own = path.resolve() == config_file().resolve()
    layer: Mapping[str, Any] = {} if own else _file_layer(path)
    for name, value in layer.items():
        if name in _PERSONAL and (name, value) != ("offline", True):
            raise UsageError(
                say(
                    "{path} may not set {name} = {value!r}: a working folder's file may come from somebody else.",
                    "{path} 不能设置 {name} = {value!r}：工作文件夹中的文件可能来自他人。",
                    path=path,
                    name=name,
                    value=value,
                ),
                hint=say("Set it in {path}.", "请在 {path} 中设置。", path=config_file()),
            )
    return layer


def _environment_layer() -> Mapping[str, Any]:
    layer: dict[str, Any] = {}
    for name in Config.model_fields:
        raw = os.environ.get(f"CASTALIA_{name.upper()}")
        if raw is not None and raw != "":
            layer[name] = raw
    return layer
