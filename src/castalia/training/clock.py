"""The time of a run: minutes gone, minutes left, and whether it is time to be heard."""

from __future__ import annotations

import time
from collections.abc import Callable

HEARD = 3.0
"""Minutes between samples, at least."""


class Clock:
    """See the module.

    Args:
        before: Minutes that the run took before it was stopped.
        now: Seconds that only grow.
    """

    def __init__(self, before: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        self._before, self._now = before, now
        self._began, self._worked = now(), 0
        self._heard = -float("inf")

    def step(self) -> None:
        """Count an update."""
        self._worked += 1

    @property
    def gone(self) -> float:
        """Minutes of the run so far, those before it was stopped too."""
        return self._before + (self._now() - self._began) / 60

    def left(self, steps: int) -> float:
        """Minutes that so many updates will take, by those counted since this clock began, with all between them."""
        return steps * (self._now() - self._began) / 60 / max(1, self._worked)

    def time_to_be_heard(self) -> bool:
        """Whether a sample is due: the first time, and `HEARD` minutes after each."""
        if (self._now() - self._heard) / 60 < HEARD:
            return False
        self._heard = self._now()
        return True
