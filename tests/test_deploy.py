"""The systemd unit and the Containerfile, as far as they go without systemd and containers: each step is tried."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from castalia.cli.serve import serve
from servers import Served

ROOT = Path(__file__).parent.parent
UNIT = (ROOT / "deploy" / "castalia.service").read_text()
CONTAINER = (ROOT / "deploy" / "Containerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    """(name, rest) of each of the Containerfile's."""
    joined = re.sub(r"\\\n\s*", "", "\n".join(line for line in CONTAINER.splitlines() if not line.startswith("#")))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def arguments(words: list[str]) -> dict[str, object]:
    """What `castalia serve` makes of them."""
    assert words[0] == "serve"
    return serve.make_context("serve", words[1:]).params


def test_the_unit_starts_what_there_is_and_keeps_it_in(tmp_path):
    (command,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    assert arguments(shlex.split(command)[1:])["url"] == "https://studio.example"
    assert arguments(shlex.split(command)[1:])["host"] == "127.0.0.1"
    for line in (
        "DynamicUser=yes",
        "StateDirectory=castalia",
        "ProtectSystem=strict",
        "IPAddressDeny=any",
        "UMask=0077",
    ):
        assert line in UNIT.splitlines()
    names = [line.partition("=")[0] for line in UNIT.splitlines() if "=" in line and not line.startswith("#")]
    assert [name for name in {*names} if names.count(name) > 1] == ["SystemCallFilter"]
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed: the unit was parsed alone")
    path = tmp_path / "castalia.service"
    path.write_text(UNIT.replace("/opt/castalia/bin/castalia", sys.executable))
    verified = subprocess.run(["systemd-analyze", "verify", path], check=False, capture_output=True, text=True)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(path)]
    judged = subprocess.run(command, check=False, capture_output=True, text=True)
    assert judged.returncode == 0, judged.stdout[-300:]


def test_the_container_takes_what_there_is_and_runs_as_nobody_much():
    names = [name for name, _ in instructions()]
    assert names[0] == "FROM"
    assert {*names} <= {
        "FROM",
        "COPY",
        "RUN",
        "USER",
        "ENV",
        "WORKDIR",
        "VOLUME",
        "EXPOSE",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            assert all((ROOT / each).exists() for each in rest.split()[:-1]), rest
        if name == "FROM":
            assert re.match(r"docker\.io/library/python:3\.\d+-slim", rest)
    (user,) = (rest for name, rest in instructions() if name == "USER")
    assert user != "root"
    ((_, start), (_, command)) = [each for each in instructions() if each[0] in ("ENTRYPOINT", "CMD")]
    assert start == '["castalia"]'
    assert arguments(json.loads(command))["host"] == "0.0.0.0"
    (pip,) = re.findall(r"pip install .*'/src\[(\w+)\]'", CONTAINER)
    assert pip in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def test_the_container_s_look_at_its_health_tells_a_server_from_none(tmp_path):
    (rest,) = (rest for name, rest in instructions() if name == "HEALTHCHECK")
    command = shlex.split(rest.partition("CMD ")[2])
    assert command[0] == "python"
    served = Served(tmp_path / "server").start()
    look = [sys.executable, *(each.replace("http://127.0.0.1:8471", served.url) for each in command[1:])]
    assert subprocess.run(look, check=False, timeout=30).returncode == 0
    served.stop()
    assert subprocess.run(look, check=False, timeout=30, stderr=subprocess.DEVNULL).returncode != 0


def copied(folder: Path) -> Path:
    """What the Containerfile copies, and nothing else."""
    (folder / "src").mkdir()
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            for each in sources:
                place = folder / target.strip("/")
                if (ROOT / each).is_dir():
                    shutil.copytree(ROOT / each, place, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / each, place / each)
    return folder / "src"


@pytest.mark.slow
@pytest.mark.network
def test_the_container_s_steps_install_a_server_that_starts(tmp_path):
    source, made = copied(tmp_path), tmp_path / "made"
    (run,) = (rest for name, rest in instructions() if name == "RUN" and "pip install" in rest)
    steps = run.replace("/opt/castalia", str(made)).replace("/src/", f"{source}/").replace("'/src[", f"'{source}[")
    subprocess.run(["bash", "-euc", steps.replace("python -m venv", f"{sys.executable} -m venv")], check=True)
    environment = {"CASTALIA_HOME": str(tmp_path / "home"), "PATH": f"{made}/bin:/usr/bin:/bin"}
    with subprocess.Popen(
        ["castalia", "--lang", "en", "serve", "--port", "0"],
        env=environment,
        executable=f"{made}/bin/castalia",
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Listening on ")
        process.terminate()
