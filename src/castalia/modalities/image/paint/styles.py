"""The styles that can be named: 26 that a network was trained on, and some that are drawn.

The trained ones came with numbers and without names or pictures. They are named here by what they make of a photograph;
no name of a painter is used, for nobody says whose paintings they were.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.modalities.image.oklab import Pixels
from castalia.modalities.image.paint import drawn


@dataclass(frozen=True)
class Style:
    """One style: trained or drawn, never both."""

    name: str
    chinese: str
    number: int | None = None
    """Of the trained styles, 0 … 25."""
    draw: Callable[[], Pixels] | None = None

    def picture(self) -> Pixels:
        """The picture that a drawn style is taken from."""
        assert self.draw is not None
        return self.draw()


_TRAINED = (
    ("soft-pastel", "柔粉彩"),
    ("ink-and-yellow", "墨与黄"),
    ("pale-ink", "淡墨彩"),
    ("electric", "电光"),
    ("crimson-and-sky", "绯红天青"),
    ("autumn-crayon", "秋色蜡笔"),
    ("night-dots", "夜点"),
    ("bold-primaries", "浓烈三原色"),
    ("candy-pencil", "糖果彩铅"),
    ("pebbles", "卵石"),
    ("copper", "赤铜"),
    ("ochre-etching", "赭石蚀刻"),
    ("lilac-and-gold", "丁香与金"),
    ("lime-and-teal", "青柠与凫绿"),
    ("pale-blue", "淡蓝"),
    ("stained-lines", "彩窗线条"),
    ("indigo-crayon", "靛蓝蜡笔"),
    ("woven", "编织"),
    ("sepia-print", "棕褐版画"),
    ("night-brush", "夜色笔触"),
    ("ember", "余烬"),
    ("bold-pop", "粗线波普"),
    ("slate-and-red", "板岩与红"),
    ("charcoal", "炭笔"),
    ("sea-print", "海色版画"),
    ("dusk", "黄昏"),
)
_DRAWN: tuple[tuple[str, str, Callable[[], Pixels]], ...] = (
    ("ink-wash", "水墨", drawn.ink_wash),
    ("mosaic", "马赛克", drawn.mosaic),
    ("swirling-oil", "旋涡油彩", drawn.swirling_oil),
    ("paper-cut", "剪纸", drawn.paper_cut),
    ("blueprint", "蓝图", drawn.blueprint),
)


def styles() -> tuple[Style, ...]:
    """All styles that can be named, the trained ones first."""
    return (
        *(Style(name, chinese, number=number) for number, (name, chinese) in enumerate(_TRAINED)),
        *(Style(name, chinese, draw=draw) for name, chinese, draw in _DRAWN),
    )


def style_named(name: str) -> Style:
    """The style of an English or Chinese name.

    Raises:
        UsageError: there is none; names those that are written alike.
    """
    wanted = name.strip().lower().replace(" ", "-").replace("_", "-")
    for each in styles():
        if wanted in (each.name, each.chinese):
            return each
    known = [each.name for each in styles()]
    raise UsageError(
        say("There is no style {name!r}.", "没有风格 {name!r}。", name=name),
        hint=say(
            "Use one of: {names}.",
            "可用：{names}。",
            names=", ".join(difflib.get_close_matches(wanted, known, 5, 0.7) or known),
        ),
    )


def style_in(words: str) -> Style | None:
    """The style that a text names, the longest name first; None when it names none."""
    plain = f" {' '.join(re.findall('[a-z]+', words.lower()))} "
    for each in sorted(styles(), key=lambda style: -len(style.name)):
        if f" {each.name.replace('-', ' ')} " in plain or each.chinese in words:
            return each
    return None
