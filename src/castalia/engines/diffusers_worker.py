# pyright: basic, reportMissingImports=false
"""The process that draws with a diffusers folder: JSON lines and PNG bytes in, JSON lines and PNG bytes out.

Run: python -m castalia.engines.diffusers_worker FOLDER

First line out: `name`, `build`, `side`. A request: `words`, `seed`, and `side`, or `strength` with `bytes` of PNG
behind the line. An answer: lines of `step` and `of`, then `bytes` and so many bytes of PNG; or `error`, with `alive`
where more may be asked. It ends when its input does. This is the only file outside `training/` that imports torch, and
the studio's own process never imports it.
"""

from __future__ import annotations

import inspect
import io
import json
import os
import sys
from pathlib import Path
from typing import IO, Any

_STEP = 16
"""A side is a multiple of so many pixels: twice the factor of the usual autoencoders."""


def main(folder: str) -> int:
    """Load, say so, draw until there is nothing more to draw."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is a complaint, no answer
    dials = json.loads(os.environ.get("CASTALIA_DIALS", "{}"))
    try:
        import diffusers
        import torch
        import transformers
    except ImportError as error:
        _say(out, missing=str(error))
        return 3
    try:
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, torch_dtype=torch.float32
        )
        pipeline = pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
    except Exception as error:  # whatever a stranger's folder leads to
        _say(out, error=f"{type(error).__name__}: {error}")
        return 3
    pipeline.set_progress_bar_config(disable=True)
    versions = f"diffusers {diffusers.__version__}, transformers {transformers.__version__}, torch {torch.__version__}"
    set_so = [f"{name} {value:g}" for name, value in dials.items() if value]
    build = ", ".join([type(pipeline).__name__, versions, f"{torch.get_num_threads()} threads", *set_so])
    _say(out, name=Path(folder).name, build=build, side=_side(pipeline))
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        given = sys.stdin.buffer.read(request["bytes"])
        try:
            picture = _drawn(pipeline, request, given, dials, out)
        except Exception as error:
            _say(out, error=f"{type(error).__name__}: {error}", alive=True)
            continue
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        _say(out, bytes=stream.tell())
        out.write(stream.getvalue())
        out.flush()
    return 0


def _drawn(pipeline: Any, request: dict[str, Any], given: bytes, dials: dict[str, Any], out: IO[bytes]) -> Any:  # noqa: ANN401
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
        from diffusers import AutoPipelineForImage2Image

        pipeline = AutoPipelineForImage2Image.from_pipe(pipeline)
        image = Image.open(io.BytesIO(given), formats=["PNG"]).convert("RGB")
        image = image.resize((_multiple(image.width), _multiple(image.height)), Image.Resampling.LANCZOS)
        # at strength 0 nothing is left to denoise, and pipelines fail
        wanted |= {"image": image, "strength": max(request["strength"], 0.05)}
    else:
        wanted |= {"width": _multiple(request["side"]), "height": _multiple(request["side"])}
    takes = inspect.signature(pipeline.__call__).parameters
    if "callback_on_step_end" in takes:
        wanted["callback_on_step_end"] = lambda own, step, _time, kept: (
            _say(out, step=step + 1, of=own.num_timesteps) or kept
        )
    return pipeline(**{name: value for name, value in wanted.items() if name in takes}).images[0]


def _side(pipeline: Any) -> int:  # noqa: ANN401
    """The size that a pipeline was trained for, pixels."""
    network = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    size = getattr(getattr(network, "config", None), "sample_size", None)
    if isinstance(size, (list, tuple)):
        size = size[0]
    return _multiple(size * getattr(pipeline, "vae_scale_factor", 8)) if isinstance(size, int) else 1024


def _multiple(side: int) -> int:
    return max(round(side / _STEP), 1) * _STEP


def _say(out: IO[bytes], **told: object) -> None:
    out.write(json.dumps(told).encode() + b"\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
