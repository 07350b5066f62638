"""An explained picture for people: as text, as a sheet of pictures, as a page with both."""

from __future__ import annotations

from castalia.modalities.image.explained.tell import EXPLAINED, explanation_file, tell

__all__ = ["EXPLAINED", "explanation_file", "tell"]
