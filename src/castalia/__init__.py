"""Castalia: a self-hosted creative studio."""

__version__ = "0.1.0"
