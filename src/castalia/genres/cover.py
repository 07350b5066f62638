"""Cover: a title typeset over a picture, for a book, an album, a post or a story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from castalia import models
from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.picture import CoverStep, DrawStep, EnlargeStep, Picture, PictureStep, PictureStepMaker, Proportion
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._pictures import assembled, words_rules
from castalia.quality import BlankRule, ContrastRule, PlacedRule

DRAWN, LARGE, STEP = "drawn", "large", "cover"
_SMALL = 400
"""Pixels of a shorter side below which a picture is enlarged by the network, where that is installed."""


class CoverFields(BriefFields):
    """Fields of a cover."""

    style: Annotated[
        str, Field(max_length=60, description="a manner that the model was taught, of what it draws | 模型学过的画法")
    ] = ""
    title: Annotated[str, Field(max_length=120, description="title (required) | 标题（必填）")] = ""
    subtitle: Annotated[str, Field(max_length=120, description="a line below it | 副标题")] = ""
    author: Annotated[str, Field(max_length=80, description="who made it, at the foot | 作者")] = ""
    picture: Annotated[
        Picture | None,
        Field(description="picture; without, it is drawn from the brief | 图片；未给出则按要求绘制"),
    ] = None
    proportion: Annotated[
        Proportion,
        Field(description="book 2:3, album 1:1, post 16:9 or story 9:16 | 书 2:3、专辑 1:1、文章 16:9、竖屏 9:16"),
    ] = "book"
    layout: Annotated[
        Literal["", "poster", "block", "full"],
        Field(
            description="poster: the subject on a ground of its colours; block: the picture in a mat; full: under all; "
            "empty: by the picture | poster：主体配色底；block：装裱；full：铺满；空：由图片决定"
        ),
    ] = ""


class CoverGenre:
    """See the module."""

    name = "cover"
    aliases = ("封面", "book-cover", "poster")
    languages = ("en", "zh")
    title = ("Cover", "封面")
    summary = (
        "a title typeset over a given picture, or over one that is drawn from the brief: book, album, post, story",
        "在给定或按要求绘制的图片上排标题：书籍、专辑、文章、竖屏",
    )
    fields: type[BriefFields] = CoverFields

    def plan(self, brief: Brief) -> Plan:
        """The picture is drawn where none is given, enlarged where it is small and that can be done, then typeset."""
        fields = _fields(brief)
        words = brief.words.strip()
        if not fields.title.strip() or not (words or fields.picture):
            raise UsageError(
                say("A cover wants a title, and words or a picture.", "封面需要标题，以及文字要求或图片。"),
                hint=say(
                    'castalia create cover "a red umbrella" -o title="Rain"',
                    "castalia create cover “红伞” -o title=雨",
                ),
            )
        steps: list[PictureStep | PictureStepMaker] = []
        if fields.picture is None:
            steps.append(DrawStep(DRAWN, words, 0, fields.style.strip().lower()))
        small = fields.picture is None or min(fields.picture.width, fields.picture.height) < _SMALL
        enlarged = small and models.has_network("enlarge")
        if enlarged:
            steps.append(partial(_enlarged, fields))
        steps.append(partial(_typeset, fields, LARGE if enlarged else DRAWN))
        return Plan(pictures=tuple(steps))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The cover, described by its words and its picture."""
        content = assembled(brief, parts.get(STEP, ""))
        return content.model_copy(update={"title": _fields(brief).title})

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Letters are read, and stand where they are to."""
        drawn = words_rules(DRAWN) if _fields(brief).picture is None else ()
        return (*drawn, BlankRule(), ContrastRule(STEP), PlacedRule(STEP))

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: another picture is drawn."""


def _enlarged(fields: CoverFields, parts: Mapping[str, str]) -> EnlargeStep:
    given = fields.picture or Picture.model_validate_json(parts[DRAWN])
    return EnlargeStep(LARGE, given, 4, "photo" if fields.picture else "drawing", enough=_SMALL)


def _typeset(fields: CoverFields, before: str, parts: Mapping[str, str]) -> CoverStep:
    made = parts.get(before)
    picture = Picture.model_validate_json(made) if made else fields.picture
    assert picture
    return CoverStep(
        STEP,
        picture,
        title=fields.title.strip(),
        subtitle=fields.subtitle.strip(),
        author=fields.author.strip(),
        proportion=fields.proportion,
        layout=fields.layout,
    )


def _fields(brief: Brief) -> CoverFields:
    assert isinstance(brief.fields, CoverFields)
    return brief.fields


GENRE = CoverGenre()
