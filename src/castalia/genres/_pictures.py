"""What the picture genres have in common: the picture they are given, and the work from a step's picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field, ValidationError

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.core.ports import Rule
from castalia.core.values import Brief, Content
from castalia.modalities.image.look import look
from castalia.modalities.image.mask import opening
from castalia.quality import (
    AfterRule,
    AgreementRule,
    BlankRule,
    DetailRule,
    KnownWordsRule,
    NearCopyRule,
    SaturatedRule,
)

Mask = Annotated[
    Picture | None,
    Field(
        description="picture of the same size; where it is transparent may change, the rest stays | "
        "同样大小的图片：其透明处可改动，其余不变"
    ),
]
"""A field of what changes a picture."""


def assembled(brief: Brief, made: str, described: str = "") -> Content:
    """The work from a step's picture.

    Args:
        brief: What was asked for.
        made: The picture as JSON.
        described: The work in words; empty takes the picture's own description.
    """
    try:
        picture = Picture.model_validate_json(made)
    except ValidationError:  # no picture: the rules refuse it
        return Content(text=described, language=brief.fields.language)
    return Content(text=described or picture.described, picture=picture, language=brief.fields.language)


def given_picture(picture: Picture | None, genre: str) -> Picture:
    """The picture that a genre needs.

    Raises:
        UsageError: none was given.
    """
    if picture is None:
        raise UsageError(
            say("{genre} wants a picture.", "{genre} 需要一张图片。", genre=genre),
            hint=f"castalia create {genre} {say('photo.jpg', '照片.jpg')}",
        )
    return picture


def checked_mask(mask: Picture | None, picture: Picture) -> Picture | None:
    """A mask for a picture.

    Raises:
        UsageError: it is not as large as the picture, or lets nothing change.
    """
    if mask is None:
        return None
    if (mask.width, mask.height) != (picture.width, picture.height):
        raise UsageError(
            say(
                "The mask has {w} × {h} pixels, the picture {x} × {y}.",
                "蒙版为 {w} × {h} 像素，图片为 {x} × {y} 像素。",
                w=mask.width,
                h=mask.height,
                x=picture.width,
                y=picture.height,
            ),
            hint=say("Make it as large as the picture.", "请使其与图片同样大小。"),
        )
    if not opening(mask).any():
        raise UsageError(
            say("The mask lets nothing change.", "蒙版没有可改动的区域。"),
            hint=say("Make transparent what may change.", "请将可改动之处设为透明。"),
        )
    return mask


def made_of(brief: Brief, parts: Mapping[str, str], name: str, english: str, chinese: str) -> Content:
    """The work from what a step made of a given picture, described by what was done, and by what is seen.

    Args:
        brief: What was asked for.
        parts: What the steps made.
        name: Of the step.
        english: What was done.
        chinese: The same.
    """
    language = brief.fields.language
    content = assembled(brief, parts.get(name, ""))
    picture = content.picture
    if picture is None:
        return content
    # what a painting or a tile was once is not seen in it
    seen = look(picture.pixels, text=False).model_copy(update={"kind": "either"}).words(language)
    done = chinese if language == "zh" else english
    said = [each for each in (brief.words, picture.described) if each]
    text = " ".join([*dict.fromkeys(said), done, seen])
    return content.model_copy(update={"text": text})


def words_of(said: str, picture: Picture, genre: str) -> str:
    """What a given picture shows: as it is said, else as the picture was described when it was made.

    Raises:
        UsageError: neither is there.
    """
    if words := said.strip() or picture.described.strip():
        return words
    raise UsageError(
        say("{genre} wants words: what the picture shows.", "{genre} 需要文字：图片的内容。", genre=genre),
        hint=say("Say what it shows in the brief, e.g. a red apple.", "请在要求中写出内容，例如：红苹果。"),
    )


def drawn_rules(step: str) -> Sequence[Rule]:
    """Of any drawn picture: something is to be seen, sharply enough; what it is near to is named."""
    return (BlankRule(), SaturatedRule(), DetailRule(), *words_rules(step), AgreementRule(step), NearCopyRule(step))


def words_rules(step: str, place: str = "") -> Sequence[Rule]:
    """Of what was said: it is known, and a learned picture has it; what is drawn for want of one is named."""
    return (KnownWordsRule(step, place=place), AfterRule(step, place=place))
