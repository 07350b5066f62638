"""Keeping the best by validation, and stopping when it does not get better."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Best:
    """How far a member has come.

    Attributes:
        patience: Measurements in a row without a better one after which it stops.
        least: The smallest loss so far.
        stale: Measurements since then.
    """

    patience: int
    least: float = float("inf")
    stale: int = 0

    def better(self, loss: float) -> bool:
        """Take a measurement; whether it is the best so far."""
        if loss < self.least:
            self.least, self.stale = loss, 0
            return True
        self.stale += 1
        return False

    @property
    def done(self) -> bool:
        """Whether to stop."""
        return self.stale >= self.patience
