"""Outlines: the same for a picture that is changed as copies are, others for other pictures; and their rule."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from castalia.core.explained_picture import ALIKE, NEAR, Neighbour
from castalia.core.picture import Picture
from castalia.core.values import Brief, BriefFields, Content, Draft, Evidence, Finding
from castalia.modalities.image.draw.model import DrawingModel
from castalia.modalities.image.draw.outline import NUMBERS, alike, outline
from castalia.quality import NearCopyRule


@pytest.fixture(scope="module")
def model() -> DrawingModel:
    return DrawingModel.default()


@pytest.fixture(scope="module")
def some(model: DrawingModel) -> list[tuple[str, np.ndarray]]:
    """Forty learned pictures, out of what the model keeps of them: less than a copy of them would have."""
    names = list(model._learned.names)[::24]
    return [(name, np.array(Image.fromarray(model.thumbnail(name)).resize((128, 128), 1))) for name in names]


def moved(pixels: np.ndarray) -> np.ndarray:
    made = np.full_like(pixels, 255)
    made[5:, :-9] = pixels[:-5, 9:]
    return made


def recoloured(pixels: np.ndarray) -> np.ndarray:
    turned = np.array(Image.fromarray(pixels).convert("HSV"))
    turned[..., 0] += 90
    return np.array(Image.fromarray(turned, "HSV").convert("RGB"))


def smaller(pixels: np.ndarray) -> np.ndarray:
    made = np.full_like(pixels, 255)
    made[14:114, 14:114] = np.array(Image.fromarray(pixels).resize((100, 100), Image.Resampling.LANCZOS))
    return made


def coarse(pixels: np.ndarray) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=40)
    return np.array(Image.open(stream))


CHANGED = {
    "moved": moved, "recoloured": recoloured, "smaller": smaller, "coarse": coarse, "mirrored": lambda of: of[:, ::-1],
    "darker": lambda of: (of * 0.7).astype(np.uint8),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGED)
def test_a_changed_copy_of_a_learned_picture_is_found_again(
    model: DrawingModel, some: list[tuple[str, np.ndarray]], change: str
) -> None:
    found = [model.nearest(np.ascontiguousarray(CHANGED[change](pixels))) for _, pixels in some]
    right = [near.name == name for near, (name, _) in zip(found, some, strict=True)]
    assert np.mean(right) >= 0.9


def test_an_outline_has_length_one_whatever_is_drawn(some: list[tuple[str, np.ndarray]]) -> None:
    for _, pixels in some:
        made = outline(pixels)
        assert (made.shape, made.dtype) == ((NUMBERS,), np.float32)
        assert np.linalg.norm(made) == pytest.approx(1, abs=1e-5)
        assert (made >= 0).all()
    for size in ((1, 1), (1, 90), (300, 2)):
        even = np.full((*size, 3), 7, np.uint8)
        assert not outline(even).any()
        assert outline(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)).shape == (NUMBERS,)


def test_stripes_are_edged_across_them_alone() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::8] = stripes[:, 1::8] = stripes[:, 2::8] = stripes[:, 3::8] = 200
    by_direction = (outline(stripes).reshape(16, 8) ** 2).sum(0)
    assert by_direction[0] == pytest.approx(1, abs=1e-5)
    turned = (outline(np.ascontiguousarray(stripes.swapaxes(0, 1))).reshape(16, 8) ** 2).sum(0)
    assert turned[4] == pytest.approx(1, abs=1e-5)


def test_likeness_is_one_with_itself_and_its_mirror_image(some: list[tuple[str, np.ndarray]]) -> None:
    outlines = np.stack([outline(pixels) for _, pixels in some])
    for at, (_, pixels) in enumerate(some):
        for view in (pixels, np.ascontiguousarray(pixels[:, ::-1])):
            found = alike(view, outlines)
            assert found[at] == pytest.approx(1, abs=1e-4)
            assert found.max() <= 1 + 1e-5
            assert found[at] - np.median(found) > 0.5
    assert alike(some[0][1], outlines[:1]).shape == (1,)  # of one picture there is no mean to differ from


# ---------------------------------------------------------------- the rule


def checked(near: Neighbour | None) -> Finding:
    draft = Draft(
        brief=Brief(genre="picture", words="w", fields=BriefFields(), seed=1),
        content=Content(text="w", picture=Picture.of(np.zeros((4, 4, 3), np.uint8))),
        parts={"picture.nearest": json.dumps(near) if near else ""},
        evidence=Evidence(model="m", digest="d", engine="e", seed=1),
    )
    (finding,) = NearCopyRule("picture").check(draft)
    assert not finding.refuses
    return finding


@pytest.mark.parametrize(
    ("far", "like", "ok"),
    [
        (NEAR, 0.0, True),
        (NEAR - 0.01, 0.0, False),
        (90.0, ALIKE, False),
        (90.0, ALIKE - 0.01, True),
        (NEAR, None, True),
        (0.0, None, False),
    ],
)
def test_near_in_pixels_or_in_outlines_is_near(far: float, like: float | None, ok: bool) -> None:
    near = Neighbour("a cat.png", far, like)
    finding = checked(near)
    assert (finding.ok, bool(finding.hint)) == (ok, not ok)
    assert f"{far:.1f} levels from a cat.png, which it was taught" in finding.found
    assert ("outlines" in finding.found) == (like is not None)
    assert (near.apart >= 1 - 1e-9) == ok or like == ALIKE


def test_where_nobody_knows_what_was_learned_that_is_said() -> None:
    assert "not checked" in checked(None).found
