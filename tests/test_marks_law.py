"""The law that nothing leaves unmarked: every genre, every face, every way out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click
import pytest

from castalia import genres
from castalia.cli import main
from castalia.core.config import Config
from castalia.core.ports import Message, Plan, Step
from castalia.core.values import Brief, Content, Draft, Evidence, Judged
from castalia.genres.haiku import Haiku
from castalia.library import Library
from castalia.provenance import FACES, FORMATS, Keys, find_label, mark, verify
from castalia.studio import Studio
from test_provenance_mark import Store, states

HELD = {"label": "present", "implicit": "present", "source": "present", "c2pa": "trusted", "record": "trusted"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(Store(), tmp_path_factory.mktemp("certificates"))


def of_genre(name: str, language: str) -> Judged:
    room = genres.find(name)
    text = {"en": "The ice came\n\non Tuesday.", "zh": "周二来了冰，\n\n港口静了。"}[language]
    brief = Brief(genre=name, words="ice", fields=genres.fields_of(room, {"language": language}), seed=1)
    evidence = Evidence(model="m", digest="d" * 64, engine="e", seed=1, sampled_tokens=12)
    markdown = f"# {text.splitlines()[0]}\n\n{text.splitlines()[2]}\n"
    content = Content(text=text, markdown=markdown, language=language, fields={"headlines": ["Ice"]})
    return Judged(draft=Draft(brief=brief, content=content, evidence=evidence), findings=())


@pytest.mark.parametrize(
    ("genre", "language"),
    [(room.name, language) for room in genres.every() for language in room.languages],
)
def test_every_genre_leaves_in_every_face_with_every_mark(keys, genre, language):
    marked = mark(of_genre(genre, language), keys=keys, config=Config(), faces=tuple(FACES))
    assert {file.face for file in marked.files} == set(FACES)
    for file in marked.files:
        found = verify(file.content, name=f"x.{file.face}", sidecar=file.sidecar, anchors=keys.anchors())
        assert HELD.items() <= states(found).items(), file.face
        assert found.record.genre == genre


def test_every_format_says_where_each_layer_is():
    for face in FORMATS.values():
        assert {"label", "implicit", "source"} <= set(face.places), face.extension
        assert face.render or face.stamp


def options(command: click.Command) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner
            yield from options(inner)
    for option in command.params:
        yield from (*option.opts, *option.secondary_opts)


def test_no_option_and_one_setting_speak_of_leaving_marks_out():
    named = set(options(main.castalia))
    assert len(named) > 30
    assert not {name for name in named for part in ("no-", "without", "unmark", "skip", "strip") if part in name}
    spoken = {name for name in Config.model_fields if "mark" in name or "label" in name}
    assert spoken == {"accept_marking_responsibility", "watermark_strength"}


def test_the_library_takes_in_nothing_but_what_is_marked():
    from typing import get_type_hints

    from castalia.core.values import Marked, MarkedFile

    takes = {name: get_type_hints(way) for name, way in vars(Library).items() if callable(way) and name[0] != "_"}
    works = {name for name, hints in takes.items() if {Content, Draft, Judged} & set(hints.values())}
    assert not works
    assert takes["keep"]["marked"] in (Marked, MarkedFile)


@pytest.fixture
def run(home, monkeypatch, capsysbinary, english_model_path):
    """The command in this process, with a haiku of a few unruled words."""
    monkeypatch.setattr(
        Haiku, "plan", lambda _, brief: Plan((Step("poem", (Message("user", "Sea."),), max_tokens=12),))
    )
    monkeypatch.setattr(Haiku, "assemble", lambda _, brief, parts: Content(text=parts["poem"], language="en"))
    monkeypatch.setattr(Haiku, "rules", lambda *_: ())
    monkeypatch.setenv("CASTALIA_THREADS", "1")
    monkeypatch.setenv("CASTALIA_MODEL", str(english_model_path))

    def called(*arguments: str) -> bytes:
        monkeypatch.setattr(sys, "argv", ["castalia", *arguments])
        with pytest.raises(SystemExit) as left:
            main.run()
        assert not left.value.code
        return capsysbinary.readouterr().out

    return called


def test_every_way_out_of_the_studio_is_marked(run, tmp_path):
    files = [
        tmp_path / f"a.{name}" for name in (*FACES, *(other for face in FACES.values() for other in face.other_names))
    ]
    outs = [part for path in files for part in ("--out", str(path))]
    shown = json.loads(run("create", "haiku", "the sea", "--seed", "1", "--json", *outs))
    again = [tmp_path / f"b.{path.suffix[1:]}" for path in files]
    run("works", "export", shown["id"], *map(str, again))
    studio = Studio(threads=1)
    third = [studio.export(studio.library.get(shown["id"]), tmp_path / f"c.{path.suffix[1:]}") for path in files]
    for path in (*files, *again, *third):
        found = verify(path, anchors=studio.keys.anchors(), find=studio.record_of)
        assert HELD.items() <= states(found).items(), path
        assert found.work == shown["id"]
    studio.close()
    plain = {
        "create": run("create", "haiku", "the sea", "--seed", "1"),
        "show": run("works", "show", shown["id"]),
        "remake": run("works", "remake", shown["id"]),
    }
    for way, text in plain.items():
        assert find_label(text.decode().split("\n")[0]), way
        assert states(verify(text, name="-"))["implicit"] == "present", way
    objects = {
        "create": shown,
        "show": json.loads(run("works", "show", shown["id"], "--json")),
        "remake": json.loads(run("works", "remake", shown["id"], "--json")),
        "list": json.loads(run("works", "list", "--json"))[0],
        "search": json.loads(run("works", "search", "--json", shown["text"].split()[0]))[0],
    }
    for way, each in objects.items():
        assert each["castalia"]["id"], way
        assert each["castalia"]["digital_source_type"].endswith("trainedAlgorithmicMedia"), way
