"""Marks in finished files: written, read back, agreed on by readers of others, and never at another mark's cost."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tempfile
import time
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from castalia.core.config import Config
from castalia.core.errors import MarkError, UsageError
from castalia.core.values import Evidence, MarkedFile, Record
from castalia.provenance import FORMATS, Keys, aac, make_record, mark, mark_file, payload_of, rhythm, verify
from castalia.provenance.embed import MalformedError, Stamp, face_of
from castalia.provenance.label import label_for
from castalia.provenance.pictures import drawn_label
from castalia.provenance.tc260 import FIELDS, read_aigc
from made_files import MAKERS, made, packed, picture
from test_provenance_mark import Store, states

CODED = {"mp4"} if aac.available() else {"mp4", "m4a"}
"""Formats whose samples are not changed after encoding."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(Store(), tmp_path_factory.mktemp("certificates"))


def a_record(language: str = "en", **more) -> Record:
    evidence = Evidence(model="m", digest="d" * 64, engine="e", seed=1)
    return make_record(evidence, **({"genre": "picture", "provider": "Ink & <Co>", "language": language} | more))


def marked_file(
    keys: Keys,
    extension: str,
    content: bytes | MarkedFile | None = None,
    record: Record | None = None,
    **config,
):
    """Mark bytes, a file that was marked before (with its sidecar), or one that `made_files` makes."""
    again = content if isinstance(content, MarkedFile) else None
    return mark_file(
        again.content if again else made(extension) if content is None else content,
        extension=extension,
        record=record or a_record(),
        keys=keys,
        config=Config(**config),
        sidecar=again.sidecar if again else None,
        labelled=extension in CODED,
    )


def report(keys: Keys, file: MarkedFile, content: bytes | None = None):
    content = file.content if content is None else content
    return verify(content, name=f"x.{file.face}", sidecar=file.sidecar, anchors=keys.anchors())


def test_every_format_has_a_file_to_try_it_on():
    assert set(MAKERS) == set(FORMATS)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("extension", FORMATS)
def test_what_is_stamped_is_read(extension, language):
    face, content, record = FORMATS[extension], made(extension), a_record(language)
    assert face.read(content).aigc is None
    stamp = Stamp(record, label_for(record))
    once = face.stamp(content, stamp)
    marks = face.read(once)
    assert read_aigc(marks.aigc)[0] == stamp.aigc
    assert tuple(json.loads(marks.aigc)) == FIELDS
    assert marks.source == record.digital_source_type
    if "record" in face.places:
        assert stamp.machine.items() <= json.loads(marks.record).items()
    assert marks.label == (stamp.label if face.label == "written" else "")
    assert face_of("-", once) is face
    # Marked again, it carries one of each still.
    other = Stamp(a_record(language), label_for(record))
    again = face.stamp(once, other)
    assert read_aigc(face.read(again).aigc)[0] == other.aigc
    assert again.count(record.id.encode()) == 0 or extension in ("pdf", "docx", "xlsx", "epub", "mxl")
    assert abs(len(again) - len(once)) < 400 or extension == "pdf"  # an update keeps what it replaces


@pytest.mark.parametrize("extension", FORMATS)
def test_every_layer_is_there_and_trusted(keys, extension):
    record = a_record()
    file = marked_file(keys, extension, record=record)
    face = FORMATS[extension]
    assert (file.sidecar is None) is face.embeds
    found = report(keys, file)
    assert states(found) == {
        "label": "can't tell" if extension in CODED else "present",
        "implicit": "present",
        "source": "present",
        "c2pa": "trusted",
        "watermark": {"drawn": "present", "heard": "absent"}.get(face.label, "can't tell")  # half a second is too short
        if extension not in CODED
        else "can't tell",
        "record": "trusted",
        "library": "can't tell",
    }
    assert found.ok
    assert found.format == extension
    noted = {name: getattr(found.record, name) for name in ("watermark", "watermark_reason")}
    assert found.record == record.model_copy(update=noted)
    assert verify(file.content, name="renamed.bin", sidecar=file.sidecar, anchors=keys.anchors()).ok
    untrusted = verify(file.content, name="x", sidecar=file.sidecar)
    assert states(untrusted)["c2pa"] == "valid"


def outside_manifest(content: bytes) -> list[int]:
    """Places of a file that its manifest does not take up (its signature block has room that nothing covers)."""
    first, last = 0, 0
    if (box := content.find(b"jumb")) > 0:
        first, last = box - 4, box - 4 + int.from_bytes(content[box - 4 : box], "big")
    elif (element := content.find(b"<c2pa:manifest")) > 0:
        first, last = element, content.find(b"</c2pa:manifest")
    return [place for place in range(len(content)) if not first - 40 <= place < last + 40]


@pytest.mark.parametrize("extension", FORMATS)
def test_a_changed_byte_breaks_it(keys, extension):
    file = marked_file(keys, extension)
    places = outside_manifest(file.content)
    if extension in ("m4a", "mp4"):  # the standard leaves the brand alone (C2PA 2.2, section 18.6)
        places = places[64:]
    for share in (0.01, 0.2, 0.4, 0.6, 0.8, 0.99):
        place = places[int(share * len(places))]
        changed = bytearray(file.content)
        changed[place] ^= 1
        found = report(keys, file, bytes(changed))
        assert states(found)["c2pa"] == "broken", share
        assert not found.ok


@pytest.mark.parametrize("extension", FORMATS)
def test_an_earlier_mark_is_kept_when_a_file_is_marked_again(keys, extension):
    from castalia.provenance import c2pa

    first = a_record()
    before = marked_file(keys, extension, record=first)
    second = a_record(action="modified", parents=(first.id,))
    after = marked_file(keys, extension, before, second)
    found = report(keys, after)
    assert found.ok
    assert found.record.id == second.id
    face = FORMATS[extension]
    manifest = c2pa.check(after.content, face.signed_as, after.sidecar)
    assert manifest.parents == (f"urn:uuid:{first.id}",)
    (incoming,) = manifest.record["incoming"]
    assert json.loads(incoming["aigc"])["ProduceID"] == incoming["record"]["id"] == first.id
    third = marked_file(keys, extension, after)
    assert report(keys, third).ok
    signed = c2pa.check(third.content, face.signed_as, third.sidecar).record
    assert [each["record"]["id"] for each in signed["incoming"]] == [second.id, first.id]
    import c2pa as library

    # The first signature itself is inside, also where it came beside the file.
    with library.Reader(face.signed_as, io.BytesIO(after.content), after.sidecar) as reader:
        assert len(json.loads(reader.json())["manifests"]) == 2


