"""Scores as files: read from MIDI, MusicXML, ABC and Humdrum; written as those, as sheet music and as sound."""
