"""Pictures to words, by what can be measured; nothing is recognised."""

from castalia.modalities.image.look.look import look
from castalia.modalities.image.look.palette import Swatch, colour_name, colour_named, palette
from castalia.modalities.image.look.seen import Seen
from castalia.modalities.image.look.text import can_read

__all__ = ["Seen", "Swatch", "can_read", "colour_name", "colour_named", "look", "palette"]
