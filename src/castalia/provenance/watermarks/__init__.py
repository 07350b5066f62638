"""Watermarks: one file for each kind of content."""
