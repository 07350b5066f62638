"""What stands where OpenAI's clients name a model: the server's own choice, an installed model, or a genre."""

from __future__ import annotations

from castalia import genres
from castalia.core.errors import UsageError
from castalia.core.ports import Genre
from castalia.server.errors import Refusal
from castalia.server.house import settings_for
from castalia.server.writing import REPLY

GENRE = "castalia/"
"""Before the name of a genre."""


def genre_or_model(name: str) -> tuple[str, dict[str, object]]:
    """(the genre that is made, the settings it is made with).

    Raises:
        Refusal: there is neither.
    """
    if name.startswith(GENRE):
        return genre_named(name.removeprefix(GENRE)).name, {}
    return REPLY, settings_for(name)


def genre_named(name: str) -> Genre:
    """A genre by its name or an alias.

    Raises:
        Refusal: there is none.
    """
    try:
        return genres.find(name)
    except UsageError as error:
        raise Refusal(404, "model_not_found", error.message, hint="GET /v1/models", param="model") from error
