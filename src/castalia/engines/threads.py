"""How many threads an engine takes: as many as are fastest, and no processor twice.

More threads are not always faster: they wait for each other at every layer, and on a machine that is busy with other
things, or slow to wake a processor, they lose more by it than they gain. So it is measured. The scores of llama.cpp's
engine are the same with any number (tests/test_engines.py), so it may change at every step.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import pairwise
from threading import Lock
from weakref import WeakSet

_AWAKE = 1.0
"""Seconds after a step in which an engine is thought to take another."""
_SLOWER = 1.1
"""A number of threads counts as fast as the fastest when a step takes at most so many times as long: what is read in
one piece, such as a prompt, gains by more threads even where a single step does not."""
_WORTH = 100
"""What was measured holds for so many times the time that measuring took."""
_LEAST = 5.0
"""Seconds that it holds at least."""


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def idle_threads() -> int:
    """Threads that this machine has free now: at least one, at most the processors we may use, less the load.

    For what runs beside this process, where nothing is measured.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return max(1, min(processors(), round(processors() - load)))


class Pace:
    """The threads of one engine, step by step; engines of a process share its processors.

    Args:
        fixed: That many, whatever happens; 0 takes what is fastest.
    """

    def __init__(self, fixed: int = 0) -> None:
        self._fixed = fixed
        self._best = processors()
        self._until = 0.0
        self._last = float("-inf")
        with _lock:
            _paces.add(self)

    @property
    def most(self) -> int:
        """As many as it ever takes."""
        return self._fixed or processors()

    def now(self) -> int:
        """Threads for the next step."""
        if self._fixed:
            return self._fixed
        self._last = time.monotonic()
        return min(self._best, self._share())

    def measure(self, step: Callable[[int], object]) -> None:
        """Find out how many are fastest, unless that is known already or there is no choice.

        Args:
            step: Takes one step with so many threads.
        """
        self._last = began = time.monotonic()
        share = self._share()
        if self._fixed or share == 1 or began < self._until:
            return
        step(share)  # what is slow once, such as weights that come from the disk
        taken = {share: _seconds(step, share)}
        while (number := min(taken) // 2) and taken[min(taken)] <= min(taken.values()) * _SLOWER:
            taken[number] = _seconds(step, number)
        self._best = max(each for each, seconds in taken.items() if seconds <= min(taken.values()) * _SLOWER)
        ended = time.monotonic()
        self._until = ended + max(_LEAST, _WORTH * (ended - began))

    def _share(self) -> int:
        """Processors for each engine at work."""
        since = time.monotonic() - _AWAKE
        with _lock:
            awake = sum(each._last > since for each in _paces)
        return max(1, processors() // max(1, awake))


_paces: WeakSet[Pace] = WeakSet()
_lock = Lock()


def _seconds(step: Callable[[int], object], number: int) -> float:
    """Of a step; the shorter of two."""
    at = [time.monotonic()]
    for _ in range(2):
        step(number)
        at.append(time.monotonic())
    return min(after - before for before, after in pairwise(at))
