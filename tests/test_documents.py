"""The documents' examples run, and say what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from castalia.cli.genres import genres
from castalia.genres import every

ROOT = Path(__file__).parent.parent


def code(name: str, language: str = "python") -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.DOTALL)


def test_the_python_page_runs_from_top_to_bottom(home, tmp_path, small_model_path):
    script = tmp_path / "page.py"
    script.write_text("\n".join(code("python.md")), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "poem.html").is_file()
    assert (tmp_path / "poem.html.c2pa").is_file()


def test_the_genre_of_the_tutorial_is_written_checked_and_kept(home, tmp_path, small_model_path):
    """As a stranger's package: its file and its entry point on the path, no installation into this environment."""
    package = tmp_path / "site" / "my_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "toast.py").write_text(code("own-genre.md")[0], encoding="utf-8")
    points = tomllib.loads(code("own-genre.md", "toml")[0])["project"]["entry-points"]["castalia.genres"]
    meta = tmp_path / "site" / "my_package-1.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    rows = "\n".join(f"{name} = {value}" for name, value in points.items())
    (meta / "entry_points.txt").write_text(f"[castalia.genres]\n{rows}\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "castalia", "create", "toast", "his new boat is ready", "-o", "guest", "Henry"),
            *("-m", str(small_model_path), "--seed", "1", "--tries", "8", "--out", "toast.md"),
        ],
        cwd=tmp_path / "site",
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert "Henry" in (tmp_path / "site" / "toast.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "README.zh.md", "docs/genres.md"])
def test_every_genre_is_named(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for genre in every():
        assert f"`{genre.name}`" in text, genre.name


def test_both_readmes_give_the_same_commands():
    english, chinese = (
        re.findall(r"^castalia \w+(?: \w+)?", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        for page in ("README.md", "README.zh.md")
    )
    assert english == chinese


def test_the_page_of_genres_is_current():
    made = CliRunner().invoke(genres, ["list", "--markdown"])
    page = (ROOT / "docs" / "genres.md").read_text(encoding="utf-8")
    assert made.output in page, "castalia --lang en genres list --markdown"


def test_links_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), (page.name, target)
