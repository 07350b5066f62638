"""The critic ranks drafts of one brief: by how natural the model itself finds them.

A discriminator trained on the user's own collection takes this place when one is installed; until then the figure is
the mean log-probability per token, which prefers plain and coherent text.
"""

from __future__ import annotations

from castalia.modalities.text.generate import Written

INCOMPLETE = 100.0
"""Taken off the score of a draft in which a required unit is missing."""


def score(written: Written) -> float:
    """Mean log-probability, nats per token; 0 when nothing was sampled here."""
    return written.log_probability / written.sampled if written.sampled else 0.0
