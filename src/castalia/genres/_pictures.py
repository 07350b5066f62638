"""What the picture genres have in common: the work from a step's picture."""

from __future__ import annotations

from pydantic import ValidationError

from castalia.core.picture import Picture
from castalia.core.values import Brief, Content


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
