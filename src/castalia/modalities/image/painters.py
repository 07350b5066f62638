"""The models that make pictures, each loaded when it is first needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from castalia import __version__, models
from castalia.core.errors import UsageError
from castalia.core.explained_picture import Neighbour, PictureExplanation
from castalia.core.language import say
from castalia.core.picture import DirectStep, DrawnStep, MixStep, Picture, RedrawStep
from castalia.core.ports import Progress
from castalia.engines.checkpoint_file import KINDS as CHECKPOINTS
from castalia.engines.checkpoint_file import open_checkpoint
from castalia.engines.diffusers_folder import open_folder
from castalia.engines.images_endpoint import ImagesEndpoint
from castalia.modalities.image.draw.folder import PARTS
from castalia.modalities.image.draw.model import DrawingModel
from castalia.modalities.image.enlarge import RealEsrgan
from castalia.modalities.image.paint import StylePainter
from castalia.modalities.image.pipeline import Pipeline

Pixels = NDArray[np.uint8]
"""Shape (height, width, 3): sRGB."""


class Model(Protocol):
    """Weights, or an exact method, that make pictures."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str:
        """SHA-256 of the weights; of a method without weights empty."""
        ...

    @property
    def build(self) -> str:
        """Engine and version."""
        ...


@dataclass(frozen=True)
class Method:
    """A method without weights, as a model."""

    name: str
    digest: str = ""
    build: str = f"castalia {__version__}"


class Drawer(Model, Protocol):
    """Draws from words."""

    def draw(self, words: str, style: str, seed: int, size: int) -> Pixels:
        """A picture of `size` pixels a side; with alpha it may have four channels.

        Args:
            words: What is to be seen.
            style: A look that the model was taught; empty leaves it to the model.
            seed: Same words, style, seed and size, same picture.
            size: Pixels; 0 leaves it to the model.

        Raises:
            UsageError: the model was not taught that style, knows none of the words, or does not draw so large.
        """
        ...

    def redraw(self, step: RedrawStep, seed: int) -> Pixels:
        """A picture drawn again; raises `UsageError` as `draw` does."""
        ...

    def mix(self, step: MixStep) -> Pixels:
        """A picture between two others; raises `UsageError` as `draw` does."""
        ...

    def direct(self, step: DirectStep) -> Pixels:
        """A picture moved along a direction; raises `UsageError` as `draw` does, and where it has no such direction."""
        ...

    def filled_from(self, step: DrawnStep, seed: int) -> str:
        """The learned picture whose name fills in what the words leave open; empty where there is none."""
        ...

    def missed(self, step: DrawnStep, seed: int) -> Sequence[str]:
        """What was said, is known, and is not to be found with the picture of `filled_from`."""
        ...

    def explain(self, step: DrawnStep, seed: int, work: Picture) -> PictureExplanation:
        """Why the picture that it made of a step is as it is; raises `UsageError` as `draw` does."""
        ...

    def known(self) -> Mapping[str, Sequence[str]]:
        """What it was taught: `words`, `styles` and `directions`."""
        ...

    def unknown(self, words: str) -> Sequence[str] | None:
        """The words that say nothing to the model; None where nobody can tell."""
        ...

    def agreement(self, words: str, style: str, pixels: Pixels) -> float | None:
        """The share of random words that a drawn picture is less like than its own, by chance a half.

        None where nobody can tell.
        """
        ...

    def nearest(self, pixels: Pixels) -> Neighbour | None:
        """The picture that was learned and is most like this one; None where it is not known what was learned."""
        ...


class Painter(Model, Protocol):
    """Paints a picture anew in a style."""

    def paint(
        self,
        content: Pixels,
        style: str | Pixels,
        *,
        strength: float,
        keep_colours: bool,
    ) -> Pixels:
        """The content in the style, in its own size; see `PaintStep`.

        Raises:
            UsageError: there is no style of that name.
        """
        ...


class Enlarger(Model, Protocol):
    """Enlarges pictures."""

    def enlarge(
        self,
        pixels: Pixels,
        factor: Literal[2, 4],
        kind: Literal["photo", "drawing", "fast"],
        progress: Progress | None = None,
    ) -> Pixels:
        """The same picture, `factor` times wider and higher; see `EnlargeStep`. With alpha it has four channels."""
        ...


