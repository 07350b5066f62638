"""The library's front: keep, find, rate and export works in one encrypted file."""
