"""Keeping the best by validation, and stopping when it does not get better; or keeping the last."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Best:
    """How far a member has come.

    Attributes:
        patience: Measurements in a row without a better one after which it stops; 0 goes on to the end and keeps the
            last.
        least: The smallest loss so far.
        stale: Measurements since then.
    """

    patience: int
    least: float = float("inf")
    stale: int = 0

    def better(self, loss: float) -> bool:
        """Take a measurement; whether what was measured is to be kept."""
        if loss < self.least or self.patience == 0:
            self.least, self.stale = loss, 0
            return True
        self.stale += 1
        return False

    @property
    def done(self) -> bool:
        """Whether to stop."""
        return 0 < self.patience <= self.stale
