"""A genre that only the tests know: a drawn picture, or what becomes of a given one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from castalia.core.explained_picture import Neighbour
from castalia.core.picture import DrawStep, EnlargeStep, Picture
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content
from castalia.genres._pictures import assembled
from castalia.quality import BlankRule, DetailRule, SaturatedRule


class Waves:
    """A real drawer without weights: three gradients that the words turn and the seed moves, and brush strokes."""

    name = "waves"
    digest = hashlib.sha256(b"waves 1").hexdigest()
    build = "numpy"

    def draw(self, words: str, style: str, seed: int, size: int) -> np.ndarray:
        turn = np.frombuffer(hashlib.sha256(f"{words}/{style}".encode()).digest()[:3], np.uint8) / 255 * 2 * np.pi
        random = np.random.default_rng(seed)
        y, x = np.mgrid[:size, :size] / size
        drawn = np.stack([np.cos(a) * x + np.sin(a) * y for a in turn], axis=-1)
        drawn = 128 + 90 * drawn
        for _ in range(40):
            left, top = random.integers(0, size - size // 8, 2)
            drawn[top : top + size // 10, left : left + size // 8] += random.normal(0, 25, 3)
        return drawn.clip(0, 255).astype(np.uint8)

    def filled_from(self, step, seed: int) -> str:
        return ""

    def missed(self, step, seed: int) -> list[str]:
        return []

    def unknown(self, words: str) -> list[str]:
        return []

    def agreement(self, words: str, style: str, pixels: np.ndarray) -> float:
        return 1.0

    def nearest(self, pixels: np.ndarray) -> Neighbour:
        return Neighbour("nothing", 99.0)


class Repeater:
    """A real enlarger without weights: each pixel becomes a square."""

    name = "repeater"
    digest = hashlib.sha256(b"repeater 1").hexdigest()
    build = "numpy"

    def enlarge(self, pixels, factor, kind, progress=None) -> np.ndarray:
        return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


class WavesFields(BriefFields):
    picture: Annotated[Picture | None, Field(description="picture to enlarge | 待放大的图片")] = None
    size: Annotated[int, Field(ge=64, le=512, description="pixels a side | 边长")] = 256


class WavesGenre:
    name = "waves"
    aliases = ("波浪",)
    languages = ("en", "zh")
    title = ("Waves", "波浪")
    summary = ("gradients and strokes", "渐变与笔触")
    fields: type[BriefFields] = WavesFields

    def plan(self, brief: Brief) -> Plan:
        fields = brief.fields
        assert isinstance(fields, WavesFields)
        if fields.picture is not None:
            return Plan(pictures=(EnlargeStep("waves", fields.picture, 2),))
        first = DrawStep("waves", brief.words, fields.size)
        if "twice" not in brief.words:
            return Plan(pictures=(first,))
        small = DrawStep("small", brief.words, fields.size // 2)
        return Plan(
            pictures=(small, lambda parts: EnlargeStep("waves", Picture.model_validate_json(parts["small"]), 2))
        )

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        return assembled(brief, parts.get("waves", ""), brief.words or "enlarged")

    def rules(self, brief: Brief) -> Sequence[Rule]:
        return (BlankRule(), SaturatedRule(), DetailRule())

    def revise(self, draft, findings) -> None:
        return None


GENRE = WavesGenre()
