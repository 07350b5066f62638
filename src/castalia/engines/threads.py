"""How many threads an engine takes."""

from __future__ import annotations

import os


def idle_threads() -> int:
    """Threads that this machine has free now: at least one, at most the processors we may use, less the load.

    Two threads that share a processor with somebody else's work wait for each other at every layer, so one free
    thread is faster than two busy ones.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return max(1, min(usable, round(usable - load)))
