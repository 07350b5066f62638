"""Pictures: the files they come from and go to, and the models that draw, paint and enlarge."""

from __future__ import annotations

from castalia.modalities.image.explained import EXPLAINED, explanation_file, tell
from castalia.modalities.image.files import FACES, PIXELS, faces_of, file_of, thumbnail
from castalia.modalities.image.modality import compose
from castalia.modalities.image.painters import Chosen, Drawer, Enlarger, Painter, Painters
from castalia.modalities.image.read import EXTENSIONS as READABLE
from castalia.modalities.image.read import read_picture, read_picture_and_rest

__all__ = [
    "EXPLAINED",
    "FACES",
    "PIXELS",
    "READABLE",
    "Chosen",
    "Drawer",
    "Enlarger",
    "Painter",
    "Painters",
    "compose",
    "explanation_file",
    "faces_of",
    "file_of",
    "read_picture",
    "read_picture_and_rest",
    "tell",
    "thumbnail",
]
