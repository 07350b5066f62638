"""The networks that enlarge, as one model of a studio."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from castalia import models
from castalia.core.ports import Progress
from castalia.modalities.image.enlarge.enlarge import enlarge
from castalia.modalities.image.enlarge.network import NETWORK, Kind
from castalia.modalities.image.oklab import Pixels


class RealEsrgan:
    """See the module. It is made without weights, so that a plan can be looked at; `enlarge` wants them."""

    name = NETWORK

    @property
    def digest(self) -> str:
        """SHA-256 of the digests of its files."""
        return models.networks()[NETWORK].digest

    @property
    def build(self) -> str:
        """Runtime and version."""
        try:
            return f"ncnn {version('ncnn')}"
        except PackageNotFoundError:
            return "ncnn"

    def enlarge(self, pixels: Pixels, factor: Literal[2, 4], kind: Kind, progress: Progress | None = None) -> Pixels:
        """See `enlarge.enlarge`."""
        return enlarge(pixels, factor=factor, kind=kind, progress=progress)
