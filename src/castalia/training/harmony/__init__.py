"""Counts of chords: what follows what, and which notes are sung over each."""
