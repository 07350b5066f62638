"""Named ways of sampling; a genre picks one and may change single values."""

from __future__ import annotations

from dataclasses import replace

from castalia.core.ports import Sampling

VERSE = Sampling(temperature=0.9, top_k=64, top_p=0.97, min_p=0.01, repeat_penalty=1.15)
"""Lines under a mask: the mask already narrows the choice, so the tail is left wide."""

FIXED_VERSE = replace(VERSE, marked=False)
"""Verse of a fixed number of lines, which stays below the 200 tokens from which a watermark is found."""

METRE = replace(FIXED_VERSE, temperature=0.7, min_p=0.05, forced=-8.0)
"""Rhymed and metrical lines: calmer, and written again where only an unlikely word fits."""

PROSE = Sampling(temperature=0.7, top_k=64, top_p=0.95, min_p=0.05, repeat_penalty=1.08)
"""Stories, posts, letters."""

FACTUAL = Sampling(temperature=0.8, top_k=40, top_p=0.95, min_p=0.05, repeat_penalty=1.05)
"""News and other text that must stay with its facts."""

COPY = Sampling(temperature=0.8, top_k=64, top_p=0.95, min_p=0.04, repeat_penalty=1.1)
"""Short advertising lines, several side by side."""
