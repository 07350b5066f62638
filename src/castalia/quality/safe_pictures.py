"""Whether a picture is fit to show: no pornography, as a network that was trained to tell it sees the picture.

Yahoo's open_nsfw (Mahadeokar & Pesavento 2016, "Open sourcing a deep learning solution for detecting NSFW images"): a
thin ResNet-50. It knows nothing of violence or hatred, and takes bare brown surfaces for skin.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from castalia import models
from castalia.core.errors import DigestError, MissingError
from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.core.values import Draft, Finding
from castalia.engines import onnx_runtime

NETWORK = "safety"
"""Name in the catalogue."""
_WHOLE, _SEEN = 256, 224
"""Pixels a side to which a picture is brought, and of the middle that is looked at."""
_MEAN = np.array([104, 117, 123], np.float32)
"""Of the pictures that it learned, blue first."""


@dataclass(frozen=True)
class SafePictureRule:
    """The picture is fit to show; where the network is not installed that is said, and keeps nothing back.

    What a person gave and had changed is no worse than before: it is noted.

    Args:
        most: Chance of pornography, of the picture and of its mirror image both. At .8 none of 994 harmless emoji and
            none of the photographs that were tried is refused (docs/log.md); its publisher calls less than .2 safe,
            and more than .8 not.
    """

    most: float = 0.8
    name: str = "safety"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding for a work that is a picture."""
        picture = draft.content.picture
        if picture is None:
            return []
        try:
            chance = _worst(picture, self.most)
            brought = chance > self.most and any(
                _worst(each, self.most) > self.most
                for _, each in draft.brief.fields
                if isinstance(each, Picture) and each.made_by == "person"
            )
        except MissingError as error:
            return [self._finding(ok=True, note=True, found=say("not checked", "未检查"), hint=error.hint)]
        except DigestError as error:
            return [self._finding(ok=False, found=error.message, hint=error.hint)]
        ok = chance <= self.most
        hint = "" if ok else say("Try another seed, or change the brief.", "请换种子，或修改要求。")
        found = say("chance of pornography {n:.2f}", "色情概率 {n:.2f}", n=chance)
        return [self._finding(ok=ok, note=brought, found=found, hint=hint)]

    def _finding(self, *, ok: bool, found: str, hint: str, note: bool = False) -> Finding:
        wanted = say("at most {most:g}", "不超过 {most:g}", most=self.most)
        severity = "note" if note else "refuse"
        place = say("picture", "图片")
        return Finding(rule=self.name, ok=ok, severity=severity, place=place, found=found, wanted=wanted, hint=hint)


def _worst(picture: Picture, doubtful: float) -> float:
    """The highest chance of a picture, and of each picture in it; a doubtful one is looked at in the mirror too."""
    found = 0.0
    for view in _views(picture):
        chance = pornographic(view)
        if chance > doubtful:
            chance = min(chance, pornographic(ImageOps.mirror(view)))
        found = max(found, chance)
    return found


def pornographic(picture: Image.Image) -> float:
    """The chance that an RGB picture is pornographic, 0 to 1.

    As classify_nsfw.py of the network's publisher brings a picture to it: squeezed to 256 × 256, through JPEG.

    Raises:
        MissingError: the runtime or the network is not installed.
    """
    coded = io.BytesIO()
    picture.resize((_WHOLE, _WHOLE), Image.Resampling.BILINEAR).save(coded, "JPEG")
    edge = (_WHOLE - _SEEN) // 2
    with Image.open(coded) as decoded:
        middle = np.asarray(decoded, np.float32)[edge : edge + _SEEN, edge : edge + _SEEN, ::-1]
    network = _network()
    (chances,) = network.run(
        None, {network.get_inputs()[0].name: (middle - _MEAN)[None]}
    )  # ((1, 224, 224, 3)) → (1, 2)
    return float(chances[0, 1])


def _views(picture: Picture) -> Iterator[Image.Image]:
    """A picture on white, and each of those that lie in it."""
    pixels = picture.pixels
    if pixels.shape[2] == 4:
        pixels = _on_white(pixels)
    whole = Image.fromarray(pixels)
    yield whole
    for cell in picture.sheet.cells if picture.sheet else ():
        yield whole.crop((cell.left, cell.top, cell.left + cell.width, cell.top + cell.height))


def _on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    cover = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * cover + 255 * (255 - cover) + 127) // 255).astype(np.uint8)


@cache
def _network() -> Any:  # noqa: ANN401 - onnxruntime has no types
    return onnx_runtime.session(models.network_files(NETWORK)["safety.onnx"].read_bytes(), extra="pictures")
