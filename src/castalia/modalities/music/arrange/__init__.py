"""Accompaniment: textures played on chords by basses, chord instruments and drums, under a melody or alone."""
