"""Hearing: recordings of one voice become melodies; what holds none is refused in words."""

from __future__ import annotations

import io
import itertools
import sys
import time
import warnings
from contextlib import suppress

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia.core.errors import MissingError, UsageError
from castalia.core.score import Note, Part, Score
from castalia.given import score_in
from castalia.modalities.music import RECORDED, hear, read_score
from castalia.modalities.music.hear import posteriors
from castalia.modalities.music.hear.beat import rhythm_of
from castalia.modalities.music.hear.line import HeardNote
from castalia.modalities.music.hear.metre import metre_of
from castalia.modalities.music.hear.recording import RATE, read_recording
from castalia.studio import Studio

try:
    import onnxruntime  # noqa: F401

    runtime = True
except ImportError:
    runtime = False
needs_runtime = pytest.mark.skipif(not runtime, reason="onnxruntime is not installed: pip install 'castalia[hear]'")

TUNE = ((67, 1), (69, 1), (71, 1), (72, 1), (74, 2), (72, 1), (71, 1), (69, 1.5), (67, 0.5), (66, 1), (69, 1), (67, 4))


def hummed(tempo: float = 90.0, cents: float = 0.0, rate: int = 44_100) -> np.ndarray:
    """The tune as a plain hum: five overtones, soft attacks, a breath of noise."""
    beat = 60 / tempo
    pieces = [np.zeros(int(0.2 * rate))]
    for pitch, beats in TUNE:
        at = np.arange(int(beats * beat * rate)) / rate
        hertz = 440 * 2 ** ((pitch - 69 + cents / 100) / 12)
        vibrato = 0.004 * np.sin(2 * np.pi * 5.5 * at) * np.clip(at * 4, 0, 1) / (2 * np.pi * 5.5) * 2 * np.pi * hertz
        voice = sum(np.sin(k * (2 * np.pi * hertz * at + vibrato)) / k**1.5 for k in range(1, 6))
        pieces.append(voice * np.minimum(1, at / 0.03) * np.minimum(1, at[::-1] / 0.04))
    sound = np.concatenate([*pieces, np.zeros(int(0.3 * rate))])
    sound += np.random.default_rng(0).normal(0, 0.01, len(sound))
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def file_of(sound: np.ndarray, rate: int = 44_100, form: str = "WAV", coding: str | None = None) -> bytes:
    made = io.BytesIO()
    soundfile.write(made, sound, rate, format=form, subtype=coding)
    return made.getvalue()


def heard_pitches(score: Score) -> list[int]:
    return [note.pitch for note in score.parts[0].notes]


def heard_beats(score: Score) -> list[float]:
    notes = score.parts[0].notes
    return [(later.start - one.start) / 48 for one, later in itertools.pairwise(notes)]


# ---------------------------------------------------------------- recordings


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000])
def test_every_rate_becomes_ours_without_changing_the_sound(rate):
    at = np.arange(int(2.5 * rate)) / rate
    tone = (0.5 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)
    read = read_recording(file_of(tone, rate, coding="FLOAT"))
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(read)) / RATE)
    assert abs(len(read) - 2.5 * RATE) <= 2
    assert np.abs(read - expected)[400:-400].max() < 2e-4


def test_what_lies_above_our_range_is_filtered_and_not_folded():
    at = np.arange(96_000) / 48_000
    read = read_recording(file_of((0.5 * np.sin(2 * np.pi * 15_000 * at)).astype(np.float32), 48_000))
    assert np.abs(read[400:-400]).max() < 1e-3


@pytest.mark.parametrize("coding", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_every_depth_is_read(coding):
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050)).astype(np.float32)
    read = read_recording(file_of(tone, 22_050, coding=coding))
    assert np.abs(read - tone)[400:-400].max() < 0.02


