"""`castalia batch`: works of rows, made once whatever happens between, and a report of those that were refused."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest


def castalia(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "castalia", "--lang", "en", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def rows(tmp_path: Path, home: Path) -> Path:
    file = tmp_path / "briefs.csv"
    table = ["genre,brief,seed,bars,key", "loop,calm evening,3,4,", ",a red cat,5,,", "loop,rain,,2,E minor"]
    file.write_text("\ufeff" + "\n".join(table) + "\n", encoding="utf-8")
    return file


def _shown(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_row_becomes_a_work_once(rows, tmp_path):
    out = tmp_path / "out"
    first = _shown(castalia("batch", rows, "--genre", "picture", "--out", out, "--json"))
    assert [(each["row"], each["genre"], each["new"]) for each in first] == [
        (1, "loop", True), (2, "picture", True), (3, "loop", True),
    ]  # fmt: skip
    assert sorted(path.name for path in out.iterdir() if path.suffix != ".c2pa") == [
        "00001-loop.mid",
        "00002-picture.png",
        "00003-loop.mid",
    ]
    stamps = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    (out / "00002-picture.png").unlink()
    again = _shown(castalia("batch", rows, "--genre", "picture", "--out", out, "--json"))
    assert [(each["id"], each["new"]) for each in again] == [(each["id"], False) for each in first]
    for path, stamp in stamps.items():
        assert (path.stat().st_mtime_ns == stamp) == (path.name != "00002-picture.png")
    kept = castalia("works", "list").stdout
    assert all(kept.count(each["id"][:8]) == 1 for each in first)
    assert castalia("verify", out / "00002-picture.png").stdout


def test_a_killed_run_goes_on_where_it_stopped(rows, tmp_path, home):
    with rows.open("a", encoding="utf-8") as table:
        table.writelines(f"loop,wind {number},{number},8,\n" for number in range(12))
    command = [sys.executable, "-m", "castalia", "batch", str(rows), "--genre", "picture", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ.copy()) as running:
        assert running.stdout
        before = [json.loads(running.stdout.readline()) for _ in range(2)]
        running.send_signal(signal.SIGKILL)
    after = _shown(castalia("batch", rows, "--genre", "picture", "--json"))
    assert len(after) == 15
    assert [each["id"] for each in after[:2]] == [each["id"] for each in before]
    assert not any(each["new"] for each in after[:2])
    assert any(each["new"] for each in after)


def test_refused_rows_are_reported_with_their_rules_and_the_rest_is_made(tmp_path, home):
    file, out = tmp_path / "briefs.jsonl", tmp_path / "out"
    lines = [{"genre": "picture", "brief": "a bitch"}, {"genre": "picture", "brief": "a tree", "seed": 4}]
    file.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    done = castalia("batch", file, "--out", out, code=1)
    assert "1 made, 0 there already, 1 refused" in done.stderr
    report = list(csv.DictReader((out / "refused.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert {each["row"] for each in report} == {"1"}
    assert report[0]["found"]
    assert report[0]["hint"]
    assert (out / "00002-picture.png").is_file()


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.csv", "genre,brief,tone\nhaiku,snow,\npicture,cat,grim\n", "Row 2 of a.csv: picture has no field 'tone'"),
        ("a.csv", "brief\nsnow\n", "Row 1 of a.csv"),
        ("a.csv", "genre,brief\nhaiku,snow,more\n", "more cells"),
        ("a.csv", "genre,brief,seed\nhaiku,snow,x\n", "Row 1"),
        ("a.csv", "genre,brief\n", "0 rows"),
        ("a.jsonl", '{"genre": "haiku"}\n[1]\n', "no JSON object"),
        ("a.txt", "snow", "neither"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(tmp_path, home, name, text, why):
    (tmp_path / name).write_text(text, encoding="utf-8")
    began = time.monotonic()
    assert why in castalia("batch", tmp_path / name, code=2).stderr
    assert time.monotonic() - began < 60
    assert not list(home.rglob("library.db"))
