"""Laws of every registered genre."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from castalia import genres, privacy, quality
from castalia.cli.create import create
from castalia.cli.genres import genres as command
from castalia.cli.main import joined_options
from castalia.core.picture import Picture
from castalia.core.score import Note, Part, Score
from castalia.core.values import Brief, BriefFields, Content, Draft, Evidence
from castalia.quality import readability

ALL = genres.every()
EACH = [(genre, language) for genre in ALL for language in genre.languages]
WORDS = {"en": "first snow over the harbour", "zh": "秋夜江上望月"}
TUNE = Score(parts=(Part(name="Tune", kind="voice", notes=tuple(Note(48 * at, 48, 62 + at % 3) for at in range(16))),))
PICTURE = Picture.of(np.full((128, 128, 3), 255, np.uint8), "a red apple")
NEEDED: dict[str, dict[str, object]] = {
    "accompaniment": {"chords": "| C | Am F | G7 | C |"},
    "variation": {"melody": TUNE},
    "cover": {"title": "Harbour"},
    "mix": {"picture": PICTURE, "second": PICTURE},
    "sheet": {"pictures": (PICTURE, PICTURE)},
    **{name: {"picture": PICTURE} for name in ("cut-out", "direct", "enlarge", "painting", "pattern", "redraw")},
}
"""What a genre cannot do without, beside words."""
ROOT = Path(__file__).parent.parent


def brief(genre, language: str) -> Brief:
    fields: BriefFields = genres.fields_of(genre, {"language": language} | NEEDED.get(genre.name, {}))
    return Brief(genre=genre.name, words=WORDS[language], fields=fields, seed=1)


def draft(genre, language: str, parts: dict[str, str]) -> Draft:
    asked = brief(genre, language)
    evidence = Evidence(model="m", digest="d", engine="e", seed=1)
    return Draft(brief=asked, content=genre.assemble(asked, parts), parts=parts, evidence=evidence)


def rules(genre, asked: Brief):
    return [*genre.rules(asked), *quality.house_rules(personal=privacy.personal, talk=genre.plan(asked).talk)]


def test_names_and_aliases_lead_to_one_genre_each():
    for genre in ALL:
        for name in (genre.name, *genre.aliases, genre.name.upper()):
            assert genres.find(name).name == genre.name


@pytest.mark.parametrize("genre", ALL, ids=lambda genre: genre.name)
def test_every_field_is_explained_in_both_languages(genre):
    for name, field in genre.fields.model_fields.items():
        assert re.search(r"\S+ \| .*[\u3400-\u9fff]", field.description or ""), name


@pytest.mark.parametrize(("genre", "language"), EACH, ids=lambda each: getattr(each, "name", each))
def test_a_plan_refers_only_to_steps_before(genre, language):
    before: set[str] = set()
    for step in genre.plan(brief(genre, language)).steps:
        asked = "".join(message.content for message in step.messages)
        assert set(re.findall(r"\{([a-z_]+\d*)\}", asked)) <= before
        assert step.name not in before
        before.add(step.name)


@pytest.mark.parametrize(("genre", "language"), EACH, ids=lambda each: getattr(each, "name", each))
@pytest.mark.parametrize("text", ["", "\n\n", "{", "Sure! Here is a poem about the sea:", "床前明月光", "x" * 5000])
def test_what_is_no_work_is_assembled_without_an_error_and_refused(genre, language, text):
    names = [step.name for step in genre.plan(brief(genre, language)).steps]
    made = draft(genre, language, dict.fromkeys(names, text))
    said = genre.plan(made.brief).talk and text.strip() != ""  # in a conversation anything that is said is a turn
    assert quality.judge(made, rules(genre, made.brief)).passed == said


@pytest.mark.parametrize(
    "genre", [each for each in ALL if each.plan(brief(each, each.languages[0])).pictures], ids=lambda genre: genre.name
)
def test_a_picture_is_asked_whether_it_is_fit_to_show_whatever_its_genre(genre):
    asked = brief(genre, genre.languages[0])
    evidence = Evidence(model="m", digest="d", engine="e", seed=1)
    made = Draft(brief=asked, content=Content(text="t", picture=PICTURE), evidence=evidence)
    findings = quality.judge(made, rules(genre, asked)).findings
    (found,) = [each for each in findings if each.rule == "safety" and each.place]
    assert (found.ok, found.wanted) == (True, "at most 0.8")


@pytest.mark.parametrize("genre", ALL, ids=lambda genre: genre.name)
def test_list_and_show_tell_of_it(genre):
    assert genre.name in CliRunner().invoke(command, ["list"]).output
    shown = CliRunner().invoke(command, ["show", genre.name]).output
    assert all(name in shown for name in genre.fields.model_fields)


def test_the_readmes_commands_parse_and_name_real_fields():
    found = 0
    for name in ("README.md", "README.zh.md"):
        for line in re.findall(r"castalia (create .*)", (ROOT / name).read_text(encoding="utf-8")):
            arguments = joined_options(shlex.split(line.partition("`")[0]))[1:]
            parsed = create.make_context("create", arguments).params
            genre = genres.find(parsed["genre"])
            given = dict(option.split("=", 1) for option in parsed["option"])
            pictures = [name for name in given if genre.fields.model_fields[name].annotation == Picture | None]
            assert genres.fields_of(genre, given | dict.fromkeys(pictures, PICTURE))
            found += 1
    assert found >= 10


def test_readability_knows_easy_from_hard():
    easy = "The cat sat on the mat. It was warm. The sun was out."
    hard = "Institutional considerations necessitate comprehensive interdepartmental harmonisation of obligations."
    assert readability(easy, "en") > 90 > 30 > readability(hard, "en")
    assert readability("山高。水长。", "zh") == 2


@pytest.mark.parametrize(
    "genre", [each for each in ALL if "keywords" in each.fields.model_fields], ids=lambda g: g.name
)
def test_a_wished_word_that_is_missing_is_said(genre):
    fields = genres.fields_of(genre, {"language": genre.languages[0], "keywords": ["zeppelin"]})
    asked = Brief(genre=genre.name, words=WORDS[genre.languages[0]], fields=fields, seed=1)
    content = Content(text="nothing of the kind", language=genre.languages[0])
    evidence = Evidence(model="m", digest="d", engine="e", seed=1)
    found = quality.judge(
        Draft(brief=asked, content=content, parts={}, evidence=evidence), rules(genre, asked)
    ).findings
    assert [each.wanted for each in found if each.rule == "keywords" and not each.ok] == ["zeppelin"]
