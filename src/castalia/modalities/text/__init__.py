"""Text: a language model sampled in our own loop, so that form rules, style and watermark act on every token."""

from castalia.modalities.text.modality import compose

__all__ = ["compose"]
