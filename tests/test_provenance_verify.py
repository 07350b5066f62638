"""Verification: any bytes get a report, foreign and stripped files too, and hostile ones neither crash nor hang it."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia.cli.verify import verify as command
from castalia.core.config import Config
from castalia.core.errors import LockedError, MarkError, UsageError
from castalia.core.ports import Processor
from castalia.core.values import Work
from castalia.provenance import FACES, LONGEST, Keys, Marked, WatermarkKey, mark, text_sha256, verify
from castalia.provenance.report import LAYERS
from castalia.provenance.tc260 import FIELDS
from test_provenance_mark import HAIKU, JUEJU, Store, check, judged, states


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(Store(), tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def marked(keys) -> Marked:
    return mark(judged(JUEJU, language="zh"), keys=keys, config=Config(provider="墨社"), faces=tuple(FACES))


def kept(marked: Marked) -> Work:
    draft = marked.judged.draft
    return Work(
        id=marked.record.id,
        genre=draft.brief.genre,
        brief=draft.brief,
        content=draft.content,
        findings=(),
        evidence=draft.evidence,
        record=marked.record,
    )


def finder(work: Work):
    return lambda key: work.record if key == work.id or text_sha256(key) == work.record.text_sha256 else None


def test_a_file_is_read_with_the_sidecar_beside_it(tmp_path, keys, marked):
    for file in marked.files:
        path = tmp_path / f"诗.{file.face}"
        path.write_bytes(file.content)
        assert states(verify(path))["c2pa"] == "absent"
        assert verify(path).ok
        path.with_name(path.name + ".c2pa").write_bytes(file.sidecar or b"")
        assert states(verify(path, anchors=keys.anchors()))["c2pa"] == "trusted"


@pytest.mark.parametrize(
    "wrap", [str, lambda text: text.replace("\n", ""), lambda text: "\n> " + "\n    ".join(text.split("\n"))]
)
def test_bare_text_is_found_in_the_library_by_its_wording(marked, wrap):
    text = wrap(JUEJU).replace("> ", "")
    report = verify(text.encode(), find=finder(kept(marked)))
    assert states(report) | {"watermark": ""} == dict.fromkeys(LAYERS, "absent") | {
        "library": "present",
        "watermark": "",
    }
    assert report.work == marked.record.id
    assert report.record == marked.record
    assert report.ok
    assert "A work of this library" in report.verdict


def written(link: Processor, words: int = 300, seed: int = 1) -> str:
    """A text drawn word by word from equally likely ones, under a watermark."""
    draw = np.random.default_rng(seed)
    vocabulary = [f" {a}{b}" for a in ("ba", "ke", "li", "mo", "nu", "sha", "tre") for b in ("den", "ra", "sel", "ton")]
    text = "Once"
    for _ in range(words):
        scores = link.adjust(text, vocabulary, np.zeros(len(vocabulary), np.float32))
        text += vocabulary[int(np.argmax(scores + draw.gumbel(size=len(vocabulary))))]
    return text


@pytest.mark.parametrize("private", [False, True])
def test_a_watermark_is_recorded_when_it_is_found_and_survives_losing_everything_else(tmp_path, private):
    keys = Keys(Store(), tmp_path)
    link = keys.text_watermark(2.0, private=private)
    text, label = written(link), link.label
    file = mark(judged(text, tokens=300, watermark=label), keys=keys, config=Config()).files[0]
    keys.rotate()
    report = check(keys, file, watermark_keys=keys.watermarks())
    assert states(report)["watermark"] == "present"
    assert report.record
    assert report.record.watermark == label
    bare = text[len(text) // 2 :].replace(" ", "\n").encode()
    assert states(verify(bare, watermark_keys=keys.watermarks()))["watermark"] == "present"
    stranger = verify(bare)
    assert stranger.ok is not private  # anybody finds the published key, nobody else a private one
    assert stranger.layer("watermark").state == ("absent" if private else "present")
    assert "no other mark" in stranger.verdict or private


def test_a_watermark_that_is_not_there_is_an_error_from_200_tokens(keys):
    label = keys.text_watermark(2.0).label
    with pytest.raises(MarkError, match="detector does not find it"):
        mark(judged(tokens=300, watermark=label), keys=keys, config=Config())
    short = mark(judged(tokens=199, watermark=label), keys=keys, config=Config()).record
    assert (short.watermark, "too short" in short.watermark_reason) == ("none", True)
    with pytest.raises(MarkError, match="detector does not find it"):  # a key that this studio does not have
        mark(
            judged(written(keys.text_watermark(2.0)), tokens=300, watermark="pairs1:00000000"),
            keys=keys,
            config=Config(),
        )


def test_more_keys_raise_no_more_alarms(tmp_path):
    from castalia.provenance.watermark import detect_any

    unmarked = Keys(Store(), tmp_path).text_watermark(0.0)
    keys = [WatermarkKey(bytes([number] * 32)) for number in range(20)]
    alarms = sum(detect_any(written(unmarked, 120, seed), keys).state == "present" for seed in range(100))
    assert alarms <= 4  # 1 expected; P(X > 4) = 0.3 %


def test_a_text_that_looks_like_the_beginning_of_an_id_is_not_found(marked):
    work = kept(marked).model_copy(update={"id": "face0000-0000-4000-8000-000000000000"})
    assert verify(b"face", find=lambda key: work.record if work.id.startswith(key) else None).work is None


def test_pasted_markdown_source_is_found_in_the_library(keys):
    work = kept(mark(judged("Ice and *fire* [1]\nsnow"), keys=keys, config=Config()))
    report = verify(b"Ice and \\*fire\\* \\[1\\]  \nsnow", find=finder(work))
    assert report.work == work.id


def test_a_changed_text_is_found_by_id_and_called_changed(marked):
    changed = marked.files[0].content.replace("白日".encode(), "红日".encode())
    report = verify(changed, find=finder(kept(marked)))
    assert report.work == marked.record.id
    assert "its text differs" in report.layer("library").detail
    assert states(report)["implicit"] == "broken"


def test_the_console_object_is_read_like_the_json_face(marked):
    shown = json.dumps(kept(marked).as_json(), ensure_ascii=False).encode()
    report = verify(shown, name="-")
    assert report.format == "json"
    assert states(report)["record"] == "present"
    assert report.record == marked.record
    assert states(verify(shown.replace("白日".encode(), "红日".encode())))["record"] == "broken"


@pytest.mark.parametrize(
    "text",
    [
        "AIGC-free words about AI-generated music and what it generated last year, in one long line.",
        "A poem\nby a person\n",
        "",
        "{}",
        "[1, 2]",
        "<html><body><p>Hello</p></body></html>",
        "---\ntitle: x\n---\nHello",
        "---\nunclosed",
    ],
)
def test_what_a_person_wrote_has_no_mark(text):
    report = verify(text.encode())
    assert not report.found
    assert not report.broken
    assert not report.ok
    assert "does not prove" in report.verdict


FOREIGN = json.dumps(dict.fromkeys(FIELDS, "") | {"Label": "1", "ContentProducer": "x", "ProduceID": "y"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", f"---\nAIGC: {FOREIGN}\n---\nHello"),
        ("a.md", "---\nAIGC:\n" + "\n".join(f"  {k}: '{v}'" for k, v in json.loads(FOREIGN).items()) + "\n---\nHello"),
        ("a.html", f"<meta content='{FOREIGN}' name=aigc><p>Hello"),
        ("a.json", f'{{"text": "Hello", "AIGC": {FOREIGN}}}'),
        ("a.txt", f'Hello\nAIGC: {{"AIGC": {FOREIGN}}}\n'),
    ],
)
def test_labels_of_other_systems_are_read(name, text):
    report = verify(text.encode(), name=name)
    assert states(report)["implicit"] == "present"
    assert report.ok


def test_malformed_labels_are_broken_not_absent():
    for raw in ("{", "[]", '{"Label": 1}', FOREIGN.replace('"1"', '"7"', 1)):
        report = verify(f"Hello\n\nAIGC: {raw}\n".encode())
        assert states(report)["implicit"] == "broken"
        assert not report.ok


def test_a_sidecar_of_another_file_or_none_at_all_is_broken(keys, marked):
    txt, md = marked.files[0], marked.files[1]
    assert states(verify(txt.content, sidecar=md.sidecar))["c2pa"] == "broken"
    assert states(verify(txt.content, sidecar=b"no manifest"))["c2pa"] == "broken"
    assert states(verify(txt.content, sidecar=b""))["c2pa"] == "broken"
    assert states(verify(txt.content, sidecar=b"\0" * 5_000_000))["c2pa"] == "broken"
    # A record that was signed for another text, under labels of this one:
    swapped = txt.content.replace(marked.record.id.encode(), b"1b4e28ba-2fa1-4d2b-883f-0016d3cca427")
    assert states(check(keys, txt, swapped))["c2pa"] == "broken"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_other_encodings_are_read(marked, encoding):
    text = marked.files[0].content.decode()
    report = verify(text.encode(encoding), name="poem.txt")
    assert states(report)["implicit"] == "present"
    assert states(report)["label"] == "present"


def test_binary_and_oversized_files(tmp_path):
    assert verify(b"\x89PNG\r\n\0\0").format == "binary"
    with pytest.raises(UsageError, match="larger"):
        verify(b"a" * (LONGEST + 1))
    with pytest.raises(UsageError, match="no file"):
        verify(tmp_path / "missing.txt")
    with pytest.raises(UsageError, match="regular"):
        verify(tmp_path)


def test_a_locked_library_is_said_not_raised(marked):
    def locked(key: str) -> Work | None:
        raise LockedError("the library is locked")

    layer = verify(marked.files[0].content, find=locked).layer("library")
    assert (layer.state, layer.detail) == ("can't tell", "the library is locked")


@pytest.mark.parametrize("name", ["a.html", "a.md", "a.json", "a.txt"])
@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "<!--",
        "<p ",
        "<script>",
        "a='",
        "[",
        "![",
        "*",
        "_",
        "`",
        "> ",
        "- ",
        "{",
        '{"a":',
        "\\",
        "&#1;",
        "AIGC: {",
        "\n",
        "---\n",
        "<a b=",
        "](",
    ],
)
def test_hostile_repetition_does_not_hang(name, unit):
    start = time.thread_time()
    verify((unit * (300_000 // len(unit))).encode(), name=name)
    assert time.thread_time() - start < 5


@given(st.binary(max_size=300), st.sampled_from(["-", "a.md", "a.html", "a.json", "a.txt", "a.bin"]))
@settings(max_examples=150, deadline=None)
def test_any_bytes_get_a_report(content, name):
    assert [layer.name for layer in verify(content, name=name, sidecar=content[:50]).layers] == list(LAYERS)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_mutated_files_and_sidecars_are_never_trusted(keys, marked, data):
    file = data.draw(st.sampled_from(marked.files))
    spoil_sidecar = data.draw(st.booleans())
    target = bytearray((file.sidecar or b"") if spoil_sidecar else file.content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(target) - 1))
        target[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    changed = bytes(target)
    content, sidecar = (file.content, changed) if spoil_sidecar else (changed, file.sidecar)
    report = verify(content, name=f"x.{file.face}", sidecar=sidecar, anchors=keys.anchors())
    if not spoil_sidecar and changed != file.content:
        assert states(report)["c2pa"] == "broken"
    if report.layer("c2pa").state == "trusted":  # a byte that the signature does not cover, or one put back
        assert report.record == marked.record


def test_the_command_reads_files_and_standard_input(tmp_path, home, marked):
    path = tmp_path / "poem.md"
    path.write_bytes(marked.files[1].content)
    good = CliRunner().invoke(command, [str(path), "--json"])
    assert good.exit_code == 0, good.output
    shown = json.loads(good.output)
    assert shown["ok"] is True
    assert {layer["name"]: layer["state"] for layer in shown["layers"]}["implicit"] == "present"
    assert shown["record"]["id"] == marked.record.id
    piped = CliRunner().invoke(command, ["-"], input=marked.files[0].content)
    assert piped.exit_code == 0
    assert "AIGC" not in piped.output.split("TC260")[0]
    assert CliRunner().invoke(command, ["-"], input=b"by a person").exit_code == 1
    assert (
        CliRunner().invoke(command, ["-"], input=marked.files[0].content.replace("白日".encode(), b"x")).exit_code == 1
    )


def test_the_page_on_marks_is_current():
    from pathlib import Path

    from castalia.provenance.describe import page

    written = Path(__file__).parent.parent / "docs" / "marking.md"
    assert written.read_text(encoding="utf-8") == page(), (
        "run: python -m castalia.provenance.describe > docs/marking.md"
    )


def test_haiku_in_a_copied_web_page_keeps_its_fingerprint():
    assert text_sha256("\u00a0 " + HAIKU.replace("\n", "\r\n\r\n")) == text_sha256(HAIKU)
