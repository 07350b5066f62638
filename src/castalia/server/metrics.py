"""Counts for Prometheus, in its text format; no names, no words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, MutableMapping
from threading import Lock
from typing import Any


class Metrics:
    """See the module."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: Counter[str] = Counter()

    def request(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        """Count one request, by its route and not by its path, in which an id may stand."""
        route = getattr(scope.get("route"), "path", "") or "other"
        with self._lock:
            self._requests[scope["method"], route, status] += 1
            self._seconds[route] += seconds  # pyright: ignore[reportArgumentType]

    def text(self, jobs: Mapping[str, int], *, loaded: bool) -> str:
        """All of them.

        Args:
            jobs: How many there are, by state.
            loaded: Whether a language model is in memory.
        """
        with self._lock:
            lines = ["# HELP castalia_requests_total Requests answered.", "# TYPE castalia_requests_total counter"]
            lines += [
                f'castalia_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
                for (method, route, status), count in sorted(self._requests.items())
            ]
            lines += [
                "# HELP castalia_request_seconds_total Time spent answering.",
                "# TYPE castalia_request_seconds_total counter",
            ]
            lines += [
                f'castalia_request_seconds_total{{route="{route}"}} {seconds:.6f}'
                for route, seconds in sorted(self._seconds.items())
            ]
        lines += ["# HELP castalia_jobs Jobs that are known, by state.", "# TYPE castalia_jobs gauge"]
        lines += [f'castalia_jobs{{state="{state}"}} {count}' for state, count in sorted(jobs.items())]
        lines += [
            "# HELP castalia_model_loaded Whether a language model is in memory.",
            "# TYPE castalia_model_loaded gauge",
            f"castalia_model_loaded {int(loaded)}",
        ]
        return "\n".join(lines) + "\n"
