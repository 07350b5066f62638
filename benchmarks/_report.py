"""What every benchmark shares: where it ran, where it keeps its progress, and its one JSON line."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STATE = HERE / ".state"


def emit(name: str, protocol: str, figures: Mapping[str, Any]) -> None:
    """Print the benchmark's JSON line and keep it as `benchmarks/<name>.json`."""
    result = {
        "benchmark": name,
        "protocol": protocol,
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "machine": _machine(),
        **figures,
    }
    (HERE / f"{name}.json").write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, ensure_ascii=False))


def interval(good: int, of: int) -> tuple[float, float, float]:
    """Share with its 95 % Wilson interval: (share, low, high)."""
    if not of:
        return (math.nan, 0.0, 1.0)
    share, z = good / of, 1.96
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (round(share, 3), round(max(middle - half, 0), 3), round(min(middle + half, 1), 3))


def _commit() -> str:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


def _machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{model}, {os.cpu_count()} cores"
