"""What a fresh installation weighs and how soon it answers: `python benchmarks/bench_start.py [--model NAME]`.

Protocol: a new virtual environment; `pip install .` of a clean export of the commit, timed as a whole (it includes the
download of the dependencies); bytes of the environment before and after. Then, with that installation: `castalia
--help`, five times, median; and a haiku by command in a new process, from the start of the command to its end, weights
in the page cache, three times, median.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _report import HERE, STATE, emit


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        source, place = room / "source", room / "venv"
        _run("git", "clone", "-q", str(HERE.parent), str(source))
        _run(sys.executable, "-m", "venv", str(place))
        empty, began = _size(place), time.monotonic()
        _run(str(place / "bin" / "pip"), "install", "-q", str(source))
        installing = time.monotonic() - began
        castalia = str(place / "bin" / "castalia")
        helps = [_timed(castalia, "--help") for _ in range(6)][1:]
        os.environ["CASTALIA_HOME"] = str(STATE / "home")
        make = (castalia, "create", "haiku", "first snow over the harbour", "-m", args.model, "--seed", "1")
        _timed(*make)
        works = [_timed(*make) for _ in range(3)]
        emit(
            "start",
            "fresh virtual environment, clean checkout",
            {
                "install_seconds": round(installing, 1),
                "install_mb": round((_size(place) - empty) / 1e6, 1),
                "help_seconds_median": round(statistics.median(helps), 3),
                "first_haiku_seconds_median": round(statistics.median(works), 1),
            },
        )


def _timed(*command: str) -> float:
    began = time.monotonic()
    _run(*command)
    return time.monotonic() - began


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


if __name__ == "__main__":
    main()