def test_channels_are_mixed_and_those_that_cancel_are_not():
    tone = (0.5 * np.sin(2 * np.pi * 330 * np.arange(44_100) / 44_100)).astype(np.float32)
    both = read_recording(file_of(np.stack([tone, tone], 1)))
    against = read_recording(file_of(np.stack([tone, -tone], 1)))
    np.testing.assert_allclose(both, against, atol=1e-3)
    assert np.abs(against).max() > 0.4


def test_samples_that_are_no_numbers_are_silence():
    tone = np.full(22_050, 0.25, np.float32)
    tone[100:200], tone[300], tone[301] = np.nan, np.inf, -np.inf
    read = read_recording(file_of(tone, 22_050, coding="FLOAT"))
    assert np.isfinite(read).all()
    assert np.abs(read).max() <= 1


@pytest.mark.parametrize(
    ("sound", "rate", "words"),
    [
        (np.zeros(1, np.float32), 44_100, "seconds"),
        (np.zeros(0, np.float32), 44_100, "seconds"),
        (np.zeros(4_000 * 60, np.float32), 4_000, "4000 samples a second"),
        (np.zeros((30_000, 9), np.float32), 44_100, "9 channels"),
        (np.zeros(8_000 * 60 * 50, np.float32), 8_000, "3000 seconds"),
    ],
)
def test_what_is_out_of_bounds_is_refused_before_it_is_decoded(sound, rate, words):
    began = time.perf_counter()
    with pytest.raises(UsageError, match=words):
        read_recording(file_of(sound, rate))
    assert time.perf_counter() - began < 2


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["WAV", "FLAC", "OGG"]), st.integers(0, 4_000))
def test_damaged_files_are_an_error_or_a_sound(noise, form, cut):
    whole = bytearray(file_of(np.zeros(9_000, np.float32) + 0.1, 22_050, form))
    whole[cut : cut + len(noise)] = noise
    for content in (noise, bytes(whole), bytes(whole[: cut + 60])):
        with suppress(UsageError):
            assert np.isfinite(read_recording(content)).all()


# ---------------------------------------------------------------- rhythm


def sung(beats: list[float], tempo: float, seed: int = 0, uneven: float = 0.012) -> list[HeardNote]:
    rng = np.random.default_rng(seed)
    starts = np.cumsum([0, *beats])[:-1] * 60 / tempo
    noise = rng.normal(0, uneven, len(starts))
    return [
        HeardNote(float(max(start + late, 0)), float(start + length * 60 / tempo), 60 + at % 5)
        for at, (start, late, length) in enumerate(zip(starts, noise, beats, strict=True))
    ]


@pytest.mark.parametrize("tempo", [72.0, 88.0, 104.0, 126.0])
@pytest.mark.parametrize(
    "beats",
    [
        [1, 1, 1, 1, 2, 2, 1, 0.5, 0.5, 1, 1, 4],
        [1.5, 0.5, 1, 1, 1.5, 0.5, 2, 0.5, 0.5, 1, 2, 3],
        [0.75, 0.25, 1, 1, 0.75, 0.25, 1, 1, 0.5, 0.5, 1, 2],
    ],
)
def test_rhythms_come_back_from_uneven_hands(beats, tempo):
    rhythm = rhythm_of(sung(beats, tempo))
    got = [(b.start - a.start) / 48 for a, b in itertools.pairwise(rhythm.notes)]
    assert got == pytest.approx(beats[:-1])
    assert rhythm.tempo == pytest.approx(tempo, rel=0.04)


def test_triplets_are_told_from_eighths():
    """At 104; a slow triplet is as well an eighth of a quicker tempo."""
    beats = [1, 1 / 3, 1 / 3, 1 / 3, 1, 1, 1, 1 / 3, 1 / 3, 1 / 3, 2, 2]
    got = rhythm_of(sung(beats, 104)).notes
    assert [(b.start - a.start) / 48 for a, b in itertools.pairwise(got)] == pytest.approx(beats[:-1])


def test_a_tempo_that_is_given_is_kept_to():
    notes = sung([1, 1, 1, 1, 2, 1, 1, 4], 60)
    assert rhythm_of(notes, 60).tempo == pytest.approx(60, rel=0.05)
    assert rhythm_of(notes, 120).notes[1].start == 96


