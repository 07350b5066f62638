"""Marks: every face carries them, reads them back, and a change is noticed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia.core.config import Config
from castalia.core.errors import MarkError, OfflineError, UsageError
from castalia.core.values import (
    Brief,
    BriefFields,
    Content,
    Draft,
    Evidence,
    Finding,
    Judged,
    MarkedFile,
    Work,
)
from castalia.provenance import FACES, Keys, Marked, Report, export, mark, text_sha256, verify, without_footer
from castalia.provenance.tc260 import FIELDS

HAIKU = 'First snow over the harbour\nmasts turn white without a word\n  <b>gulls</b> & "ropes" keep still'
JUEJU = "春雪\n\n白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。"
ARTICLE = (
    "# Harbour *frozen*\n\nThe ice came on **Tuesday**.\n\n- one\n- two\n\n> It is cold. <script>alert(1)</script>\n"
)


class Store:
    """A secret store in memory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.held.get(name)

    def put(self, name: str, secret: bytes) -> None:
        self.held[name] = secret

    def names(self) -> Sequence[str]:
        return sorted(self.held)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(Store(), tmp_path_factory.mktemp("certificates"))


def judged(
    text: str = HAIKU,
    *,
    language: str = "en",
    markdown: str = "",
    findings: tuple[Finding, ...] = (),
    tokens: int = 40,
    **more,
):
    evidence = Evidence(model="m", digest="d" * 64, engine="e", seed=1, sampled_tokens=tokens, **more)
    brief = Brief(genre="haiku", words="a secret wish", fields=BriefFields(), seed=1)
    content = Content(text=text, markdown=markdown, language=language, fields={"headlines": ["A", "B"]})
    return Judged(draft=Draft(brief=brief, content=content, evidence=evidence), findings=findings)


def all_faces(keys: Keys, subject: Judged, **config: object) -> Marked:
    return mark(subject, keys=keys, config=Config(**config), faces=tuple(FACES))


def check(keys: Keys, file: MarkedFile, content: bytes | None = None, **more) -> Report:
    return verify(
        file.content if content is None else content,
        name=f"x.{file.face}",
        sidecar=file.sidecar,
        **({"anchors": keys.anchors()} | more),
    )


def states(report: Report) -> dict[str, str]:
    return {layer.name: layer.state for layer in report.layers}


@pytest.mark.parametrize(
    ("text", "language", "markdown"), [(HAIKU, "en", ""), (JUEJU, "zh", ""), ("Harbour frozen", "en", ARTICLE)]
)
@pytest.mark.parametrize("face", list(FACES))
def test_every_face_carries_every_layer_and_is_trusted_here(keys, face, text, language, markdown):
    marked = all_faces(keys, judged(text, language=language, markdown=markdown), provider="Ink & Co")
    file = next(file for file in marked.files if file.face == face)
    report = check(keys, file)
    assert states(report) | {"watermark": "", "library": ""} == {
        "label": "present",
        "implicit": "present",
        "source": "present",
        "c2pa": "trusted",
        "watermark": "",
        "record": "trusted",
        "library": "",
    }
    assert report.ok
    assert report.record == marked.record
    # The brief's words are in no mark, and no file carries the sidecar's secret either.
    assert b"secret wish" not in file.content + (file.sidecar or b"")


def test_txt_is_always_made_and_reads_like_the_work(keys):
    marked = mark(judged(JUEJU, language="zh"), keys=keys, config=Config())
    assert [file.face for file in marked.files] == ["txt"]
    lines = marked.files[0].content.decode().splitlines()
    assert lines[0] == "人工智能生成"
    assert "\n".join(lines[2:-3]) == JUEJU
    label, _, rest = lines[-2].partition(": ")
    assert label == "AIGC"
    aigc = json.loads(rest)
    assert tuple(aigc) == FIELDS
    assert all(isinstance(value, str) for value in aigc.values())
    assert (aigc["Label"], aigc["ProduceID"]) == ("1", marked.record.id)
    assert without_footer(marked.files[0].content.decode()) == "人工智能生成\n\n" + JUEJU


