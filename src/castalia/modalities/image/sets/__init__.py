"""Several pictures that belong together: stickers cut alike, and sheets that hold them side by side."""

from castalia.modalities.image.sets.crisp import crisp
from castalia.modalities.image.sets.sheet import cells, laid_out
from castalia.modalities.image.sets.sticker import sticker, visible

__all__ = ["cells", "crisp", "laid_out", "sticker", "visible"]