@pytest.mark.parametrize("extension", ["png", "jpg", "webp"])
def test_a_picture_marked_five_times_keeps_its_first_watermark_and_its_looks(keys, extension):
    from PIL import Image

    def seen(content: bytes) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), np.float32)

    first = file = marked_file(keys, extension, record=(record := a_record()))
    for _ in range(4):
        file = marked_file(keys, extension, file.content)
        found = report(keys, file)
        assert found.ok
        assert found.layer("watermark").state == "present"
        assert found.record.watermark_payload == payload_of(record.id).hex()
        assert found.record.id != record.id
    assert np.mean((seen(first.content) - seen(file.content)) ** 2) < (0.01 if extension == "png" else 12)


@pytest.mark.parametrize("extension", FORMATS)
def test_an_editor_may_leave_out_the_visible_label_alone(keys, extension):
    file = marked_file(keys, extension, accept_marking_responsibility=True)
    found = report(keys, file)
    assert states(found)["label"] == "absent"
    assert states(found)["implicit"] == "present"
    assert states(found)["record"] == "trusted"
    assert "editor" in found.layer("label").detail


@pytest.mark.parametrize("extension", FORMATS)
def test_the_label_speaks_the_works_language(keys, extension):
    found = report(keys, marked_file(keys, extension, record=a_record("zh", action="modified")))
    assert found.ok
    if FORMATS[extension].label == "written":
        assert "人工智能合成" in found.layer("label").detail


def test_other_bytes_than_the_extension_says_are_refused(keys):
    for extension in FORMATS:
        words = [] if extension in ("txt", "md", "html") else [b"hello"]
        for content in (b"", *words, made("png" if extension != "png" else "jpg")):
            with pytest.raises(MarkError, match=extension):
                marked_file(keys, extension, content)
    with pytest.raises(UsageError, match="tiff"):
        marked_file(keys, "tiff", b"")


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("extension", ["png", "jpg", "webp"])
def test_the_label_is_drawn_large_enough_and_the_rest_is_left_alone(keys, extension):
    from PIL import Image

    file = marked_file(keys, extension)
    before, after = (
        np.asarray(Image.open(io.BytesIO(each)).convert("RGB"), np.int16) for each in (made(extension), file.content)
    )
    assert before.shape == after.shape
    white = np.argwhere(after.min(-1) > 200)
    white = white[(white[:, 0] > 90) & (white[:, 1] > 60)]
    assert white[:, 0].max() - white[:, 0].min() + 1 >= 0.05 * 120
    most = {"png": 25, "jpg": 60, "webp": 70}[extension]  # the watermark, and what the format loses
    assert np.abs(before[:80] - after[:80]).max() < most
    plain = marked_file(keys, extension, accept_marking_responsibility=True)
    unlabelled = np.asarray(Image.open(io.BytesIO(plain.content)).convert("RGB"), np.int16)
    assert np.abs(unlabelled - before).max() < most


