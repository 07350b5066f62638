"""Harmony: chord symbols, which chords a melody asks for, progressions without one, and chord sheets."""
