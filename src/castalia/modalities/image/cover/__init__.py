"""A title typeset over a picture."""

from castalia.modalities.image.cover.cover import Cover, cover, picture_of
from castalia.modalities.image.cover.letters import TYPESETTER

__all__ = ["TYPESETTER", "Cover", "cover", "picture_of"]
