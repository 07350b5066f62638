"""The provenance desk's front: mark works, verify files, keep signing keys."""