@pytest.mark.parametrize("size", [(160, 120), (512, 512), (300, 40), (1200, 800)])
@pytest.mark.parametrize("ground", ["white", "black", "noise", "steps"])
def test_a_drawn_label_is_seen_again_after_coding_and_resizing_and_nowhere_else(size, ground):
    from PIL import Image

    from castalia.provenance.pictures import draw_label

    width, height = size
    pixels = {
        "white": np.full((height, width, 3), 255, np.uint8),
        "black": np.zeros((height, width, 3), np.uint8),
        "noise": np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8),
        "steps": np.indices((height, width)).sum(0)[..., None].repeat(3, -1).astype(np.uint8) // 32 * 32,
    }[ground]
    assert not drawn_label(pixels)
    labelled = draw_label(pixels, "AI-modified")
    assert drawn_label(labelled) == "AI-modified"
    stream = io.BytesIO()
    Image.fromarray(labelled).save(stream, "JPEG", quality=50)
    assert drawn_label(np.asarray(Image.open(stream).convert("RGB"))) == "AI-modified"
    if width > 200:  # below, its letters are four pixels high
        half = Image.fromarray(labelled).resize((width // 2, height // 2))
        assert drawn_label(np.asarray(half)) == "AI-modified"
    cropped = labelled[: height - height // 5, : width - width // 5]
    assert not drawn_label(cropped)


EXIFTOOL = shutil.which("exiftool")


def exif(content: bytes, extension: str) -> dict[str, object]:
    if EXIFTOOL is None:
        pytest.skip("needs exiftool")
    with tempfile.NamedTemporaryFile(suffix="." + extension) as file:
        file.write(content)
        file.flush()
        done = subprocess.run([EXIFTOOL, "-j", "-a", "-u", "-n", file.name], capture_output=True, check=False)
    return json.loads(done.stdout)[0]


@pytest.mark.parametrize("extension", ["png", "jpg", "webp"])
def test_exiftool_reads_the_labels(keys, extension):
    record = a_record("zh", provider="墨社")
    shown = exif(marked_file(keys, extension, record=record).content, extension)
    assert shown["DigitalSourceType"] == record.digital_source_type
    assert json.loads(shown["Aigc"])["ProduceID"] == record.id
    assert json.loads(shown["Aigc"])["ContentProducer"] == "墨社"
    assert "Error" not in shown
    assert "Warning" not in shown


@pytest.mark.parametrize("extension", ["png", "jpg", "webp"])
def test_metadata_of_others_stays(keys, extension):
    from PIL import Image

    exif_data = Image.Exif()
    exif_data[0x010E] = "a harbour"
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="x/y" '
        b'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        b'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture">'
        b"<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator>"
        b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    stream = io.BytesIO()
    plain = Image.open(io.BytesIO(made(extension)))
    if extension == "png":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
        info.add_text("Comment", "kept", zip=True)
        plain.save(stream, "PNG", exif=exif_data, icc_profile=b"profile" * 20, pnginfo=info)
    else:
        plain.save(stream, plain.format, exif=exif_data, icc_profile=b"profile" * 20, xmp=xmp)
    file = marked_file(keys, extension, stream.getvalue())
    after = Image.open(io.BytesIO(file.content))
    assert after.getexif()[0x010E] == "a harbour"
    assert after.info["icc_profile"] == b"profile" * 20
    if extension == "png":
        assert after.text["Comment"] == "kept"
    shown = exif(file.content, extension)
    assert shown["Creator"] == "Ada"
    assert shown["Format"] == "x/y"
    assert shown["DigitalSourceType"].endswith("trainedAlgorithmicMedia")
    (incoming,) = json.loads(FORMATS[extension].read(file.content).record)["incoming"]
    assert incoming["source"].endswith("digitalCapture")


@pytest.mark.parametrize(
    ("extension", "mode", "options"),
    [
        ("png", "RGBA", {}),
        ("png", "P", {}),
        ("png", "L", {}),
        ("png", "1", {}),
        ("png", "LA", {}),
        ("jpg", "L", {}),
        ("webp", "RGBA", {"lossless": True}),
        ("png", "RGB", {"size": (9, 400)}),
        ("png", "RGB", {"size": (1, 1)}),
    ],
)
def test_pictures_of_all_kinds_are_marked(keys, extension, mode, options):
    from PIL import Image

    from made_files import picture

    form = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[extension]
    content = picture(form, mode=mode, **options)
    file = marked_file(keys, extension, content)
    assert report(keys, file).ok
    assert Image.open(io.BytesIO(file.content)).size == Image.open(io.BytesIO(content)).size


def test_a_small_grey_jpeg_holds_every_payload(keys):
    from made_files import picture

    content = picture("JPEG", mode="L")  # at the loudest, and just held
    for _ in range(25):
        assert report(keys, marked_file(keys, "jpg", content)).layer("watermark").state == "present"


def test_a_picture_that_lies_on_its_side_is_labelled_upright(keys):
    from PIL import Image, ImageOps

    exif_data = Image.Exif()
    exif_data[0x0112] = 6
    stream = io.BytesIO()
    Image.new("RGB", (200, 300), (0, 90, 0)).save(stream, "PNG", exif=exif_data)
    seen = ImageOps.exif_transpose(Image.open(io.BytesIO(marked_file(keys, "png", stream.getvalue()).content)))
    assert seen.size == (300, 200)
    place = np.argwhere(np.asarray(seen).min(-1) > 200)
    assert place[:, 0].min() > 150
    assert place[:, 1].max() > 200


def animated(form: str, **options) -> bytes:
    from PIL import Image

    frames = [Image.open(io.BytesIO(picture("PNG"))).rotate(90 * turn, expand=False) for turn in range(3)]
    stream = io.BytesIO()
    frames[0].save(stream, form, save_all=True, append_images=frames[1:], duration=[100, 40, 300], **options)
    return stream.getvalue()


@pytest.mark.parametrize("extension", ["gif", "webp"])
def test_every_frame_of_an_animation_is_labelled_and_lasts_as_long(keys, extension):
    from PIL import Image, ImageSequence

    file = marked_file(keys, extension, animated(extension.upper(), loop=2))
    found = report(keys, file)
    assert found.ok
    assert states(found)["label"] == states(found)["watermark"] == "present"
    seen = Image.open(io.BytesIO(file.content))
    lasts = []
    for frame in ImageSequence.Iterator(seen):
        assert drawn_label(np.asarray(frame.convert("RGB"))) == "AI-generated"
        lasts.append(frame.info["duration"])
    assert lasts == [100, 40, 300]
    assert seen.info["loop"] == 2


def test_an_archive_has_marks_in_each_picture_and_in_the_whole(keys):
    record = a_record()
    file = marked_file(keys, "zip", packed(**{"a/one.png": picture("PNG"), "two.jpg": picture("JPEG")}), record=record)
    assert file.sidecar is not None
    assert report(keys, file).ok
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert sorted(archive.namelist()) == ["a/one.png", "castalia.json", "two.jpg"]
        for name in ("a/one.png", "two.jpg"):
            found = verify(archive.read(name), name=name, anchors=keys.anchors())
            assert found.ok
            assert found.record.id == record.id
            assert states(found)["label"] == "present"
    with pytest.raises(MarkError, match="within an archive"):
        marked_file(keys, "zip", packed(**{"inner.zip": packed(**{"one.png": picture("PNG")})}))


def test_an_animated_png_or_a_picture_of_16_bits_needs_an_editor(keys):
    from PIL import Image

    deep = io.BytesIO()
    Image.fromarray(np.full((40, 40), 30_000, np.uint16)).save(deep, "PNG")
    for extension, content in (("png", animated("PNG")), ("png", deep.getvalue())):
        with pytest.raises(MarkError, match="not touched"):
            marked_file(keys, extension, content)
        assert report(keys, marked_file(keys, extension, content, accept_marking_responsibility=True)).ok


class LowestBits:
    """A watermark for the tests alone: the payload in the lowest bits of the first pixels or samples."""

    def __init__(self, secret: bytes) -> None:
        self.label = "test:00000000"

    sign, chance = b"mark", 1e-30

    def embed(self, pixels, payload, *rest):
        bits = np.unpackbits(np.frombuffer((rest[0] if rest else payload) + self.sign, np.uint8))
        if rest:
            samples = pixels.copy()
            whole = np.rint(samples[-len(bits) :, 0] * 32768).astype(int)
            samples[-len(bits) :, 0] = (whole // 2 * 2 + bits) / 32768
            return samples
        pixels.reshape(-1)[: len(bits)] = pixels.reshape(-1)[: len(bits)] & 254 | bits
        return pixels

    def detect(self, pixels, rate=None):
        from types import SimpleNamespace

        flat = pixels.reshape(-1)[:80] if rate is None else np.rint(pixels[-80:, 0] * 32768).astype(int)
        found = np.packbits(flat & 1).tobytes()
        return SimpleNamespace(payload=found[:6], p_value=self.chance if found[6:] == self.sign else 1.0)


@pytest.mark.parametrize("extension", ["png", "wav"])
def test_a_watermark_goes_in_first_and_is_recorded_when_it_is_found(keys, extension, monkeypatch):
    from castalia.provenance import inscribe

    monkeypatch.setattr(inscribe, "PICTURES", LowestBits)
    monkeypatch.setattr(inscribe, "SOUNDS", LowestBits)
    record = a_record()
    file = marked_file(keys, extension, record=record)
    asked: list[str] = []
    found = verify(file.content, anchors=keys.anchors(), find=asked.append)
    assert found.layer("watermark").state == "present"
    assert payload_of(record.id).hex() in found.layer("watermark").detail
    assert found.record.watermark.startswith("test:")
    digest = hashlib.sha256(file.content).hexdigest()
    assert asked == [record.id, "watermark:" + payload_of(record.id).hex(), f"sha256:{digest}"]
    other = marked_file(keys, extension, file.content)  # marked as another work
    assert report(keys, other).layer("watermark").state == "present"
    assert report(keys, other).record.watermark_payload == payload_of(record.id).hex()
    monkeypatch.setattr(LowestBits, "chance", 1e-9)  # hardly there: written over
    assert report(keys, marked_file(keys, extension, file.content)).record.watermark_payload == ""
    monkeypatch.setattr(LowestBits, "embed", lambda self, pixels, *rest: pixels)
    found = report(
        keys, marked_file(keys, extension, record=record)
    )  # a small picture, a plain sound: said, not refused
    assert found.record.watermark == "none"
    assert "too " in found.record.watermark_reason

    def refuse(self, pixels, *rest):
        raise MarkError("too small")

    monkeypatch.setattr(LowestBits, "embed", refuse)
    found = report(keys, marked_file(keys, extension, record=record))
    assert (found.record.watermark, found.record.watermark_reason) == ("none", "too small")
    assert found.ok


# ---------------------------------------------------------------- sounds


@pytest.mark.parametrize(
    ("form", "subtype", "error"),
    [
        *(("WAV", "PCM_U8", 2e-7), ("WAV", "PCM_16", 4e-5), ("WAV", "PCM_24", 2e-7), ("WAV", "PCM_32", 2e-7)),
        *(("WAV", "FLOAT", 2e-7), ("WAV", "DOUBLE", 2e-7), ("WAVEX", "PCM_16", 4e-5), ("WAV", "ULAW", 0.02)),
        *(("FLAC", "PCM_16", 4e-5), ("FLAC", "PCM_24", 2e-7), ("MP3", "MPEG_LAYER_III", 0.05)),
    ],
)
def test_the_rhythm_comes_before_the_sound_and_the_samples_stay(keys, form, subtype, error):
    import soundfile

    from made_files import sound, tone

    content = sound(form, subtype)
    extension = form.removesuffix("EX").lower()
    file = marked_file(keys, extension, content)
    samples, rate = soundfile.read(io.BytesIO(file.content), dtype="float64", always_2d=True)
    before, _ = soundfile.read(io.BytesIO(content), dtype="float64", always_2d=True)
    assert soundfile.info(io.BytesIO(file.content)).subtype == subtype
    assert np.abs(samples[-len(tone()) :] - before).max() < error
    lead = np.abs(samples[: -len(tone()), 0]) > 0.02
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.convolve(lead, np.ones(rate // 50), "same") > 0, [0]])))
    lengths = np.diff(edges)[::2] / rate
    assert [round(length / lengths.min()) for length in lengths] == [1, 3, 1, 1] or len(lengths) == 4
    assert lengths[1] > 2 * lengths[0]
    # Marked again, it is announced once still.
    again = marked_file(keys, extension, file.content)
    assert abs(soundfile.info(io.BytesIO(again.content)).frames - len(samples)) < 0.1 * rate


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3"])
def test_a_sound_of_some_seconds_carries_its_watermark(keys, extension):
    import soundfile

    rate = 22_050
    random = np.random.default_rng(5)
    pitch = np.repeat(random.choice([220, 262, 330, 392, 440], 40), rate // 4)
    sound = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / rate) + random.normal(0, 0.02, len(pitch))
    stream = io.BytesIO()
    soundfile.write(stream, sound.astype(np.float32), rate, format=extension)
    record = a_record()
    found = report(keys, marked_file(keys, extension, stream.getvalue(), record))
    assert found.ok
    assert found.layer("watermark").state == "present"
    assert payload_of(record.id).hex() in found.layer("watermark").detail


def test_an_svg_whose_prefixes_another_program_chose_keeps_its_marks(keys):
    from xml.etree import ElementTree as ET

    record = a_record()
    root = ET.fromstring(marked_file(keys, "svg", record=record).content)
    saved = ET.tostring(root)
    assert b"xmlns:ns" in saved
    found = verify(saved, name="x.svg", anchors=keys.anchors())
    assert (states(found)["label"], states(found)["implicit"], states(found)["c2pa"]) == (
        "present",
        "present",
        "broken",
    )
    again = marked_file(keys, "svg", saved)
    assert report(keys, again).ok
    assert again.content.count(b":DigitalSourceType>") == 2  # one element


def test_a_flac_that_claims_more_than_memory_holds_is_said(keys):
    content = bytearray(made("flac"))
    place = content.index(b"fLaC") + 18  # STREAMINFO: rate, channels, width and, in 36 bits, the count of samples
    claimed = int.from_bytes(content[place : place + 8], "big") | (1 << 36) - 1
    content[place : place + 8] = claimed.to_bytes(8, "big")
    assert verify(bytes(content), name="x.flac", anchors=keys.anchors()).layer("watermark").state == "can't tell"
    with pytest.raises(MarkError, match=r"more than 64000000|cannot be decoded"):
        marked_file(keys, "flac", bytes(content))


@pytest.mark.parametrize("extension", FORMATS)
def test_the_first_bytes_of_a_file_alone_get_a_report(extension):
    for length in range(48):
        verify(made(extension)[:length], name="-")
        verify((b"ID3" + made(extension))[:length], name=f"x.{extension}")


def test_a_hostile_sound_is_refused_and_never_opened_whole(keys):
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, np.zeros((4000, 1), np.float32), 1000, format="WAV")
    wav = bytearray(stream.getvalue())
    for place in range(20, 40):  # channels, rate and widths of the format chunk
        for value in (0, 255):
            changed = bytes(wav[:place] + bytes([value]) + wav[place + 1 :])
            verify(changed, name="x.wav", anchors=keys.anchors())
            with suppress(MarkError):
                marked_file(keys, "wav", changed)


def test_exiftool_and_soundfile_read_a_marked_wav(keys):
    import soundfile

    file = marked_file(keys, "wav")
    assert soundfile.info(io.BytesIO(file.content)).samplerate == 16_000
    shown = exif(file.content, "wav")
    assert shown["DigitalSourceType"].endswith("trainedAlgorithmicMedia")
    assert b"AIGC" in file.content


RHYTHM = len(rhythm(16_000, 2))


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000])
def test_the_rhythm_is_heard_in_noise_and_not_in_music(rate):
    from castalia.provenance.sounds import announced, is_announced

    time = np.arange(5 * rate) / rate
    steady = (0.3 * np.sin(2 * np.pi * 880 * time) * (np.sin(2 * np.pi * 2.7 * time) > 0))[:, None].astype(np.float32)
    noise = np.random.default_rng(2).normal(0, 0.05, (5 * rate, 2)).astype(np.float32)
    for sound in (steady, noise, noise[: rate // 3]):
        assert not is_announced(sound, rate)
        assert is_announced(announced(sound, rate), rate)
    late = np.concatenate([np.zeros((rate // 2, 2), np.float32), announced(noise, rate)])
    assert is_announced(0.1 * late, rate)
    assert not is_announced(np.zeros((5 * rate, 1), np.float32), rate)


def id3_tag(version: int, flags: int = 0) -> bytes:
    """A title, a comment and a picture as other programs write them."""
    picture = b"\0image/png\0\3\0" + made("png")
    texts = [(b"TIT2", b"TT2", b"\1" + "Eis 冰".encode("utf-16")), (b"COMM", b"COM", b"\0eng\0a \xff\xe0 comment")]
    frames = b""
    for long, short, data in (*texts, (b"APIC", b"PIC", picture if version > 2 else b"\0PNG\3\0" + made("png"))):
        if version == 2:
            frames += short + len(data).to_bytes(3, "big") + data
        else:
            size = len(data)
            length = size.to_bytes(4, "big") if version == 3 else bytes(size >> n & 127 for n in (21, 14, 7, 0))
            frames += long + length + b"\0\0" + data
    frames += b"\0" * 300
    if flags & 0x40 and version == 3:
        frames = (6).to_bytes(4, "big") + bytes(6) + frames
    if flags & 0x80:
        frames = frames.replace(b"\xff", b"\xff\0")
    return b"ID3" + bytes((version, 0, flags)) + bytes(len(frames) >> n & 127 for n in (21, 14, 7, 0)) + frames


@pytest.mark.parametrize(("version", "flags"), [(2, 0), (2, 0x80), (3, 0), (3, 0x80), (3, 0x40), (3, 0xC0), (4, 0)])
def test_tags_of_others_stay_in_an_mp3(keys, version, flags):
    import soundfile

    record = a_record(provider="墨社")
    file = marked_file(keys, "mp3", id3_tag(version, flags) + made("mp3"), record)
    assert report(keys, file).ok
    assert made("png") in file.content
    assert soundfile.read(io.BytesIO(file.content))[0].shape == (8000 + RHYTHM, 2)
    shown = exif(file.content, "mp3")
    assert shown["Title"] == "Eis 冰"
    assert "comment" in shown["Comment"]
    # exiftool wants padding after the last frame, which the C2PA library does not leave
    assert shown.get("Warning") in (None, "Invalid ID3 frame size")
    texts = [value for name, value in shown.items() if name.startswith("UserDefinedText")]
    assert any(record.id in value and "墨社" in value for value in texts)


def test_tags_and_pictures_of_others_stay_in_a_flac(keys):
    import soundfile

    with soundfile.SoundFile(path := io.BytesIO(), "w", 16_000, 2, format="FLAC") as stream:
        stream.title = "Eis 冰"
        stream.write(np.zeros((4000, 2)))
    record = a_record(provider="墨社")
    file = marked_file(keys, "flac", path.getvalue(), record)
    assert report(keys, file).ok
    with soundfile.SoundFile(io.BytesIO(file.content)) as stream:
        assert stream.title == "Eis 冰"
        assert stream.frames == 4000 + RHYTHM
    shown = exif(file.content, "flac")
    assert json.loads(shown["Aigc"])["ContentProducer"] == "墨社"
    assert shown["Title"] == "Eis 冰"


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3"])
def test_samples_to_which_nothing_is_added_are_not_encoded_again(keys, extension):
    file = marked_file(keys, extension, accept_marking_responsibility=True)  # too short for a watermark
    assert made(extension)[-3000:] in file.content


def test_a_tone_that_hides_no_watermark_is_marked_without_one(keys):
    import soundfile

    time_ = np.arange(16_000 * 12) / 16_000
    soundfile.write(stream := io.BytesIO(), 0.3 * np.sin(2 * np.pi * 300 * time_), 16_000, format="WAV")
    found = report(keys, marked_file(keys, "wav", stream.getvalue()))
    assert found.ok
    assert found.record.watermark_reason == "too plain a sound for a watermark"
    assert found.layer("label").state == "present"


@pytest.mark.skipif(not aac.available(), reason="needs ffmpeg")
def test_an_m4a_is_labelled_and_watermarked_in_its_samples(keys, tmp_path):
    noise = np.cumsum(np.random.default_rng(1).normal(0, 1, 44_100 * 12)).reshape(-1, 1)
    wave = (0.3 * (noise - noise.mean()) / np.abs(noise - noise.mean()).max()).repeat(2, 1)
    wave += np.random.default_rng(2).normal(0, 0.03, wave.shape)
    import soundfile

    soundfile.write(tmp_path / "a.wav", wave, 44_100)
    said = ["-metadata", "title=Harbour", "-c:a", "aac", "-b:a", "128k", "-f", "ipod"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", *said, tmp_path / "a.m4a"], check=True)
    file = marked_file(keys, "m4a", (tmp_path / "a.m4a").read_bytes(), record := a_record())
    found = report(keys, file)
    assert found.layer("label").state == found.layer("watermark").state == "present"
    assert found.ok
    assert b"Harbour" in file.content
    again = report(keys, marked_file(keys, "m4a", file))
    assert again.record.watermark_payload == payload_of(record.id).hex()
    assert again.ok


def test_a_coded_sound_says_where_its_label_goes(keys):
    for extension in CODED & set(FORMATS):
        with pytest.raises(MarkError, match="before"):
            mark_file(made(extension), extension=extension, record=a_record(), keys=keys, config=Config())


# ---------------------------------------------------------------- PDF and SVG


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_pypdf_reads_a_marked_pdf_of_either_kind(keys, language, turned):
    from PIL import Image
    from pypdf import PdfReader, PdfWriter

    classic = io.BytesIO()
    Image.new("RGB", (300, 400), (200, 220, 255)).save(classic, "PDF", title="Harbour", author="Ada")
    writer = PdfWriter(clone_from=io.BytesIO(made("pdf")))
    writer.pages[0].rotate(turned)
    rotated = io.BytesIO()
    writer.write(rotated)
    for content in (classic.getvalue(), rotated.getvalue()):
        record = a_record(language, provider="墨社")
        file = marked_file(keys, "pdf", content, record)
        reader = PdfReader(io.BytesIO(file.content), strict=True)
        assert json.loads(reader.metadata["/AIGC"])["ProduceID"] == record.id
        assert reader.metadata.title == "Harbour"
        assert label_for(record) in reader.pages[0].extract_text()
        assert record.digital_source_type in reader.root_object["/Metadata"].get_data().decode()
        shown = exif(file.content, "pdf")
        assert shown["DigitalSourceType"] == record.digital_source_type
        assert report(keys, file).ok


def test_an_update_leaves_the_older_pdf_as_it_was():
    record = a_record()
    assert FORMATS["pdf"].stamp(made("pdf"), Stamp(record, label_for(record))).startswith(made("pdf"))


def test_an_encrypted_pdf_is_refused(keys):
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=io.BytesIO(made("pdf")))
    writer.encrypt("secret", algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    with pytest.raises(MarkError, match="encrypted"):
        marked_file(keys, "pdf", stream.getvalue())
    assert not verify(stream.getvalue(), name="x.pdf", anchors=keys.anchors()).found


@pytest.mark.parametrize(
    "drawing",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<svg:svg xmlns:svg="http://www.w3.org/2000/svg" viewBox="-5 -5 10,20"><svg:g/></svg:svg>',
        b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://x/y.dtd">'
        b'<svg xmlns="http://www.w3.org/2000/svg" width="10cm"><text>\xc3\xa9</text></svg>',
        '<?xml version="1.0" encoding="utf-16"?><svg xmlns="http://www.w3.org/2000/svg"><g/></svg>'.encode("utf-16"),
    ],
)
def test_drawings_of_all_kinds_are_marked_and_nothing_else_changes(keys, drawing):
    from xml.etree import ElementTree as ET

    file = marked_file(keys, "svg", drawing)
    found = report(keys, file)
    assert found.ok
    assert found.layer("label").state == "present"
    tree = ET.fromstring(file.content)
    space = "{http://www.w3.org/2000/svg}"
    label = tree.find(f"{space}text[@id='castalia-label']")
    assert label.text == "AI-generated"
    assert len(list(tree)) == len(list(ET.fromstring(drawing))) + 2


@pytest.mark.parametrize("extension", ["svg"])
def test_entities_are_refused(keys, extension):
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
        b'<svg xmlns="http://www.w3.org/2000/svg"><text>&b;</text></svg>'
    )
    outside = (
        b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'
    )
    deep = b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g>" * 100_000
    for content in (bomb, outside, deep):
        with pytest.raises(MarkError, match="svg"):
            marked_file(keys, extension, content)
        assert not verify(content, name="a.svg").found


# ---------------------------------------------------------------- films and scores


@pytest.mark.parametrize(("form", "extension"), [("mp4", "mp4"), ("ipod", "m4a"), ("mp4", "m4v")])
@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}, {"movflags": "use_metadata_tags"}])
def test_ffmpeg_and_exiftool_read_a_marked_film(keys, form, extension, options):
    import av

    from made_files import film

    content = film(form, **options)
    record = a_record(provider="墨社")
    file = mark_file(content, extension=extension, record=record, keys=keys, config=Config(), labelled=True)
    assert report(keys, file).ok
    with av.open(io.BytesIO(content)) as before, av.open(io.BytesIO(file.content)) as after:
        kinds = [stream.type for stream in before.streams]
        assert after.metadata["title"] == before.metadata["title"] == "Harbour"
        if form == "mp4":  # the samples of an M4A get the label where ffmpeg is installed
            assert [bytes(packet) for packet in after.demux()] == [bytes(packet) for packet in before.demux()]
        tags = {name.lower(): value for name, value in after.metadata.items()}
        assert json.loads(tags["aigc"])["ContentProducer"] == "墨社"
        assert tags["digitalsourcetype"] == record.digital_source_type
    assert kinds == (["video"] if form == "mp4" else ["audio"])
    shown = exif(file.content, extension)
    assert shown["Title"] == "Harbour"
    found = {name.lower(): value for name, value in shown.items()}
    assert found["digitalsourcetype"] == record.digital_source_type
    assert "aigc" in found
    assert "castalia" in found


def test_mido_reads_a_marked_midi(keys):
    from mido import MidiFile

    record = a_record("zh", provider="墨社")
    before, after = (
        MidiFile(file=io.BytesIO(each), charset="utf-8").tracks[0]
        for each in (made("mid"), marked_file(keys, "mid", record=record).content)
    )
    assert [message for message in after if message.type != "text"] == list(before)
    texts = [message.text for message in after if message.type == "text"]
    assert texts[0] == "人工智能生成"
    assert json.loads(texts[1].removeprefix("AIGC: "))["ProduceID"] == record.id
    assert texts[2] == f"DigitalSourceType: {record.digital_source_type}"


def test_a_midi_that_begins_with_a_note_is_marked(keys):
    content = made("mid")
    start = content.index(b"MTrk") + 8
    events = content[content.index(b"\0\x90") :]
    bare = content[: start - 4] + len(events).to_bytes(4, "big") + events
    file = marked_file(keys, "mid", bare)
    assert report(keys, file).ok
    assert file.content.endswith(events)


def test_a_marked_score_keeps_the_schemas_order(keys):
    from lxml import etree

    bare = b'<score-partwise><part-list/><part id="P1"/></score-partwise>'
    full = made("musicxml").replace(
        b"</identification>", b"<miscellaneous><miscellaneous-field name='a'>b</miscellaneous-field></miscellaneous>"
        b"</identification><defaults/><credit page='1'><credit-words>Harbour</credit-words></credit>"
    )  # fmt: skip
    for content in (bare, full, made("musicxml")):
        file = marked_file(keys, "musicxml", content)
        assert report(keys, file).ok
        root = etree.fromstring(file.content)
        names = [each.tag for each in root]
        order = ["work", "identification", "defaults", "credit", "part-list", "part"]
        assert names == sorted(names, key=order.index)
        assert root.findtext("credit[@id='castalia-label']/credit-words") == "AI-generated"
        fields = {each.get("name"): each.text for each in root.iter("miscellaneous-field")}
        assert fields["DigitalSourceType"].endswith("trainedAlgorithmicMedia")
        assert content is not full or fields["a"] == "b"


def test_a_marked_book_opens_on_its_label(keys):
    import zipfile

    from lxml import etree

    file = marked_file(keys, "epub", record=a_record("zh"))
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
        assert archive.testzip() is None
        page = etree.fromstring(archive.read("OEBPS/text/page 1.xhtml"))
        package = etree.fromstring(archive.read("OEBPS/content.opf"))
    body = page.find("{http://www.w3.org/1999/xhtml}body")
    assert [each.text for each in body] == ["人工智能生成", "Harbour", "The ice came."]
    named = {each.get("name") for each in package.iter("{http://www.idpf.org/2007/opf}meta")}
    assert named == {"AIGC", "DigitalSourceType", "castalia"}


# ---------------------------------------------------------------- office documents


def test_python_docx_and_exiftool_read_a_marked_document(keys):
    from docx import Document

    record = a_record("zh", provider="墨社")
    file = marked_file(keys, "docx", record=record)
    document = Document(io.BytesIO(file.content))
    assert [each.text for each in document.paragraphs] == ["人工智能生成", "Harbour", "The ice came on Tuesday."]
    assert document.core_properties.author == "Ada"
    shown = exif(file.content, "docx")
    assert json.loads(shown["AIGC"])["ProduceID"] == record.id
    assert shown["DigitalSourceType"] == record.digital_source_type
    document.save(again := io.BytesIO())  # an editor saves it: the labels stay, the signature is no longer its own
    found = verify(again.getvalue(), sidecar=file.sidecar, anchors=keys.anchors())
    assert states(found) | {"library": ""} == states(found) | {"library": "", "implicit": "present", "c2pa": "broken"}


def test_the_words_of_a_document_carry_their_watermark_and_are_found_in_the_library(keys):
    from docx import Document

    from test_provenance_mark import judged
    from test_provenance_verify import finder, kept, written

    link = keys.text_watermark(2.0)
    text = written(link)
    work = kept(mark(judged(text, tokens=300, watermark=link.label), keys=keys, config=Config()))
    document = Document()
    for line in text.split(". ") if ". " in text else [text[:900], text[900:]]:
        document.add_paragraph(line)
    document.save(stream := io.BytesIO())
    found = verify(stream.getvalue(), find=finder(work))
    assert states(found)["watermark"] == states(found)["library"] == "present"
    assert found.work == work.id


def test_openpyxl_reads_a_marked_workbook(keys):
    from openpyxl import load_workbook

    record = a_record(provider="墨社")
    file = marked_file(keys, "xlsx", record=record)
    book = load_workbook(io.BytesIO(file.content))
    properties = {each.name: each.value for each in book.custom_doc_props.props}
    assert properties["Client"] == "Ada"
    assert json.loads(properties["AIGC"])["ContentProducer"] == "墨社"
    assert properties["DigitalSourceType"] == record.digital_source_type
    assert [sheet.oddHeader.left.text for sheet in book] == ["AI-generated"] * 2
    assert book.active.oddHeader.center.text == "Harbour"
    assert (book.active["A1"].value, book.active["A2"].value) == ("ice", "=LEN(A1)")
    plain = marked_file(keys, "xlsx", file.content, accept_marking_responsibility=True)
    book = load_workbook(io.BytesIO(plain.content))
    assert [sheet.oddHeader.left.text for sheet in book] == ["AI-generated"] * 2  # no mark is taken out
    assert book.active.oddHeader.center.text == "Harbour"


def test_archives_that_grow_are_refused(keys):
    import zipfile

    stream = io.BytesIO(made("docx"))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/media/bomb.bin", bytes(60_000_000))
    with pytest.raises(MarkError, match="grows"):
        marked_file(keys, "docx", stream.getvalue())
    start = time.thread_time()
    verify(stream.getvalue(), name="a.docx")
    assert time.thread_time() - start < 1


# ---------------------------------------------------------------- hostile files


@pytest.mark.parametrize(
    "unit", ["<!---->", "<?x?>", "<!", "<a>", '<a b="', "ID3\4\0\0", "\0", "\xff\xe0", "%PDF-1.7 obj<<"]
)
@pytest.mark.parametrize("extension", FORMATS)
def test_hostile_repetition_does_not_hang(extension, unit):
    opening = {"svg": b'<svg xmlns="http://www.w3.org/2000/svg">', "musicxml": b"<score-partwise>"}
    repeated = unit.encode("latin-1") * (300_000 // len(unit))
    start = time.thread_time()
    for content in (repeated, opening.get(extension, made(extension)[:40]) + repeated, made(extension) + repeated):
        verify(content, name=f"a.{extension}")
        with suppress(MalformedError):
            FORMATS[extension].stamp(content, Stamp(a_record(), "AI-generated"))
    assert time.thread_time() - start < 5


@given(st.binary(max_size=400), st.sampled_from(sorted(FORMATS)))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_without_a_word(content, extension):
    face = FORMATS[extension]
    face.read(content)
    face.read(made(extension)[: len(content)] + content)


@pytest.fixture(scope="module")
def stamped() -> dict[str, bytes]:
    record = a_record().model_copy(update={"id": "1b4e28ba-2fa1-4d2b-883f-0016d3cca427"})
    return {name: face.stamp(made(name), Stamp(record, label_for(record))) for name, face in FORMATS.items()}


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_files_are_read_and_stamped_or_refused(stamped, data):
    extension = data.draw(st.sampled_from(sorted(FORMATS)))
    face, target = FORMATS[extension], bytearray(stamped[extension])
    for _ in range(data.draw(st.integers(1, 4))):
        place = int(data.draw(st.floats(-1, 1)) ** 5 * len(target)) % len(target)  # most of it near the ends
        target[place : place + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    start = time.thread_time()
    face.read(bytes(target))
    record = a_record()
    try:
        again = face.stamp(bytes(target), Stamp(record, label_for(record)))
    except MalformedError:
        pass
    else:
        assert read_aigc(face.read(again).aigc or "")[0] == Stamp(record, "").aigc
    assert time.thread_time() - start < 3


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_files_are_verified_and_marked_or_refused(keys, data):
    extension = data.draw(st.sampled_from(sorted(FORMATS)))
    target = bytearray(made(extension))
    for _ in range(data.draw(st.integers(1, 3))):
        place = int(data.draw(st.floats(-1, 1)) ** 5 * len(target)) % len(target)
        target[place : place + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    start = time.thread_time()
    assert not verify(bytes(target), name=f"x.{extension}").ok
    with suppress(MarkError):
        assert report(keys, marked_file(keys, extension, bytes(target))).ok
    assert time.thread_time() - start < 3


# ---------------------------------------------------------------- the command


@pytest.fixture
def shelf(keys, tmp_path):
    """A folder of marked files, with a sidecar for one, and the studio's authority beside it."""
    folder = tmp_path / "works"
    (folder / "below").mkdir(parents=True)
    for extension, place in (("png", folder), ("pdf", folder / "below"), ("mid", folder / "below")):
        file = marked_file(keys, extension)
        (place / f"work.{extension}").write_bytes(file.content)
        if file.sidecar:
            (place / f"work.{extension}.c2pa").write_bytes(file.sidecar)
    (tmp_path / "anchor.pem").write_bytes(keys.anchors())
    return folder


def test_the_command_reads_folders(shelf, home):
    from click.testing import CliRunner

    from castalia.cli.verify import verify as command

    options = ["--anchor", str(shelf.parent / "anchor.pem")]
    good = CliRunner().invoke(command, [str(shelf), *options])
    assert good.exit_code == 0, good.output
    assert good.output.count("signed by a trusted studio") == 3
    assert good.output.splitlines()[-1] == "3 files: 3 marked and whole, 0 broken, 0 without marks, 0 not read"
    content = bytearray((shelf / "work.png").read_bytes())
    content[-30] ^= 1
    (shelf / "below" / "bad.png").write_bytes(content)
    (shelf / "notes.txt").write_text("by a person")
    (shelf / ".hidden").write_text("by a person")
    (shelf / "link").symlink_to("/etc/passwd")
    mixed = CliRunner().invoke(command, [str(shelf), *options, "--json"])
    assert mixed.exit_code == 1
    shown = [json.loads(line) for line in mixed.stdout.splitlines()]
    assert len(shown) == 5
    assert [each["ok"] for each in shown if each["file"].endswith(("bad.png", "notes.txt"))] == [False, False]
    assert "5 files: 3 marked and whole, 1 broken, 1 without marks" in mixed.stderr
    empty = shelf / "empty"
    empty.mkdir()
    assert CliRunner().invoke(command, [str(empty)]).exit_code == 1
    piped = CliRunner().invoke(command, ["-", *options], input=(shelf / "work.png").read_bytes())
    assert piped.exit_code == 0
    assert "“AI-generated”, seen or heard" in piped.output


def test_a_file_that_is_too_large_does_not_end_the_walk(shelf, home, monkeypatch):
    from importlib import import_module

    from click.testing import CliRunner

    from castalia.cli.verify import verify as command

    longest = max(file.stat().st_size for file in shelf.rglob("*") if file.is_file())
    (shelf / "big.txt").write_bytes(b"x" * (longest + 1))
    monkeypatch.setattr(import_module("castalia.provenance.verify"), "LONGEST", longest)
    result = CliRunner().invoke(command, [str(shelf)])
    assert result.exit_code == 1
    assert "1 not read" in result.output
