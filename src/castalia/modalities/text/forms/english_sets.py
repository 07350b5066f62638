"""Closed sets of English words: what may not end a line, and what is too often disputed to be used."""

from __future__ import annotations

from importlib.resources import files


def _sets() -> dict[str, frozenset[str]]:
    text = files("castalia").joinpath("data", "english", "word_sets.txt").read_text(encoding="utf-8")
    rows = (line.split(": ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: frozenset(words.split()) for name, words in rows}


_SETS = _sets()

FUNCTION = frozenset[str]().union(
    *(_SETS[kind] for kind in ("articles", "prepositions", "conjunctions", "determiners", "verbs", "pronouns"))
)
"""Grammatical words; monosyllables among them carry no beat."""

BAD_ENDINGS = FUNCTION - {"there", "here", "down"}
"""Words that leave a line hanging."""

CLITICS = _SETS["clitics"]
"""Monosyllables that never carry the beat of a strongly rhythmical line."""

CONTRACTIONS = _SETS["contractions"]

DOUBTFUL = _SETS["doubtful"]
"""Counted as one syllable by some and two by others, or out of place in plain verse."""
