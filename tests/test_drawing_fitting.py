"""Which learned picture fills in what words leave open, and what is said where it is not what was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest

from castalia.core.errors import UsageError
from castalia.core.picture import DrawStep, Picture
from castalia.core.values import Brief, BriefFields, Content, Draft, Evidence
from castalia.genres.picture import GENRE, PictureFields
from castalia.modalities.image.draw.fitting import Fitting
from castalia.modalities.image.draw.folder import Learned
from castalia.modalities.image.draw.model import DrawingModel
from castalia.modalities.image.draw.words import SAME, learn_vocabulary
from castalia.quality import AfterRule

CAPTIONS = (
    "guide dog, animal, pet", "service dog, animal, pet", "dog face, animal, pet", "hot dog, sausage",
    "cat, animal, pet", "cat face, animal, pet", "two hearts, love", "heart, love", "railway car, train",
    "automobile, car, vehicle", "taxi, car, vehicle", "teapot, drink", "table, wood",
)  # fmt: skip
WORDS = learn_vocabulary(CAPTIONS, [""] * len(CAPTIONS))


def taught(*captions: str) -> Fitting:
    """These captions, as a model keeps them."""
    rows = [[WORDS.read(part).numbers for part in each.split(", ", 1)] for each in captions]
    held, tags = (np.array([[*row[at], *[0] * (6 - len(row[at]))] for row in rows], np.uint16) for at in range(2))
    learned = Learned(captions, np.zeros((len(captions), 1, 1, 3), np.float32), held, tags)
    return Fitting(learned, set(), [{number for word in each for number in WORDS.read(word).numbers} for each in SAME])


def chosen(words: str, *captions: str) -> Mapping[str, int]:
    """How often each name is chosen of a thousand."""
    captions = captions or CAPTIONS
    fitting, numbers = taught(*captions), WORDS.read(words).numbers
    fits = [fitting.fit(numbers, WORDS.clause(words), np.random.default_rng(seed)) for seed in range(1000)]
    return Counter(captions[each.picture].partition(",")[0] for each in fits if each)


def test_what_is_called_just_so_comes_before_what_is_called_more() -> None:
    found = chosen("cat")
    assert found["cat"] > 900
    assert set(found) == {"cat", "cat face"}


def test_of_names_that_all_say_more_the_one_unlike_the_others_is_rare() -> None:
    found = chosen("a dog")
    assert found["hot dog"] < 60
    assert all(found[each] > 150 for each in ("guide dog", "service dog", "dog face"))


def test_another_word_for_the_same_thing_is_its_name() -> None:
    assert chosen("car")["automobile"] > 900
    assert WORDS.read("plane telly").unknown == ("plane", "telly")
    assert WORDS.read("automobiles").known == ("automobile",)
    assert learn_vocabulary(["motorcycle"], [""]).read("motorbike").known == ("motorcycle",)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("two dogs", "dog"),
        ("a teapot on a table", "teapot"),
        ("a table with a teapot", "table"),
        ("cat, heart", "cat"),
        ("a cat and a teapot", "cat"),
    ],
)
def test_the_thing_that_is_asked_for_comes_before_what_is_said_of_it(words: str, name: str) -> None:
    assert all(name in each.split() for each in chosen(words))


def test_a_word_that_all_pictures_have_is_filled_in_too() -> None:
    assert sum(chosen("animal", *CAPTIONS[:3]).values()) == 1000
    assert not chosen("teapot", *CAPTIONS[:3])


@pytest.mark.parametrize(
    ("words", "missed"),
    [
        ("cat", []),
        ("a red umbrella", []),
        ("a teapot on a table", ["table"]),
        ("a fox in the snow", ["snow"]),
        ("骑自行车的猫", ["自行车"]),
        ("king", ["king"]),
        ("a black cat on a roof", []),
    ],
)
def test_what_the_learned_picture_is_not_called_is_told_in_the_words_of_the_brief(
    words: str, missed: list[str]
) -> None:
    model, step = DrawingModel.default(), DrawStep("picture", words)
    assert model.filled_from(step, 1)
    assert model.missed(step, 1) == missed


def test_a_picture_says_what_it_was_drawn_after_where_that_is_something_else() -> None:
    brief = Brief(genre="picture", words="king", fields=BriefFields(), seed=1)

    def noted(after: str | None) -> list[tuple[bool, str]]:
        parts = {} if after is None else {"picture.after": after}
        content = Content(text="king", picture=Picture.of(np.zeros((8, 8, 3), np.uint8)))
        evidence = Evidence(model="m", digest="0" * 64, engine="e", threads=1, seed=1)
        draft = Draft(brief=brief, content=content, parts=parts, evidence=evidence)
        return [(each.ok, each.found) for each in AfterRule("picture").check(draft)]

    assert noted(None) == []
    assert noted("crown.png") == [(True, "drawn after crown.png, which it was taught")]
    [(ok, found)] = noted("crown.png\nking\nold")
    assert not ok
    assert "crown.png" in found
    assert found.endswith("not called: king, old")
    assert any(isinstance(each, AfterRule) for each in GENRE.rules(brief))


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("\N{CAT FACE}", ("cat", "face")),
        ("a red \N{UMBRELLA}\ufe0f", ("red", "umbrella")),
        ("\N{HEAVY BLACK HEART}", ("heart",)),  # of old names, black is filled
        ("cat \N{COPYRIGHT SIGN}", ("cat",)),
    ],
)
def test_an_emoji_is_read_by_its_name(words: str, known: tuple[str, ...]) -> None:
    assert DrawingModel.default().vocabulary.read(words).known == known


def test_a_picture_too_small_for_its_label_and_a_style_where_there_is_none_are_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match="at least 64 pixels a side, not 20") as caught:
        GENRE.plan(Brief(genre="picture", words="cat", fields=PictureFields(size=20), seed=1))
    assert caught.value.hint == "-o size=64"
    with pytest.raises(UsageError, match="no style 'oil'") as caught:
        DrawingModel.default().draw("cat", "oil", 1, 64)
    assert caught.value.hint == "It has a single manner: leave the style out."
