"""Melodies note by note, length and pitch: encode, generate and decode; the network, the counts and the masks."""
