"""Hearing: a hummed, sung or played recording of one voice becomes a melody."""
