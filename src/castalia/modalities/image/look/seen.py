"""What can be said of a picture by its pixels alone, as data and in words."""

from __future__ import annotations

from typing import Literal

from castalia.core.value import Value
from castalia.core.values import Language
from castalia.modalities.image.look.palette import Swatch

Kind = Literal["drawing", "photograph", "either"]


class Seen(Value):
    """A picture described without knowing things: colours, light, where what stands out lies, and its text."""

    width: int
    height: int
    """Pixels."""
    palette: tuple[Swatch, ...]
    """Most first."""
    brightness: float
    """Mean lightness, 0 … 1."""
    contrast: float
    """Standard deviation of lightness."""
    colourfulness: float
    """Mean distance from grey, OKLab: .02 hardly any colour, .1 lively, .2 garish."""
    sharpness: float
    """How steep edges are, 0 … 1: below .3 they are soft; 0 without edges."""
    kind: Kind
    """Flat art or a photograph, by how much of it has exactly its neighbour's colour."""
    across: Literal["left", "centre", "right"]
    down: Literal["top", "middle", "bottom"]
    """Where what stands out lies."""
    gathered: float
    """0 … 1, how close together what stands out lies."""
    symmetry: float
    """Correlation with the mirror image."""
    clear: float
    """Share that is transparent."""
    text: tuple[str, ...] = ()
    """Lines of text in it, when a reader of text is installed."""
    caption: str = ""
    """What a vision model says that it shows, where there is one: a guess."""
    captioned_by: str = ""
    """That model's name."""

    def words(self, language: Language = "en") -> str:
        """A description in a few short sentences that claims no more than was measured."""
        if self.clear > 0.999:
            return "全部透明。" if language == "zh" else "Wholly transparent."
        if self.contrast < _EVEN and len(self.palette) == 1:
            only = self.palette[0]
            return f"纯色：{only.chinese}。" if language == "zh" else f"One even colour: {only.english}."
        return _chinese(self) if language == "zh" else _english(self)

    def guess(self, language: Language = "en") -> str:
        """The caption, labelled as the guess that it is; empty without one."""
        if not self.caption:
            return ""
        if language == "zh":
            return f"模型 {self.captioned_by} 猜测（可能有误）：{self.caption}"
        return f"A guess by {self.captioned_by}, which may be wrong: {self.caption}"

    def theme(self, language: Language = "en") -> str:
        """What a poem, a text or music about the picture goes by: the caption, then colours and what they feel like."""
        names = [name for name, _ in _colours(self, language)][:3]
        feeling = _feeling(self)
        if language == "zh":
            seen = f"图片以{'、'.join(names)}为主，{feeling[1]}"
            lines = [self.caption, *([f"图中文字：{'；'.join(self.text)}"] if self.text else []), seen]
            return "。".join(each.rstrip("。") for each in lines if each) + "。"
        seen = f"A {feeling[0]} picture in {' and '.join(names)}"
        lines = [self.caption, *([f"Text in it: {'; '.join(self.text)}"] if self.text else []), seen]
        return " ".join(f"{each.rstrip('.')}." for each in lines if each)


_EVEN = 0.01
"""Contrast below which nothing is seen."""
_KIND = {"drawing": ("flat art", "平面绘画"), "photograph": ("a photograph", "照片"), "either": ("a picture", "图片")}
_SHAPE = {"wide": ("wider than high", "横幅"), "high": ("higher than wide", "竖幅"), "square": ("square", "方形")}
_LIGHT = {
    "dark": ("dark", "昏暗"),
    "dim": ("rather dark", "偏暗"),
    "even": ("of middling light", "明暗适中"),
    "bright": ("bright", "明亮"),
}
_CONTRAST = {"low": ("soft in contrast", "对比柔和"), "mid": ("", ""), "high": ("strong in contrast", "对比强烈")}
_HUE = {
    "grey": ("almost without colour", "几乎无彩"),
    "muted": ("muted", "色彩柔和"),
    "lively": ("lively in colour", "色彩鲜明"),
    "strong": ("very colourful", "色彩浓烈"),
}
_DOWN = {"top": "top", "middle": "", "bottom": "bottom"}
_PLACE_ZH = {
    ("left", "top"): "左上", ("centre", "top"): "上方", ("right", "top"): "右上",
    ("left", "middle"): "左侧", ("centre", "middle"): "中央", ("right", "middle"): "右侧",
    ("left", "bottom"): "左下", ("centre", "bottom"): "下方", ("right", "bottom"): "右下",
}  # fmt: skip