def test_json_content_stays_clean(keys):
    marked = all_faces(keys, judged())
    shown = json.loads(next(file for file in marked.files if file.face == "json").content)
    assert shown["text"] == HAIKU
    assert shown["fields"] == {"headlines": ["A", "B"]}
    assert shown["castalia"]["id"] == marked.record.id
    assert shown["castalia"]["AIGC"]["ProduceID"] == marked.record.id


def test_html_cannot_be_broken_out_of(keys):
    nasty = (
        "</script><script>alert(1)</script>\n<img src=x onerror=alert(1)>\n\"'><svg onload=1> [x](javascript:alert(1))"
    )
    for markdown in ("", nasty):
        marked = all_faces(keys, judged(nasty, markdown=markdown), provider='"><script>alert(2)</script>')
        page = next(file for file in marked.files if file.face == "html").content.decode()
        assert page.count("<script") == 2 == page.count("</script")  # the two blocks of data
        assert "<img" not in page
        assert "<svg" not in page
        assert 'href="javascript' not in page
        assert "default-src 'none'" in page


def test_a_changed_file_is_broken(keys):
    for file in all_faces(keys, judged()).files:
        changed = file.content.replace(b"harbour", b"harvest")
        assert changed != file.content
        report = check(keys, file, changed)
        assert states(report)["c2pa"] == "broken"
        assert "changed after it was signed" in report.layer("c2pa").detail
        assert not report.ok
        # Without its sidecar the text still contradicts its own labels.
        alone = verify(changed, name=f"x.{file.face}")
        assert states(alone)["implicit"] == "broken"


def test_a_self_signed_chain_is_valid_but_untrusted_elsewhere(keys):
    file = mark(judged(), keys=keys, config=Config()).files[0]
    report = check(keys, file, anchors=b"")
    assert states(report)["c2pa"] == "valid"
    assert report.layer("c2pa").detail.startswith("valid but untrusted")
    assert "not trusted here" in report.verdict
    assert report.ok


def test_the_label_can_be_left_out_only_on_the_record(keys):
    for file in all_faces(keys, judged(), accept_marking_responsibility=True).files:
        report = check(keys, file)
        assert states(report) | {"label": "absent"} == states(report)
        assert states(report)["implicit"] == "present"
        assert states(report)["record"] == "trusted"
        assert b"left out: an editor takes responsibility" in (file.sidecar or b"")


def test_exporting_repeats_the_file_and_its_record(keys):
    first = mark(judged(), keys=keys, config=Config(), faces=["md"])
    draft = first.judged.draft
    work = Work(
        id=first.record.id,
        genre="haiku",
        brief=draft.brief,
        content=draft.content,
        findings=(),
        evidence=draft.evidence,
        record=first.record,
    )
    later = export(work, "md", keys=keys, config=Config())
    assert later.content == first.files[1].content
    assert check(keys, later).record == first.record


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_marking_works_in_threads_and_after_a_fork(keys):
    from concurrent.futures import ThreadPoolExecutor

    def make(number: int) -> str:
        return mark(judged(f"poem {number}"), keys=keys, config=Config(), faces=["md"]).record.id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(make, range(20)))) == 20
    child = os.fork()
    if not child:
        try:
            make(1)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_a_refused_draft_is_never_marked(keys):
    with pytest.raises(MarkError, match="syllables"):
        mark(judged(findings=(Finding(rule="syllables", ok=False),)), keys=keys, config=Config())


def test_unknown_face_and_forbidden_network_are_said(keys):
    with pytest.raises(UsageError, match="docx"):
        mark(judged(), keys=keys, config=Config(), faces=["docx"])
    with pytest.raises(OfflineError, match="network"):
        mark(judged(), keys=keys, config=Config(timestamp_url="http://127.0.0.1:9/", offline=True))
    with pytest.raises(MarkError, match="could not be made"):
        mark(judged(), keys=keys, config=Config(timestamp_url="http://127.0.0.1:9/"))