def test_a_singer_may_slow_down():
    beats, starts, place = [1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2], [], 0.0
    for at, length in enumerate(beats):
        starts.append(place)
        place += length * 60 / (100 - 1.5 * at)
    notes = [HeardNote(start, start + 0.4, 60) for start in starts]
    got = rhythm_of(notes).notes
    assert [(b.start - a.start) / 48 for a, b in itertools.pairwise(got)] == beats[:-1]


def test_a_breath_becomes_a_rest():
    notes = sung([1, 1, 2, 1, 1, 2], 96)
    notes[2] = HeardNote(notes[2].start, notes[2].start + 0.6, 62)  # sung for one beat of two
    got = rhythm_of(notes).notes
    assert got[2].length == 48
    assert got[3].start - got[2].start == 96


def test_bars_lie_where_long_notes_fall():
    three = [Note(144 * bar + at * 48, 48, 60) for bar in range(4) for at in range(3)]
    three = [note for note in three if note.start % 144 != 48]
    three = [note._replace(length=96) if note.start % 144 == 0 else note for note in three]
    assert metre_of(three, 0)[0].beats == 3
    assert metre_of(three[:2], 0)[0].beats == 4  # too few to tell


# ---------------------------------------------------------------- melodies


@needs_runtime
@pytest.mark.parametrize(("tempo", "cents"), [(90, 0), (108, -35), (76, 45)])
def test_a_hummed_tune_comes_back_with_its_rhythm(tempo, cents):
    heard = hear(file_of(hummed(tempo, cents)))
    assert heard_pitches(heard.score) == [pitch for pitch, _ in TUNE]
    assert heard_beats(heard.score) == [beats for _, beats in TUNE[:-1]]
    assert heard.score.tempo == pytest.approx(tempo, rel=0.04)
    assert heard.cents == pytest.approx(cents, abs=12)
    assert heard.doubts == ()
    assert hear(file_of(hummed(tempo, cents))) == heard


@needs_runtime
@pytest.mark.parametrize("kind", RECORDED)
def test_every_kind_of_file_is_heard(kind):
    form = {"mp3": "MP3", "ogg": "OGG"}.get(kind, kind.upper())
    score = read_score(file_of(hummed(), form=form), kind)
    assert heard_pitches(score) == [pitch for pitch, _ in TUNE]
    assert score.parts[0].kind == "voice"


@needs_runtime
def test_what_holds_no_melody_is_refused_with_what_was_heard():
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.2, 44_100 * 4).astype(np.float32)
    hits = noise * np.exp(-(np.arange(len(noise)) % 11_025) / 900)
    for sound, words in ((np.zeros(44_100 * 2), "silence"), (noise, "noise"), (hits, "percussion")):
        with pytest.raises(UsageError, match=words) as refused:
            hear(file_of(sound.astype(np.float32)))
        assert "Hum" in refused.value.hint


def spoken(seconds: float = 6.0, rate: int = 22_050) -> np.ndarray:
    """Syllables whose pitch glides, with hisses and pauses between."""
    rng = np.random.default_rng(2)
    pieces = []
    while sum(map(len, pieces)) < seconds * rate:
        count = int(rng.uniform(0.09, 0.2) * rate)
        hertz = rng.uniform(95, 180) * np.exp(np.linspace(rng.uniform(-0.2, 0.25), rng.uniform(-0.3, 0.2), count))
        phase = 2 * np.pi * np.cumsum(hertz) / rate
        formants = (rng.uniform(300, 800), rng.uniform(900, 2200), 2600)
        voice = sum(
            np.sin(k * phase) / k * sum(np.exp(-(((k * hertz - each) / 120) ** 2)) for each in formants)
            for k in range(1, 25)
        )
        pieces += [voice * np.sqrt(np.hanning(count)), rng.normal(0, 0.05, int(0.06 * rate))]
        pieces.append(np.zeros(int(rng.choice((0, 0.2)) * rate)))
    sound = np.concatenate(pieces)
    return (0.6 * sound / np.abs(sound).max()).astype(np.float32)