def _traits(seen: Seen, at: int) -> list[str]:
    ratio = seen.width / seen.height
    light, hue = seen.brightness, seen.colourfulness
    found = (
        _SHAPE["wide" if ratio > 1.1 else "high" if ratio < 0.9 else "square"],
        _LIGHT["dark" if light < 0.3 else "dim" if light < 0.48 else "even" if light < 0.7 else "bright"],
        _CONTRAST["low" if seen.contrast < 0.1 else "high" if seen.contrast > 0.25 else "mid"],
        _HUE["grey" if hue < 0.015 else "muted" if hue < 0.06 else "lively" if hue < 0.12 else "strong"],
        ("out of focus", "模糊") if 0 < seen.sharpness < 0.3 else ("", ""),
        ("partly transparent", "部分透明") if seen.clear > 0.02 else ("", ""),
    )
    return [each[at] for each in found if each[at]]


def _feeling(seen: Seen) -> tuple[str, str]:
    """What light and colour feel like to most: a word that music has a mood for."""
    if seen.brightness < 0.35:
        return ("dark", "黑暗")
    if seen.colourfulness >= 0.1:
        return ("lively", "活泼")
    if seen.brightness >= 0.7 and seen.colourfulness >= 0.03:
        return ("bright", "明亮")
    return ("calm", "平静")


def _colours(seen: Seen, language: Language) -> list[tuple[str, float]]:
    """Names and shares; colours of one name together."""
    shares: dict[str, float] = {}
    for each in seen.palette:
        name = each.chinese if language == "zh" else each.english
        shares[name] = shares.get(name, 0.0) + each.share
    return sorted(shares.items(), key=lambda each: -each[1])


def _english(seen: Seen) -> str:
    names = [name for name, _ in _colours(seen, "en")]
    colours = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    first = _KIND[seen.kind][0]
    lines = [f"{first[0].upper()}{first[1:]}, {', '.join(_traits(seen, 0))}.", f"Colours, most first: {colours}."]
    if seen.gathered > 0.25:
        place = " ".join(each for each in (_DOWN[seen.down], seen.across) if each).replace("top centre", "top")
        lines.append(f"What stands out is in the {place.replace('bottom centre', 'bottom')}.")
    elif seen.contrast > 0.02:
        lines.append("What stands out is spread over the whole.")
    if seen.symmetry > 0.85:
        lines.append("Its left and right halves mirror each other.")
    if seen.text:
        lines.append(f"Text in it: {'; '.join(seen.text)}.")
    return " ".join(lines)


def _chinese(seen: Seen) -> str:
    colours = "、".join(name for name, _ in _colours(seen, "zh"))
    lines = [f"{_KIND[seen.kind][1]}，{'，'.join(_traits(seen, 1))}。", f"主要颜色依次为：{colours}。"]
    if seen.gathered > 0.25:
        lines.append(f"醒目之处在{_PLACE_ZH[seen.across, seen.down]}。")
    elif seen.contrast > 0.02:
        lines.append("醒目之处遍布全图。")
    if seen.symmetry > 0.85:
        lines.append("左右对称。")
    if seen.text:
        lines.append(f"图中文字：{'；'.join(seen.text)}。")
    return "".join(lines)
