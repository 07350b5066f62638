"""The command as a program and a hostile user meet it: settings, exit codes, files, refusals."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from castalia.cli import main
from castalia.core import config
from castalia.core.errors import UsageError
from castalia.core.ports import Message, Plan, Step
from castalia.core.values import Brief, Content, Finding
from castalia.genres.haiku import Haiku
from castalia.studio import Studio

KEYS = {"id", "genre", "status", "seed", "model", "tries", "text", "findings", "files", "castalia"}


def castalia(*arguments: str | bytes, said: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "castalia", *arguments],
        input=said,
        capture_output=True,
        check=False,
        env=os.environ | {"CASTALIA_THREADS": "1"} | environment,
    )
    return subprocess.CompletedProcess([], done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def run(home, monkeypatch, capsys):
    """The command in this process, with a haiku of a few unruled words, so that a work takes a second."""

    def plan(_: Haiku, brief: Brief) -> Plan:
        return Plan((Step("poem", (Message("user", brief.words),), max_tokens=12),))

    monkeypatch.setattr(Haiku, "plan", plan)
    monkeypatch.setattr(Haiku, "assemble", lambda _, brief, parts: Content(text=parts["poem"], language="en"))
    monkeypatch.setattr(Haiku, "rules", lambda *_: ())
    monkeypatch.setenv("CASTALIA_THREADS", "1")

    def called(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["castalia", *arguments])
        with pytest.raises(SystemExit) as left:
            main.run()
        shown = capsys.readouterr()
        return int(left.value.code or 0), shown.out, shown.err

    return called


ASKED = ("create", "haiku", "Tell me about the sea.", "--seed", "1", "--json")


def test_sampling_is_the_users_and_remake_takes_it_from_the_record(run, english_model_path):
    model = ("-m", str(english_model_path))
    hot = json.loads(run(*ASKED, *model, "-o", "temperature", "1.5", "-o", "top_k=5000", "-o", "top-p", "1")[1])
    cold = json.loads(run(*ASKED, *model, "-o", "temperature=0")[1])
    assert hot["text"] != cold["text"]
    studio = Studio(threads=1)
    assert studio.library.get(hot["id"]).evidence.sampling == {"temperature": 1.5, "top_k": 5000, "top_p": 1}
    studio.close()
    for work in (hot, cold):
        code, again, said = run("works", "remake", work["id"], *model, "--json")
        assert (code, json.loads(again)["text"]) == (0, work["text"]), said


def test_a_work_whose_model_is_gone_is_not_remade_by_another(run, english_model_path, tmp_path, monkeypatch):
    own = tmp_path / "my own.gguf"
    own.symlink_to(english_model_path)
    work = json.loads(run(*ASKED, "-m", str(own))[1])
    code, _, said = run("works", "remake", work["id"])
    assert code == 3
    assert "my own" in said
    monkeypatch.setenv("CASTALIA_MODEL", str(own))
    code, again, _ = run("works", "remake", work["id"], "--json")
    assert (code, json.loads(again)["text"]) == (0, work["text"])


class Never:
    name = "never"

    def check(self, draft):
        return [Finding(rule="never", ok=False, found="anything", wanted="nothing", hint="give up")]


def test_each_variation_is_tried_and_the_refused_have_the_same_keys(run, english_model_path, monkeypatch):
    monkeypatch.setattr(Haiku, "rules", lambda *_: (Never(),))
    code, out, _ = run(*ASKED, "-m", str(english_model_path), "-n", "2", "--tries", "1")
    assert code == 1
    shown = [json.loads(line) for line in out.splitlines()]
    assert [each["status"] for each in shown] == ["refused", "refused"]
    assert all(set(each) == KEYS and each["castalia"] is None for each in shown)


def test_files_that_can_not_be_written_are_said_before_the_work(run, home, english_model_path, tmp_path):
    (tmp_path / "file").touch()
    code, _, said = run(*ASKED, "-m", str(english_model_path), "--out", str(tmp_path / "file" / "a.md"))
    assert code == 4
    assert "file/a.md" in said
    assert not home.exists()


def test_a_file_that_fails_at_last_leaves_the_work_in_the_library(run, english_model_path, tmp_path):
    """A name longer than the file system takes."""
    good, long = str(tmp_path / "good one.TXT"), str(tmp_path / ("x" * 252 + ".MD"))
    code, out, said = run(*ASKED, "-m", str(english_model_path), "--out", good, "--out", long)
    work = json.loads(out)
    assert code == 4
    assert work["files"] == {"txt": good}
    assert f"castalia works export {work['id']}" in said
    assert run("works", "show", work["id"])[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said", "wanted"),
    [
        (["create", "haiku", "-"], "诗".encode() * 400_000, "1,000,001|333,334"),
        (["create", "haiku", b"\xff rain"], b"", "not valid Unicode"),
        (["create", b"\xff", "rain"], b"", "no genre"),
        (["create", "haiku", "rain", "-o", "temperature", "hot"], b"", "temperature"),
        (["create", "haiku", "rain", "-o", "top_p", "2"], b"", "top_p"),
        (["create", "haiku", "rain", "-m", "http://[/v1"], b"", "not an endpoint"),
        (["create", "haiku", "rain", "-m", "http://host:port/v1"], b"", "not an endpoint"),
        (["keys", "password", "--password-file", "-"], b"\n", "empty"),
        (["keys", "endpoint", "https://host", "--key-file", "-"], b"a\x00b\n", "ASCII"),
    ],
)
def test_what_can_not_be_is_said_in_one_message(home, arguments, said, wanted):
    done = castalia(*arguments, said=said, CASTALIA_LANG="en")
    assert done.returncode == 2
    assert any(part in done.stderr for part in wanted.split("|")), done.stderr


def test_a_working_folders_file_changes_no_model_network_or_mark(home, tmp_path, monkeypatch):
    (home / "config").mkdir(parents=True)
    (home / "config" / "castalia.toml").write_text('provider = "mine"\ntries = 3\n')
    monkeypatch.chdir(tmp_path)
    (tmp_path / "castalia.toml").write_text("tries = 7\noffline = true\n")
    loaded = config.load().config
    assert (loaded.provider, loaded.tries, loaded.offline) == ("mine", 7, True)
    for line in ('model = "http://evil/v1"', "offline = false", "accept_marking_responsibility = true"):
        (tmp_path / "castalia.toml").write_text(line)
        with pytest.raises(UsageError, match=line.split()[0]):
            config.load()


def test_the_command_speaks_chinese_in_clicks_words_too(home):
    shown = castalia("--lang", "zh", "create", "--help").stdout
    assert "用法" in shown
    assert not {"Usage", "Options", "Show this message"} & set(re.findall(r"[A-Z][a-z ]+", shown))
    done = castalia("create", "haiku", "x", "--seed", "abc", LANG="zh_CN.UTF-8", LC_ALL="", LC_MESSAGES="")
    assert (done.returncode, "错误：'--seed' 的值无效" in done.stderr) == (2, True)
    (home / "config").mkdir(parents=True)
    (home / "config" / "castalia.toml").write_text('lang = "zh"\n')
    assert "没有命令" in castalia("nosuch").stderr
    assert "No such command" in castalia("--lang", "en", "nosuch").stderr


def test_the_compiled_messages_are_current():
    tool = runpy.run_path(str(Path(__file__).parent.parent / "tools" / "build_messages.py"))
    source = tool["LOCALE"] / "zh" / "LC_MESSAGES" / "castalia.po"
    assert source.with_suffix(".mo").read_bytes() == tool["compiled"](source.read_text(encoding="utf-8"))


def test_output_is_utf8_whatever_the_locale_says(home):
    done = castalia("--lang", "zh", "genres", "list", PYTHONIOENCODING="ascii")
    assert (done.returncode, "俳句" in done.stdout) == (0, True), done.stderr


def test_without_a_home_folder_help_is_given_and_marks_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read = castalia("verify", "-", said=b"AI-generated\n\nSnow", CASTALIA_HOME="~nosuchuser/x", CASTALIA_LANG="en")
    assert (read.returncode, "“AI-generated”" in read.stdout) == (0, True), read.stderr
    done = castalia("works", "list", CASTALIA_HOME="~nosuchuser/x", CASTALIA_LANG="en")
    assert (done.returncode, "CASTALIA_HOME" in done.stderr) == (2, True)
    assert castalia("--help", CASTALIA_HOME="~nosuchuser/x").returncode == 0
    assert not list(tmp_path.iterdir())


def test_doctor_says_what_is_missing_and_how_to_get_it(home, tmp_path):
    done = castalia("doctor", CASTALIA_OFFLINE="1", CASTALIA_MODELS=str(tmp_path), CASTALIA_LANG="en")
    assert done.returncode == 3
    assert "CASTALIA_OFFLINE=0 castalia models pull qwen2.5-coder" in done.stdout
    assert "can run" in done.stdout
    assert "可运行" in castalia("doctor", CASTALIA_LANG="zh").stdout


def test_the_settings_are_told_in_chinese(home):
    shown = castalia("--lang", "zh", "config", CASTALIA_TRIES="3").stdout
    assert "环境变量" in shown
    assert "上下文长度" in shown


def namespaces() -> bool:
    tool = shutil.which("unshare")
    return bool(tool) and subprocess.run([tool, "-rn", "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0


@pytest.mark.skipif(not namespaces(), reason="no network namespaces here")
def test_works_are_written_where_there_is_no_network_at_all(home, small_model_path):
    """In a network namespace with nothing but loopback."""
    command = ["unshare", "-rn", sys.executable, "-m", "castalia", "create", "haiku", "tell me of rain", "--json"]
    done = subprocess.run(
        [*command, "-m", str(small_model_path), "--seed", "1"],
        capture_output=True,
        check=False,
        env=os.environ | {"CASTALIA_OFFLINE": "1", "CASTALIA_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["status"] == "delivered"


@pytest.mark.parametrize(("command", "kept"), [("make", 3), ("rotate", 6)])
def test_two_at_once_make_one_set_of_keys(home, command, kept):
    """Two rotations from nothing: three signing keys, two of the watermark, one authority; one of each in use."""
    both = [
        subprocess.Popen([sys.executable, "-m", "castalia", "keys", command], stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [each.wait(timeout=120) for each in both] == [0, 0]
    keys = json.loads(castalia("keys", "list", "--json").stdout)
    assert len(keys) == kept
    assert [key["kind"] for key in keys].count("authority") == 1
    assert sum(key["current"] for key in keys) == 3
    assert sum(key["kind"] == "signing" and key["usable"] for key in keys) == 1


def test_a_strangers_broken_genre_takes_no_other_one_along(home, tmp_path):
    info = tmp_path / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[castalia.genres]\nbroken = no_such_module:GENRE\n")
    listed = castalia("genres", "list", PYTHONPATH=str(tmp_path), CASTALIA_LANG="en")
    assert (listed.returncode, "haiku" in listed.stdout) == (0, True)
    assert "genre broken" in listed.stderr
    assert castalia("genres", "show", "俳句", PYTHONPATH=str(tmp_path)).returncode == 0
    assert castalia("create", "broken", "x", PYTHONPATH=str(tmp_path)).returncode == 4
