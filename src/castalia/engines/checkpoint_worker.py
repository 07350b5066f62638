# pyright: basic, reportMissingImports=false
"""The process that draws with one checkpoint file by stable-diffusion.cpp; see `drawing_process` for the line to it."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Any

from castalia.engines.drawing_process import Draw, Tell, serve
from castalia.engines.threads import idle_threads

_SIDE = 512
"""Pixels a side: what most checkpoints were trained for; `image_size` says another."""
_STEPS, _GUIDANCE = 20, 7.0
_MULTIPLE = 64
"""Pixels, of a side."""


def load(path: str, dials: Mapping[str, Any]) -> tuple[Draw, str, int]:
    """What draws, its build, its side in pixels."""
    library: Any = import_module("cyllama.sd")
    parameters = library.SDContextParams()
    parameters.model_path = path
    parameters.n_threads = idle_threads()
    parameters.vae_decode_only = False
    parameters.free_params_immediately = False  # more than one picture is drawn
    context = library.SDContext(parameters)
    build = f"stable-diffusion.cpp of cyllama {version('cyllama')}, {parameters.n_threads} threads"
    return lambda request, given, tell: _drawn(library, context, request, given, dials, tell), build, _SIDE


def _drawn(
    library: Any,  # noqa: ANN401
    context: Any,  # noqa: ANN401
    request: dict[str, Any],
    given: bytes,
    dials: Mapping[str, Any],
    tell: Tell,
) -> bytes:
    from PIL import Image

    wanted: dict[str, Any] = {
        "prompt": request["words"],
        "seed": request["seed"],
        "sample_steps": dials.get("steps") or _STEPS,
        "cfg_scale": _GUIDANCE if dials.get("guidance") is None else dials["guidance"],
    }
    sides = [request.get("side", _SIDE)] * 2
    if given:
        image = Image.open(io.BytesIO(given), formats=["PNG"]).convert("RGB")
        sides = [*image.size]
        image = image.resize((_multiple(sides[0]), _multiple(sides[1])), Image.Resampling.LANCZOS)
        # at strength 0 nothing is left to denoise
        wanted |= {"init_image": library.SDImage.from_pil(image), "strength": max(request["strength"], 0.05)}
    wanted |= {"width": _multiple(sides[0]), "height": _multiple(sides[1])}
    library.set_progress_callback(lambda step, of, _seconds: tell(step, of))
    stream = io.BytesIO()
    context.generate(**wanted)[0].to_pil().save(stream, "PNG")
    return stream.getvalue()


def _multiple(side: int) -> int:
    return max(round(side / _MULTIPLE), 1) * _MULTIPLE


if __name__ == "__main__":
    sys.exit(serve(load, sys.argv))