@dataclass(frozen=True)
class Chosen:
    """The model that draws, as the settings name it, and how a pipeline that others trained is to be driven.

    Attributes:
        named: A folder of `castalia train image` or of diffusers, a checkpoint file, or an endpoint's URL
            (`https://host/v1#model`); empty takes the model that comes along.
        key: Of the endpoint.
        side: Pixels a side; 0 leaves it to the pipeline.
        steps: Of denoising; 0 leaves them to the pipeline.
        guidance: How closely it keeps to the words; None leaves it to the pipeline.
    """

    named: str = ""
    key: str = ""
    side: int = 0
    steps: int = 0
    guidance: float | None = None

    @property
    def kind(self) -> Literal["own", "trained", "diffusers", "checkpoint", "endpoint"]:
        """What it is.

        Raises:
            UsageError: it is none of these.
        """
        if not self.named:
            return "own"
        if re.match(r"https?://", self.named):
            return "endpoint"
        path = self._path
        if (path / "model_index.json").is_file():
            return "diffusers"
        if any((path / part).is_file() for part in PARTS):
            return "trained"
        if path.is_file() and path.suffix.lower() in CHECKPOINTS:
            return "checkpoint"
        raise UsageError(
            say(
                "image_model = {named!r} is no picture model: {why}.",
                "image_model = {named!r} 不是图片模型：{why}。",
                named=self.named,
                why=self._why(),
            ),
            hint=say(
                "Name a folder with model_index.json (diffusers) or of `castalia train image`, a .safetensors or .gguf "
                "checkpoint, or an images endpoint https://HOST/v1#MODEL.",
                "请指明含 model_index.json 的文件夹（diffusers）、`castalia train image` 的文件夹、"
                ".safetensors 或 .gguf 检查点，或图片端点 https://主机/v1#模型。",
            ),
        )

    @property
    def _path(self) -> Path:
        return Path(self.named).expanduser()

    def _why(self) -> str:
        if self._path.is_dir():
            return say("the folder holds no model that is known", "文件夹中没有已知的模型")
        if self._path.is_file():
            return say("this kind of file is not read", "不读取此类文件")
        return say("there is no such folder or file", "没有这样的文件夹或文件")

    def open(self, progress: Progress | None = None) -> Drawer:
        """The model, ready to draw.

        Raises:
            UsageError: see `kind`; or the folder or URL cannot be used.
            MissingError: a part of the folder is not there.
            EngineError: the endpoint cannot be reached.
        """
        dials: dict[str, Any] = {"side": self.side, "steps": self.steps, "guidance": self.guidance}
        match self.kind:
            case "own":
                return DrawingModel.default()
            case "trained":
                return DrawingModel(self._path)
            case "diffusers":
                return Pipeline(open_folder(self._path, progress=progress, **dials))
            case "checkpoint":
                path = self._path
                return Pipeline(open_checkpoint(path, digest=lambda: models.digest(path), progress=progress, **dials))
            case "endpoint":
                url, _, model = self.named.partition("#")
                return Pipeline(ImagesEndpoint(url, model=model, key=self.key, side=self.side))


class Painters:
    """See the module.

    Args:
        chosen: The model that draws from words; without, the one that comes along.
        progress: Told while a pipeline draws.
        drawer: A model that is loaded already, in place of that.
        painter: Likewise.
        enlarger: Likewise.
    """

    def __init__(
        self,
        chosen: Chosen | None = None,
        *,
        progress: Progress | None = None,
        drawer: Drawer | None = None,
        painter: Painter | None = None,
        enlarger: Enlarger | None = None,
    ) -> None:
        self._chosen, self._progress = chosen or Chosen(), progress
        self._given = (drawer, painter, enlarger)

    @cached_property
    def drawer(self) -> Drawer:
        """Draws from words; see `Chosen.open` for what it raises."""
        return self._given[0] or self._chosen.open(self._progress)

    @cached_property
    def painter(self) -> Painter:
        """Paints in a style."""
        return self._given[1] or StylePainter()

    @cached_property
    def enlarger(self) -> Enlarger:
        """Enlarges."""
        return self._given[2] or RealEsrgan()

    def close(self) -> None:
        """End what runs beside this process."""
        drawer = self.__dict__.pop("drawer", None)
        if isinstance(drawer, Pipeline):
            drawer.close()
