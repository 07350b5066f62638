"""What parts of an explained picture are called."""

from __future__ import annotations

from castalia.core.explained_picture import Neighbour, Part
from castalia.core.language import say
from castalia.core.picture import Picture


def title_of(work: Picture) -> str:
    """What is shown."""
    return work.described or say("Explained picture", "图片说明")


def called(part: Part) -> str:
    """A part with who said it, where that was not the brief."""
    match part.by:
        case "brief":
            return part.words
        case "style":
            return say("{words} (style)", "{words}（风格）", words=part.words)
        case "learned":
            return say("{words} (filled in)", "{words}（补入）", words=part.words)
        case "picture":
            return say("the given picture", "给定的图片")
        case "direction":
            return say("{words} (direction)", "{words}（方向）", words=part.words)


def named(file: str) -> str:
    """A learned picture's name without its folder and extension."""
    return file.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def figures(near: Neighbour) -> list[str]:
    """How far a learned picture is, and how alike in outline where that is known."""
    return [f"{near.far:.1f}", *([] if near.alike is None else [f"{near.alike:.2f}"])]


def placed(part: Part) -> str:
    """Where it changes most: one of nine parts of the picture."""
    row, column, _ = part.place
    rows = (say("top", "上"), say("middle", "中"), say("bottom", "下"))
    columns = (say("left", "左"), say("centre", "中"), say("right", "右"))
    if (row, column) == (1, 1):
        return say("in the middle", "中央")
    return say("{row} {column}", "{column}{row}", row=rows[row], column=columns[column])
