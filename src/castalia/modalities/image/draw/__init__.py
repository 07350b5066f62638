"""Drawing from words: what `castalia train image` makes, run in numpy."""
