"""Every kind of pixel that Pillow decodes → sRGB, eight bits, with alpha where there is some."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from castalia.core.language import say

if TYPE_CHECKING:
    from PIL.Image import Image

_PROFILED = ("RGB", "CMYK", "L", "LAB")
"""Modes that a profile of their own kind is applied to."""


def srgb(image: Image) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The pixels of a decoded picture, shape (height, width, 3 or 4), and what was changed about them.

    Args:
        image: Loaded, of any mode: 1, L, LA, P, PA, RGB, RGBA, CMYK, YCbCr, LAB, I;16 and so on, but F.
    """
    if image.mode.startswith("I"):
        return _sixteen(image), ()
    notes: tuple[str, ...] = ()
    if image.mode == "CMYK":
        notes = (say("colours of print were made those of a screen", "印刷色已转为屏幕色"),)
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    colours = _by_profile(image)
    if alpha is not None:
        colours.putalpha(alpha)
    return np.array(colours), notes


def _sixteen(image: Image) -> NDArray[np.uint8]:
    """Grey of 16 bits: 257 finer steps make one."""
    grey = np.asarray(image).clip(0, 65_535).astype(np.uint32)
    return np.repeat(((grey + 128) // 257).astype(np.uint8)[..., None], 3, axis=2)


def _by_profile(image: Image) -> Image:
    """RGB; what an embedded ICC profile says of other colour spaces is followed, where it can be read."""
    from PIL import ImageCms

    cms: Any = ImageCms
    if profile := image.info.get("icc_profile"):
        plain = image if image.mode in _PROFILED else image.convert("L" if image.mode in ("LA", "1") else "RGB")
        try:
            found = cms.ImageCmsProfile(io.BytesIO(profile))
            return cms.profileToProfile(plain, found, cms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile that is damaged, or of another colour space than its pixels
    return image.convert("RGB")
