"""Agreement of pictures and words: the model that comes along, with right and with wrong words."""

from __future__ import annotations

import numpy as np
import pytest

from castalia.core.picture import MixStep, Picture, RedrawStep
from castalia.core.values import Brief, BriefFields, Content, Draft, Evidence
from castalia.genres._pictures import drawn_rules
from castalia.modalities.image.draw.agreement import OTHERS, agreement
from castalia.modalities.image.draw.model import DrawingModel
from castalia.quality import AgreementRule

WORDS = ("a red apple", "dolphin", "guitar", "blue car", "pizza")
WRONG = ("skull", "umbrella", "green frog", "banana", "violin")


@pytest.fixture(scope="module")
def model() -> DrawingModel:
    return DrawingModel.default()


@pytest.fixture(scope="module")
def drawn(model: DrawingModel) -> list[np.ndarray]:
    return [model.draw(words, "", seed, 128) for seed, words in enumerate(WORDS)]


def test_own_words_come_before_nearly_all_others(model: DrawingModel, drawn: list[np.ndarray]) -> None:
    own = [model.agreement(words, "", each) for words, each in zip(WORDS, drawn, strict=True)]
    wrong = [model.agreement(words, "", each) for words, each in zip(WRONG, drawn, strict=True)]
    assert min(own) >= 0.98
    assert max(wrong) < min(own)
    assert np.mean(wrong) < 0.8
    assert model.agreement("一个红苹果", "", drawn[0]) >= 0.98
    assert model.agreement(WORDS[0], "", drawn[0]) == own[0]


def test_a_picture_that_was_kept_does_not_agree_with_new_words(model: DrawingModel, drawn: list[np.ndarray]) -> None:
    given = Picture.of(drawn[1], "dolphin")
    kept = model.redraw(RedrawStep("r", given, "pizza", strength=0.0), 1)
    forgotten = model.redraw(RedrawStep("r", given, "pizza", strength=1.0), 1)
    assert model.agreement("pizza", "", kept) < 0.95 < model.agreement("pizza", "", forgotten)


def test_a_mix_agrees_with_both_more_than_chance(model: DrawingModel, drawn: list[np.ndarray]) -> None:
    both = (Picture.of(drawn[0]), Picture.of(drawn[2]))
    between = model.mix(MixStep("m", both, (WORDS[0], WORDS[2]), share=0.5))
    assert model.agreement(f"{WORDS[0]} {WORDS[2]}", "", between) > 0.9


def test_the_code_that_words_give_agrees_wholly_and_its_reverse_not_at_all(model: DrawingModel) -> None:
    network, usual = model.network, model._usual
    own = model.vocabulary.read("guitar").numbers
    meant = network.meant(own)
    assert agreement(network, meant, own, (), usual) == 1
    assert agreement(network, 2 * usual - meant, own, (), usual) == 0
    shares = [agreement(network, meant, (number,), (), usual) * OTHERS for number in range(1, 400, 10)]
    assert all(share == round(share) for share in shares)
    assert 0.3 < np.mean(shares) / OTHERS < 0.7


def test_codes_of_sets_are_those_of_each_set(model: DrawingModel) -> None:
    sets = np.array([[3, 9, 0], [7, 0, 0], [5, 2, 11]])
    for codes, words in zip(model.network.meant_by(sets), sets, strict=True):
        assert np.allclose(codes, model.network.meant([int(each) for each in words if each]), atol=1e-6)


@pytest.mark.parametrize(("told", "ok"), [("1.000", True), ("0.950", True), ("0.949", False), ("0.000", False)])
def test_the_rule_notes_what_does_not_agree(told: str, ok: bool) -> None:
    draft = Draft(
        brief=Brief(genre="picture", words="w", fields=BriefFields(), seed=1),
        content=Content(text="w", picture=Picture.of(np.zeros((4, 4, 3), np.uint8))),
        parts={"picture.agreement": told},
        evidence=Evidence(model="m", digest="d", engine="e", seed=1),
    )
    assert any(isinstance(rule, AgreementRule) for rule in drawn_rules("picture"))
    (finding,) = AgreementRule("picture").check(draft)
    assert (finding.ok, finding.refuses, bool(finding.hint)) == (ok, False, not ok)
    assert AgreementRule("other").check(draft) == []
