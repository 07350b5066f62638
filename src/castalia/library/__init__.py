"""The library's front: keep, find and rate works in one encrypted file."""

from castalia.library.store import Library

__all__ = ["Library"]