def test_parents_become_ingredients(keys):
    from castalia.provenance import c2pa

    parents = ["1b4e28ba-2fa1-4d2b-883f-0016d3cca427", "2b4e28ba-2fa1-4d2b-883f-0016d3cca427"]
    for action in ("generated", "modified"):
        marked = mark(judged(), keys=keys, config=Config(), parents=parents, action=action)
        file = marked.files[0]
        found = c2pa.check(file.content, "text/plain", file.sidecar or b"", anchors=keys.anchors())
        assert found.state == "trusted"
        assert found.parents == tuple(f"urn:uuid:{parent}" for parent in parents)
        assert found.source == marked.record.digital_source_type
    assert file.content.startswith(b"AI-modified\n")


def test_a_text_over_200_tokens_needs_its_watermark(keys):
    with pytest.raises(MarkError, match="no watermark was written"):
        mark(judged(tokens=200), keys=keys, config=Config())
    assert "required from 200" in mark(judged(tokens=199), keys=keys, config=Config()).record.watermark_reason
    remote = mark(judged(tokens=200, watermark_reason="written by an endpoint"), keys=keys, config=Config())
    assert remote.record.watermark_reason == "written by an endpoint"


def test_marking_a_poem_takes_at_most_50_ms(keys):
    mark(judged(), keys=keys, config=Config())
    spent = []
    for _ in range(5):
        start = time.thread_time()
        mark(judged(), keys=keys, config=Config())
        spent.append(time.thread_time() - start)
    assert min(spent) < 0.05


@pytest.mark.parametrize(
    "wrap", [lambda t: " ".join(t.split()), lambda t: t.replace("\n", "\r\n  "), lambda t: "\ufeff" + t]
)
def test_the_fingerprint_survives_rewrapping(wrap):
    for text in (HAIKU, JUEJU):
        assert text_sha256(wrap(text)) == text_sha256(text)
        assert text_sha256(text + "x") != text_sha256(text)
    assert text_sha256(JUEJU.replace("\n", "")) == text_sha256(JUEJU)


texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\n \t*_`#<>&[]()\\-+=~1.!|\"'"),
    min_size=1,
    max_size=200,
)


@given(texts.filter(str.strip))
@settings(max_examples=150, deadline=None)
def test_any_text_reads_back_from_every_face(text):
    from castalia.provenance.embed import Stamp
    from castalia.provenance.label import label_for
    from castalia.provenance.record import make_record

    subject = judged(text)
    content = subject.draft.content
    record = make_record(subject.draft.evidence, genre="haiku", provider="p", text=text)
    for face in FACES.values():
        marks = face.read(face.render(content, Stamp(record, label_for(record), text_sha256(face.shown(content)))))
        assert marks.label == "AI-generated", face.extension
        assert record.text_sha256 in map(text_sha256, marks.texts), face.extension


def test_public_names_are_sorted_and_exist():
    from castalia import provenance

    plain = [name for name in provenance.__all__ if name.isupper()]
    rest = [name for name in provenance.__all__ if name not in plain]
    assert provenance.__all__ == sorted(plain) + sorted(n for n in rest if n[0].isupper()) + sorted(
        n for n in rest if n[0].islower()
    )
    assert all(hasattr(provenance, name) for name in provenance.__all__)


def test_front_loads_neither_c2pa_nor_cryptography():
    import subprocess
    import sys

    code = "import sys, castalia.provenance; print({'c2pa', 'cryptography', 'markdown_it'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"set()"


def test_an_endpoints_address_is_in_no_mark(keys):
    subject = judged()
    digest = "https://inner.example:8443/v1#big-model"
    evidence = subject.draft.evidence.model_copy(update={"digest": digest, "model": "big-model"})
    subject = subject.model_copy(update={"draft": subject.draft.model_copy(update={"evidence": evidence})})
    marked = all_faces(keys, subject)
    assert marked.record.model_digest == "endpoint#big-model"
    for file in marked.files:
        assert b"inner.example" not in file.content + (file.sidecar or b"")
    assert marked.judged.draft.evidence.digest == digest  # the library keeps it, for making the work again