@needs_runtime
def test_speech_is_refused():
    with pytest.raises(UsageError, match="speech"):
        hear(file_of(spoken(), 22_050))


@needs_runtime
def test_several_voices_at_once_are_heard_with_a_doubt(tmp_path):
    at = np.arange(44_100 // 2) / 44_100
    chords = ((60, 64, 67), (62, 65, 69), (59, 62, 67), (60, 64, 67), (65, 69, 72), (60, 64, 67))
    sound = np.concatenate([
        sum(np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * k * at) / k**2 for pitch in chord for k in (1, 2, 3))
        * np.exp(-at * 2)
        for chord in chords
    ])  # fmt: skip
    take = tmp_path / "take.wav"
    take.write_bytes(file_of((0.2 * sound).astype(np.float32)))
    assert any("at once" in doubt for doubt in hear(take.read_bytes()).doubts)
    _, findings = score_in(take)
    assert [(each.rule, each.severity, each.place) for each in findings] == [("hearing", "note", "take.wav")]


@needs_runtime
def test_two_minutes_take_seconds():
    sound = np.tile(hummed(rate=22_050), 16)[: 120 * 22_050]
    began = time.perf_counter()
    heard = hear(file_of(sound, 22_050))
    assert len(heard.notes) > 50
    assert time.perf_counter() - began < 60


def test_without_the_runtime_the_command_to_install_it_is_told(monkeypatch):
    posteriors._session.cache_clear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingError) as missing:
        hear(file_of(hummed()))
    posteriors._session.cache_clear()
    assert missing.value.hint == "pip install 'castalia[hear]'"
    assert missing.value.exit_code == 3


@needs_runtime
def test_a_chorale_is_set_to_a_hummed_tune(home, tmp_path):
    take = tmp_path / "take.wav"
    take.write_bytes(file_of(hummed()))
    studio = Studio()
    work = studio.create("chorale", "", seed=1, melody=str(take))
    studio.close()
    score = work.content.score
    assert [note.pitch for note in score.parts[0].notes] == [pitch for pitch, _ in TUNE]
    assert (score.fifths, score.mode) == (1, "major")
    assert not [finding for finding in work.findings if finding.rule == "hearing"]


@needs_runtime
def test_the_command_takes_a_hum(home, tmp_path, monkeypatch, capsys):
    from castalia.cli import main

    take = tmp_path / "take.flac"
    take.write_bytes(file_of(hummed(), form="FLAC"))

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["castalia", *arguments])
        with pytest.raises(SystemExit) as left:
            main.run()
        return int(left.value.code or 0)

    assert run("create", "chorale", "a tune", "--hum", str(take), "--seed", "1", "--json") == 0
    assert run("create", "haiku", "rain", "--hum", str(take)) == 2
    assert "no hummed tune" in capsys.readouterr().err


def test_nothing_here_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rhythm_of([HeardNote(0.0, 0.3, 60)])
        metre_of([Note(0, 48, 60)], 24)
        assert Part(name="x").notes == ()


def test_a_marked_work_is_heard_without_its_label(tmp_path, monkeypatch):
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path / "home"))
    studio = Studio()
    work = studio.create("melody", "a slow air in C", seed=3, bars=4, sound="piano")
    path = studio.export(work, tmp_path / "air.wav")
    label = [note.pitch for note in hear(path.read_bytes()).score.parts[0].notes][:3]
    heard = studio.create("chorale", "an air", seed=1, melody=str(path)).content.score
    studio.close()
    written = [note.pitch for note in work.content.score.parts[0].notes]
    soprano = [note.pitch for note in heard.parts[0].notes]
    assert label[0] == 81  # the label's own tone
    up = soprano[0] - written[0]  # by octaves, or into a key that a soprano can sing
    assert soprano[:4] == [pitch + up for pitch in written[:4]]
