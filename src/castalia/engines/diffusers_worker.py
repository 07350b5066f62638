# pyright: basic, reportMissingImports=false
"""The process that draws with a diffusers folder; see `drawing_process` for what it is asked and answers.

This is the only file outside `training/` that imports torch, and the studio's own process never imports it.
"""

from __future__ import annotations

import inspect
import io
import sys
from collections.abc import Mapping
from typing import Any

from castalia.engines.drawing_process import Draw, Tell, serve

_STEP = 16
"""A side is a multiple of so many pixels: twice the factor of the usual autoencoders."""


def load(folder: str, dials: Mapping[str, Any]) -> tuple[Draw, str, int]:
    """What draws, its build, its side in pixels."""
    import diffusers
    import torch
    import transformers

    pipeline: Any = diffusers.DiffusionPipeline  # pyright: ignore[reportPrivateImportUsage]
    pipeline = pipeline.from_pretrained(folder, use_safetensors=True, local_files_only=True, torch_dtype=torch.float32)
    pipeline = pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
    pipeline.set_progress_bar_config(disable=True)
    parts = (diffusers, transformers, torch)
    versions = ", ".join(f"{part.__name__} {part.__version__}" for part in parts)
    build = f"{type(pipeline).__name__}, {versions}, {torch.get_num_threads()} threads"
    return lambda request, given, tell: _drawn(pipeline, request, given, dials, tell), build, _side(pipeline)


def _drawn(pipeline: Any, request: dict[str, Any], given: bytes, dials: Mapping[str, Any], tell: Tell) -> bytes:  # noqa: ANN401
    import diffusers
    import torch
    from PIL import Image

    wanted: dict[str, Any] = {
        "prompt": request["words"],
        "generator": torch.Generator("cpu").manual_seed(request["seed"]),
    }
    if dials.get("steps"):
        wanted["num_inference_steps"] = dials["steps"]
    if dials.get("guidance") is not None:
        wanted["guidance_scale"] = dials["guidance"]
    if given:
        auto: Any = diffusers.AutoPipelineForImage2Image  # pyright: ignore[reportPrivateImportUsage]
        pipeline = auto.from_pipe(pipeline)
        image = Image.open(io.BytesIO(given), formats=["PNG"]).convert("RGB")
        image = image.resize((_multiple(image.width), _multiple(image.height)), Image.Resampling.LANCZOS)
        # at strength 0 nothing is left to denoise, and pipelines fail
        wanted |= {"image": image, "strength": max(request["strength"], 0.05)}
    else:
        wanted |= {"width": _multiple(request["side"]), "height": _multiple(request["side"])}

    def stepped(own: Any, step: int, _time: object, kept: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
        tell(step + 1, own.num_timesteps)
        return kept

    takes = inspect.signature(pipeline.__call__).parameters
    wanted["callback_on_step_end"] = stepped
    stream = io.BytesIO()
    pipeline(**{name: value for name, value in wanted.items() if name in takes}).images[0].save(stream, "PNG")
    return stream.getvalue()


def _side(pipeline: Any) -> int:  # noqa: ANN401
    """The size that a pipeline was trained for, pixels."""
    network = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    size = getattr(getattr(network, "config", None), "sample_size", None)
    if isinstance(size, (list, tuple)):
        size = size[0]
    return _multiple(size * getattr(pipeline, "vae_scale_factor", 8)) if isinstance(size, int) else 1024


def _multiple(side: int) -> int:
    return max(round(side / _STEP), 1) * _STEP


if __name__ == "__main__":
    sys.exit(serve(load, sys.argv))
