"""The critic ranks candidates of one unit and drafts of one brief: by how natural the model itself finds them.

A discriminator trained on the user's own collection takes this place when one is installed; until then the figure is
the mean log-probability per token, which prefers plain and coherent text.
"""

from __future__ import annotations

INCOMPLETE = 100.0
"""Taken off the score of a draft in which a required unit is missing."""

LEAST = 0.08
"""Weight of a candidate's least likely token: one word that the form forced shows more than the mean tells."""


def rank(log_probability: float, least: float, tokens: int) -> float:
    """Rank of one candidate, nats: the mean log-probability of its tokens, and a share of the least one."""
    return log_probability / max(tokens, 1) + LEAST * least


def score(log_probability: float, tokens: int) -> float:
    """Score of a draft's step: mean log-probability, nats per token; 0 when nothing was sampled here."""
    return log_probability / tokens if tokens else 0.0
