"""The networks that enlarge four times, run by ncnn on one tile.

Wang et al. 2021, "Real-ESRGAN: training real-world blind super-resolution with pure synthetic data"; generators trained
against a U-Net discriminator: 23 residual-in-residual blocks for photographs, 6 for drawings, and a small fast one that
was trained on frames of animated films.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from castalia import models
from castalia.core.errors import EngineError, MissingError
from castalia.core.language import say
from castalia.modalities.image.oklab import Pixels

NETWORK = "enlarge"
"""Name in the catalogue."""
FACTOR = 4
Kind = Literal["photo", "drawing", "fast"]


def four_times(tile: Pixels, kind: Kind) -> Pixels:
    """A tile enlarged: (height, width, 3) to (4 · height, 4 · width, 3).

    Raises:
        MissingError: the runtime or the network is not installed.
        EngineError: the network did not run.
    """
    runtime, net = _net(kind)
    run = net.create_extractor()
    planes = np.ascontiguousarray(tile.transpose(2, 0, 1).astype(np.float32) / 255)  # (3, height, width)
    run.input("data", runtime.Mat(planes))
    failed, out = run.extract("output")
    if failed:
        raise EngineError(
            say("The network that enlarges did not run ({code}).", "放大网络运行失败（{code}）。", code=failed),
            hint=say(
                "Close other programs to free memory, or give a smaller picture.", "请释放内存，或给出较小的图片。"
            ),
        )
    large: NDArray[np.float32] = np.array(out)
    return (np.clip(large.transpose(1, 2, 0), 0, 1) * 255 + 0.5).astype(np.uint8)


@lru_cache(maxsize=1)  # that for photographs takes 320 MB
def _net(kind: Kind) -> tuple[Any, Any]:
    try:
        runtime: Any = import_module("ncnn")
    except ImportError as error:
        raise MissingError(
            say("Enlarging needs ncnn, which is not installed.", "放大图片需要 ncnn，尚未安装。"),
            hint="pip install 'castalia[pictures]'",
        ) from error
    files = models.network_files(NETWORK)
    net = runtime.Net()
    net.opt.num_threads = 1  # two threads on a busy machine took four times as long
    net.opt.use_vulkan_compute = False
    if net.load_param(str(files[f"{kind}.param"])) or net.load_model(str(files[f"{kind}.bin"])):
        raise EngineError(
            say("The network {name!r} cannot be read.", "无法读取网络 {name!r}。", name=kind),
            hint=f"castalia models remove {NETWORK}; castalia models pull {NETWORK}",
        )
    return runtime, net
