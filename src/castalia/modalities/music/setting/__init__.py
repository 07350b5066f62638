"""Words to rhythm: syllables placed on beats by their stress."""

from __future__ import annotations

from castalia.modalities.music.setting.grid import Grid, Pace, grid_of
from castalia.modalities.music.setting.stanza import SetStanza, set_stanza, sung_to

__all__ = ["Grid", "Pace", "SetStanza", "grid_of", "set_stanza", "sung_to"]
