"""The privacy desk's front: guard what comes in, keep keys and secrets."""
