"""Small pictures that are drawn to take a style from: wash, brush, tile, cut and plan, each always the same.

Each shows how marks are made and in which colours, and nothing else. All are `SIDE` pixels square.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from castalia.modalities.image.oklab import Pixels, Plane

SIDE = 512
_SEED = 20261127

Colour = tuple[int, int, int]


def ink_wash() -> Pixels:
    """Washes of black ink on rice paper, edges dark where they dried, and dry brush strokes over them."""
    chance = np.random.default_rng(_SEED)
    paper = np.full((SIDE, SIDE), 238, np.float32) + 6 * _cloud(chance, 4)
    for _ in range(9):
        shape = _cloud(chance, int(chance.integers(40, 110)))
        edge = float(np.quantile(shape, chance.uniform(0.6, 0.85)))
        inside = np.clip((shape - edge) * 8, 0, 1)
        rim = np.exp(-(((shape - edge) * 14) ** 2))
        paper -= inside * chance.uniform(20, 80) + rim * 25
    image = Image.fromarray(np.clip(paper, 20, 255).astype(np.uint8)).convert("RGB")
    draw = ImageDraw.Draw(image)
    for _ in range(26):
        x, y, turn = *chance.uniform(0, SIDE, 2), chance.uniform(0, 2 * math.pi)
        for step in range(60):
            turn += chance.normal(0, 0.08)
            x, y = x + 3 * math.cos(turn), y + 3 * math.sin(turn)
            width = 7 * math.sin(math.pi * step / 60) * chance.uniform(0.7, 1.1)
            shade = int(chance.uniform(15, 60))
            draw.ellipse((x - width, y - width, x + width, y + width), fill=(shade, shade, shade + 4))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.8)))


def mosaic() -> Pixels:
    """Small square stones in rows that bend, with pale joints, in blues, golds and reds."""
    chance = np.random.default_rng(_SEED + 2)
    palette = ((28, 74, 138), (64, 132, 188), (212, 168, 60), (178, 58, 46), (236, 226, 204), (46, 108, 84))
    region = _cloud(chance, 70)
    levels = np.quantile(region, np.linspace(0, 1, len(palette) + 1)[1:-1])
    image = Image.new("RGB", (SIDE, SIDE), (222, 214, 198))
    draw = ImageDraw.Draw(image)
    for row in range(-2, SIDE // 15 + 3):
        for column in range(-1, SIDE // 15 + 1):
            x = column * 15 + (row % 2) * 6 + chance.uniform(-1, 1)
            y = row * 15 + 14 * math.sin(column / 5) + chance.uniform(-1, 1)
            spot = region[int(np.clip(y, 0, SIDE - 1)), int(np.clip(x, 0, SIDE - 1))]
            colour = palette[int((levels < spot).sum())]
            draw.polygon(_square(x, y, 6.2, chance.normal(0, 0.12)), fill=_near(chance, colour, 14))
    return np.asarray(image)


def swirling_oil() -> Pixels:
    """Thick short strokes of oil along whirls, blue and gold."""
    chance = np.random.default_rng(_SEED + 5)
    height = _cloud(chance, 70)
    # the whirl runs across the slope
    turns = np.arctan2(height - np.roll(height, 1, 1), np.roll(height, 1, 0) - height)
    colours = ((16, 34, 92), (34, 76, 150), (92, 148, 196), (226, 192, 84), (250, 232, 160))
    levels = np.quantile(height, (0.3, 0.55, 0.75, 0.9))
    image = Image.new("RGB", (SIDE, SIDE), (20, 40, 96))
    draw = ImageDraw.Draw(image)
    for x, y in chance.uniform(0, SIDE - 1, (7_000, 2)):
        turn = float(turns[int(y), int(x)])
        colour = _near(chance, colours[int((levels < height[int(y), int(x)]).sum())], 26)
        reach, width = chance.uniform(8, 16), int(chance.integers(3, 6))
        ends = (
            x - reach * math.cos(turn),
            y - reach * math.sin(turn),
            x + reach * math.cos(turn),
            y + reach * math.sin(turn),
        )
        draw.line(ends, fill=colour, width=width)
        lit = tuple(min(255, each + 40) for each in colour)
        draw.line(tuple(each - 1 for each in ends), fill=lit, width=1)
    return np.asarray(image)


def paper_cut() -> Pixels:
    """Shapes cut from red paper on cream, with rows of small cuts."""
    chance = np.random.default_rng(_SEED + 6)
    shape = _cloud(chance, 55)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    paper = np.abs(shape) > 0.12
    teeth = (np.sin(shape * 26) > 0.72) & (np.sin((rows + columns) / 5) > -0.2)
    red = paper & ~teeth
    flat = np.where(red[..., None], np.array((196, 24, 32)), np.array((248, 238, 218))).astype(np.uint8)
    return np.asarray(Image.fromarray(flat).filter(ImageFilter.GaussianBlur(0.7)))


def blueprint() -> Pixels:
    """White and pale lines on blue paper: a grid, circles, arcs and dimension lines."""
    chance = np.random.default_rng(_SEED + 7)
    image = Image.new("RGB", (SIDE, SIDE), (18, 58, 128))
    draw = ImageDraw.Draw(image)
    for at in range(0, SIDE, 16):
        draw.line((at, 0, at, SIDE), fill=(40, 84, 156))
        draw.line((0, at, SIDE, at), fill=(40, 84, 156))
    for _ in range(34):
        x, y, reach = *chance.uniform(0, SIDE, 2), chance.uniform(12, 110)
        begin = chance.uniform(0, 360)
        draw.arc(
            (x - reach, y - reach, x + reach, y + reach), begin, begin + chance.uniform(90, 360), (224, 236, 250), 2
        )
        draw.rectangle((x, y, x + reach, y + chance.uniform(10, 80)), outline=(206, 222, 244), width=1)
    return np.asarray(image)


def _cloud(chance: np.random.Generator, size: int) -> Plane:
    """Smooth noise, its largest value 1 in amount, whose bumps are about `size` pixels wide."""
    coarse = chance.normal(size=(SIDE // size + 4, SIDE // size + 4)).astype(np.float32)
    wide = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    plane = np.asarray(wide, np.float32)
    return plane / float(np.abs(plane).max())


def _square(x: float, y: float, half: float, turn: float) -> list[tuple[float, float]]:
    along, across = half * math.cos(turn), half * math.sin(turn)
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [(x + a * along - b * across, y + a * across + b * along) for a, b in corners]


def _near(chance: np.random.Generator, colour: Colour, spread: float) -> Colour:
    red, green, blue = (int(np.clip(each + chance.normal(0, spread), 0, 255)) for each in colour)
    return red, green, blue
