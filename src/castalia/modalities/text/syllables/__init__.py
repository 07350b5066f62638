"""Text as it is sung: words broken into syllables with their stress."""

from __future__ import annotations

from castalia.modalities.text.syllables.sung import MOST_SYLLABLES, sung, sung_phrases, unsingable

__all__ = ["MOST_SYLLABLES", "sung", "sung_phrases", "unsingable"]
