"""`castalia train`: what is said while a model is trained, and when a run is stopped."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs castalia[train]")

from castalia.cli.train import train
from castalia.training import Collection


def said(monkeypatch: pytest.MonkeyPatch, shapes: Collection, folder: Path, trained: Callable[..., Path]) -> str:
    monkeypatch.setattr("castalia.training.find", lambda _: shapes)
    monkeypatch.setattr("castalia.training.images.train_images", trained)
    return CliRunner().invoke(train, ["image", "--collection", "shapes", "--out", str(folder)]).output


def test_a_run_that_its_user_stops_says_how_to_go_on(
    shapes: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> Path:
        raise KeyboardInterrupt

    assert "goes on" not in said(monkeypatch, shapes, tmp_path, stopped)
    (tmp_path / "run.json").write_text("{}")
    assert f"The same command goes on where {tmp_path} was." in said(monkeypatch, shapes, tmp_path, stopped)


def test_what_is_left_is_said_to_be_of_the_stage_and_the_last_line_can_be_pasted(
    shapes: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / 'a "model" of 花'

    def finished(*_: object, log: Callable[[Mapping[str, object]], None], **__: object) -> Path:
        log({"stage": "generator", "step": 7, "minutes": 1.2, "left": 0.3})
        return folder

    output = said(monkeypatch, shapes, folder, finished)
    assert "1.2 min gone, at most 0.3 left of this stage" in output
    assert shlex.split(output.splitlines()[-1])[0] == f"CASTALIA_IMAGE_MODEL={folder}"
