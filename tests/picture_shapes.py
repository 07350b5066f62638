"""Pictures for training that the tests draw: one shape of one colour each, with a caption."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 128
COLOURS = {
    "red": ((214, 38, 30), "红色"),
    "orange": ((250, 130, 20), "橙色"),
    "yellow": ((250, 210, 40), "黄色"),
    "green": ((40, 160, 60), "绿色"),
    "blue": ((30, 90, 210), "蓝色"),
    "purple": ((130, 50, 190), "紫色"),
    "brown": ((120, 70, 30), "棕色"),
}
SHAPES = {"circle": "圆形", "square": "方块", "triangle": "三角形"}
REACHES = (30, 46)
"""Pixels from the middle to the edge; with these, three of the 42 pictures are kept for validation."""


def shape(name: str, colour: tuple[int, int, int], reach: int = 46) -> np.ndarray:
    """A shape on white (SIDE, SIDE, 3), in whole numbers: the same bytes everywhere.

    Args:
        name: A key of `SHAPES`.
        colour: RGB.
        reach: Pixels from the middle to the edge.
    """
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    inside = {
        "circle": x * x + y * y < reach * reach,
        "square": np.maximum(abs(x), abs(y)) < reach,
        "triangle": (abs(y) < reach) & (2 * abs(x) < y + reach),
    }[name]
    pixels = np.full((SIDE, SIDE, 3), 255, np.uint8)
    pixels[inside] = colour
    return pixels


def write_shapes(folder: Path) -> Path:
    """42 pictures, `red-circle-46.png` and so on, and their captions in English and Chinese."""
    folder.mkdir(parents=True)
    lines: list[str] = []
    for colour, (rgb, colour_zh) in COLOURS.items():
        for name, zh in SHAPES.items():
            for reach in REACHES:
                file = f"{colour}-{name}-{reach}.png"
                Image.fromarray(shape(name, rgb, reach)).save(folder / file)
                row = {"file": file, "text": f"{colour} {name}, shape", "zh": f"{zh},{colour_zh}", "style": "plain"}
                lines.append(json.dumps(row, ensure_ascii=False))
    (folder / "captions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder
