"""What this machine has: cores, memory, a GPU."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """Facts of this machine, memory in bytes."""

    cores: int
    memory_total: int
    memory_free: int
    gpu: str
    """Name of a graphics device that was seen, or empty."""

    def fits(self, memory: int) -> bool:
        """Whether so much memory is free, with a tenth left over for the rest."""
        return memory <= self.memory_free * 0.9


def machine() -> Machine:
    """Read the facts; unknown memory counts as 4 GiB."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    total, free = _memory()
    return Machine(cores, total, free, _gpu())


def _memory() -> tuple[int, int]:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        facts = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if len(line.split()) > 1}
        return facts["MemTotal"], min(facts["MemAvailable"], _group_limit() or facts["MemAvailable"])
    except (OSError, KeyError, ValueError):
        pass
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return total, total // 2
    return 4 * 2**30, 4 * 2**30


def _group_limit() -> int | None:
    """What a container may still use."""
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
        return None if limit == "max" else max(int(limit) - used, 0)
    except (OSError, ValueError):
        return None


def _gpu() -> str:
    for pattern, label in (("/proc/driver/nvidia/gpus/*/information", "NVIDIA"), ("/dev/kfd", "AMD")):
        if list(Path("/").glob(pattern.lstrip("/"))):
            return label
    return ""
