"""Whether the audio watermark is found, and what it costs: `python benchmarks/bench_watermark_audio.py`.

Needs soundfile, tinysoundfont and hibari-tts, and the Debian packages espeak-ng and fluid-soundfont-gm. `--perth` names
a Python with resemble-perth 1.0.1, torch, torchaudio (without its native library) and setuptools below 81.

Protocol: 20 speech clips (14 of espeak-ng, of these 4 Mandarin, at 22,050 Hz; 6 of hibari-tts at 24,000 Hz) and 24
clips of music in 44,100 Hz stereo (12 played here from FluidR3 with programs and chords drawn by seed, drums in every
third; 12 out of people's recordings, one a piece, 40 % into it), none of them those that the constants were chosen on.
Each is 8 seconds, the least that is marked, and for pairs of attacks again 16 seconds. Every clip gets its own key and
payload. Attacks: MP3 at 64 kbit/s (LAME, constant rate), resampling to 16 kHz, white noise 30 dB under the clip, a
third cut off at the head or at the tail, at a sample drawn by seed, volume 0.3 and up to full scale, 2 % faster and
slower by resampling; and all pairs of them that change different things, MP3 last. Recovered means: all 48 bits right.
SNR is of the whole clip; segmental SNR the mean over pieces of 20 ms that are not silent; the noise-to-mask ratio
compares the mark's power in each critical band with a threshold after Johnston (1988): power spread over bands, less
14.5 dB + band for tones and 5.5 dB for noise by spectral flatness; MP3 at 128 kbit/s of the same clips stands beside
it. False positives: windows of 8 seconds of people's recordings (game music by Debian's wesnoth-1.16-music and
planetblupi-music-ogg at 44,100 Hz, telephone announcements by asterisk-core-sounds-{en,ru}-wav at 8,000 Hz), each
window under a key of its own. Speed is CPU time of one thread on 60 seconds. Resumable; progress is kept in `.state/`.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import hibari
import numpy as np
import soundfile
import tinysoundfont
from numpy.typing import NDArray

from _report import STATE, emit, interval
from castalia.provenance.watermarks.audio import ALARM, LEAST_SECONDS, AudioWatermark

Sound = NDArray[np.float32]
Clip = tuple[Sound, int]
Row = dict[str, Any]
MEASURES = (
    "snr",
    "segmental_snr",
    "noise_to_mask",
    "over_mask",
    "mp3_128k_noise_to_mask",
    "mp3_128k_over_mask",
    "embed_times_real_time",
    "detect_times_real_time",
)
KEPT = STATE / "watermark_audio.jsonl"
RECORDINGS = STATE / "recordings"
PACKAGES = (
    "wesnoth-1.16-music",
    "planetblupi-music-ogg",
    "asterisk-core-sounds-en-wav",
    "asterisk-core-sounds-ru-wav",
)
SOUNDFONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
SPEECH, MUSIC = 20, 24
ORDER = sorted(range(SPEECH + MUSIC), key=lambda number: (number % 4, number))
"""Clips, so that a run that is broken off has some of each sort."""
WINDOWS = 1500
ENGLISH = (
    "Before the bridge was built, a ferry crossed the river twelve times a day. The ferryman knew every passenger by "
    "name and kept their letters in a tin box under his seat, so that nobody had to walk to the post office.",
    "Mix the flour with the butter until it looks like sand, then add two eggs and a spoonful of cold water. Let it "
    "rest for an hour, roll it out thinly, and bake it on the middle shelf until the edges turn brown.",
    "Quarterly revenue rose by seven per cent to four hundred and twelve million, while costs stayed where they were. "
    "The board proposes a dividend of one euro and thirty cents, to be paid on the third of June.",
    "The old astronomer climbed the stairs of his tower every clear night. He counted the moons of Jupiter, wrote "
    "down the hour, and wondered whether anybody out there was counting ours with the same patience.",
    "Please keep your seat belt fastened while the sign is on. We expect some wind on the way down, and should reach "
    "the gate about ten minutes early. Thank you for flying with us, and we hope to see you again.",
)
CHINESE = (
    "清晨的市场已经热闹起来，卖菜的老人把新鲜的白菜摆成一排。孩子们背着书包从桥上跑过，河边的柳树刚刚发芽。早点铺里冒着热气，豆浆和油条的香味一直飘到街口。",
    "公司去年的收入增长了百分之七，利润超过三亿元。董事会决定在六月向股东分红，并计划明年在南方建立第二座工厂。新工厂预计能够提供八百个工作岗位。",
)
VOICES = ("en-us+f1", "en-gb", "en-us+m7", "en-gb-scotland+f3", "en-us", "en-gb+m2", "en-us+f5")
PROGRAMS = ([1], [45, 48], [25, 32], [74, 4], [16], [41, 43], [5, 34], [12, 50], [57, 1, 33], [7], [68, 70], [81, 39])


def main() -> None:
    """Measure what is missing, then print the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=Path, default=RECORDINGS, help="folder with the unpacked Debian packages")
    parser.add_argument("--perth", help="Python that has resemble-perth")
    parser.add_argument("--only", help="measure one kind of row, for several runs side by side")
    parser.add_argument("--report", action="store_true", help="print what has been measured so far")
    args = parser.parse_args()
    STATE.mkdir(exist_ok=True)
    if not args.recordings.exists():
        _fetch(args.recordings)
    done = {(row["kind"], row["number"]) for row in _rows()}
    wanted = [
        *(("single8", number) for number in ORDER),
        ("speed", 0),
        *(("plain", number) for number in range(WINDOWS // 5)),
        *((("perth", number) for number in ORDER) if args.perth else ()),
        *(("pairs8", number) for number in ORDER),
        *(("plain", number) for number in range(WINDOWS // 5, WINDOWS)),
        *(("pairs16", number) for number in ORDER),
    ]
    measures: dict[str, Callable[[int], Row]] = {
        "single8": lambda number: _survival(args.recordings, number, 8, SINGLE),
        "pairs8": lambda number: _survival(args.recordings, number, 8, PAIRS),
        "pairs16": lambda number: _survival(args.recordings, number, 16, PAIRS),
        "speed": lambda _: _speed(),
        "perth": lambda number: _perth(args.recordings, number, args.perth),
        "plain": lambda number: _plain(args.recordings, number),
    }
    for kind, number in [] if args.report else wanted:
        if (kind, number) not in done and args.only in {None, kind}:
            _keep({"kind": kind, "number": number} | measures[kind](number))
    _report()


# ------------------------------------------------------------ sound


def _fetch(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as downloads:
        subprocess.run(["apt-get", "download", "-qq", *PACKAGES], cwd=downloads, check=True)
        for package in Path(downloads).glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, folder], check=True)


def _group(number: int) -> str:
    return "speech" if number < SPEECH else "music"


def clip(recordings: Path, number: int, seconds: int) -> Clip:
    if number < 14:
        sound, rate = _espeak(number)
    elif number < SPEECH:
        texts = (ENGLISH[(number + shift) % len(ENGLISH)] for shift in (0, 1))
        sound, rate = np.asarray(hibari.Hibari()(" ".join(texts), seed=number), np.float32)[:, None], hibari.SAMPLE_RATE
    elif number < SPEECH + 12:
        sound, rate = _played(number, seconds + 1)
    else:
        pieces = sorted(recordings.rglob("wesnoth/**/*.ogg"), key=lambda path: path.name)
        path = [each for each in pieces if soundfile.info(each).duration > 60][number - SPEECH - 12]
        about = soundfile.info(path)
        sound, rate = soundfile.read(path, (seconds + 1) * about.samplerate, int(0.4 * about.frames), dtype="float32")
    start = rate // 2
    sound = sound[start : start + seconds * rate]
    return (0.8 * sound / np.abs(sound).max()).astype(np.float32), rate


def _espeak(number: int) -> Clip:
    chinese = number >= 10
    text = (CHINESE[number % 2] if chinese else " ".join((ENGLISH * 2)[number % 5 : number % 5 + 2])) * 2
    voice = ("cmn", "cmn+f3", "cmn+m4", "cmn+f1")[number - 10] if chinese else VOICES[number % len(VOICES)]
    told = ["espeak-ng", "-v", voice, "-s", str(145 + 7 * (number % 6)), "--stdout", text]
    wave = subprocess.run(told, capture_output=True, check=True).stdout
    sound, rate = soundfile.read(io.BytesIO(wave), dtype="float32", always_2d=True)
    return sound, rate


def _played(number: int, seconds: int) -> Clip:
    """Chords and a melody over them, in eighths; every choice is drawn by the clip's number."""
    chance, rate = np.random.default_rng(5000 + number), 44_100
    synth = tinysoundfont.Synth(gain=-6, samplerate=rate)
    font = synth.sfload(SOUNDFONT)
    programs = PROGRAMS[number % len(PROGRAMS)]
    for channel, program in enumerate(programs):
        synth.program_select(channel, font, 0, program)
    if number % 3 == 0:
        synth.program_select(9, font, 128, 0, is_drums=True)
    eighth = int(rate * 30 / chance.uniform(70, 140))
    key, scale = int(chance.integers(48, 60)), [0, 2, 4, 5, 7, 9, 11] if number % 2 else [0, 2, 3, 5, 7, 8, 10]
    blocks: list[Sound] = []
    sounding: list[tuple[int, int]] = []
    degree, last = 7, len(programs) - 1
    for count in range(-(-seconds * rate // eighth)):
        new: list[tuple[int, int, int]] = []
        if count % 8 == 0:
            for channel, note in sounding:
                synth.noteoff(channel, note)
            sounding, root = [], int(chance.choice([0, 3, 4, 5, 1]))
            chord = [key + scale[each % 7] + 12 * (each // 7) for each in (root, root + 2, root + 4)]
            new += [(last, note, 70) for note in [*chord, chord[0] - 12]]
        if chance.random() < 0.7:
            degree = int(np.clip(degree + chance.integers(-2, 3), 5, 14))
            new.append((0, key + scale[degree % 7] + 12 * (degree // 7) + 12, int(chance.integers(70, 110))))
        for channel, note, force in new:
            synth.noteon(channel, note, force)
            sounding.append((channel, note))
        if number % 3 == 0:
            for note in (42, 36 if count % 4 == 0 else 38 if count % 4 == 2 else 42):
                synth.noteon(9, note, 90)
        blocks.append(np.frombuffer(synth.generate(eighth), np.float32).reshape(-1, 2).copy())
    return np.concatenate(blocks), rate


# ------------------------------------------------------------ attacks


def _mp3(sound: Sound, rate: int, kilobits: int = 64) -> Clip:
    most, least = (320, 32) if rate >= 32_000 else (160, 8)
    coded = io.BytesIO()
    level = (most - kilobits) / (most - least)
    soundfile.write(coded, sound, rate, format="MP3", bitrate_mode="CONSTANT", compression_level=level)
    coded.seek(0)
    return soundfile.read(coded, dtype="float32", always_2d=True)[0].clip(-1, 1), rate


def _stretched(sound: Sound, rate: int, factor: float) -> Clip:
    count = round(len(sound) * factor)
    bins = np.fft.rfft(sound, axis=0)[: count // 2 + 1]
    return (np.fft.irfft(bins, count, axis=0) * factor).clip(-1, 1).astype(np.float32), rate


def _noise(sound: Sound, rate: int) -> Clip:
    noise = np.random.default_rng(len(sound)).normal(size=sound.shape) * np.sqrt(np.mean(sound**2)) * 10**-1.5
    return (sound + noise).clip(-1, 1).astype(np.float32), rate


def _cut(sound: Sound) -> int:
    """Samples to cut off: a third, and up to 10 ms more."""
    return len(sound) // 3 + int(np.random.default_rng(int(1e6 * abs(float(sound[len(sound) // 2, 0])))).integers(441))


ATTACKS: dict[str, Callable[[Sound, int], Clip]] = {
    "head_cut": lambda sound, rate: (sound[_cut(sound) :], rate),
    "tail_cut": lambda sound, rate: (sound[: -_cut(sound)], rate),
    "faster_2": lambda sound, rate: _stretched(sound, rate, 1 / 1.02),
    "slower_2": lambda sound, rate: _stretched(sound, rate, 1 / 0.98),
    "volume_0.3": lambda sound, rate: (0.3 * sound, rate),
    "full_scale": lambda sound, rate: ((sound / np.abs(sound).max()).astype(np.float32), rate),
    "resampled_16k": lambda sound, rate: (_stretched(sound, rate, 16_000 / rate)[0], 16_000),
    "noise_30db": _noise,
    "mp3_64k": _mp3,
}
ALIKE = ({"head_cut", "tail_cut"}, {"faster_2", "slower_2"}, {"volume_0.3", "full_scale"})
SINGLE = [(), *((name,) for name in ATTACKS)]
PAIRS = [pair for pair in combinations(ATTACKS, 2) if set(pair) not in ALIKE and "full_scale" not in pair]


def _attacked(sound: Sound, rate: int, names: Sequence[str]) -> Clip:
    for name in names:
        sound, rate = ATTACKS[name](sound, rate)
    return sound, rate


def _survival(recordings: Path, number: int, seconds: int, attacks: Sequence[Sequence[str]]) -> Row:
    """For each attack 1 when the payload comes back, 0 for none, -1 for a wrong one; and whether a mark is seen."""
    sound, rate = clip(recordings, number, seconds)
    mark = AudioWatermark(f"benchmark {number} {seconds}".encode())
    payload = np.random.default_rng(number).bytes(6)
    marked = mark.embed(sound, rate, payload)
    found: dict[str, int] = {}
    present: dict[str, bool] = {}
    for names in attacks:
        seen = mark.detect(*_attacked(marked, rate, names))
        found[_name(names)] = -1 if seen.payload not in {None, payload} else int(bool(seen.payload))
        present[_name(names)] = seen.present
    near = _nearness(sound, marked, rate) if seconds == 8 and () in attacks else {}
    return {"group": _group(number), "found": found, "present": present} | near


def _name(names: Sequence[str]) -> str:
    return "+".join(names) or "as_written"


# ------------------------------------------------------------ how near the mark is to the sound


def _nearness(sound: Sound, marked: Sound, rate: int) -> Row:
    ratio, worse = _noise_to_mask(sound, marked, rate)
    coded = _noise_to_mask(sound, _mp3(sound, rate, 128)[0][: len(sound)], rate)
    whole, pieces = _snr(sound, marked, rate)
    return {
        "snr": whole,
        "segmental_snr": pieces,
        "noise_to_mask": ratio,
        "over_mask": worse,
        "mp3_128k_noise_to_mask": coded[0],
        "mp3_128k_over_mask": coded[1],
    }


def _snr(sound: Sound, marked: Sound, rate: int) -> tuple[float, float]:
    size = rate // 50
    count = len(sound) // size
    signal, noise = (
        np.square(each[: count * size], dtype=np.float64).reshape(count, -1).sum(axis=1)
        for each in (sound, marked - sound)
    )
    loud = (signal > 1e-4 * signal.mean()) & (noise > 0)
    pieces = np.clip(10 * np.log10(signal[loud] / noise[loud]), -10, 60)
    return float(10 * np.log10(signal.sum() / noise.sum())), float(pieces.mean())


def _noise_to_mask(sound: Sound, marked: Sound, rate: int) -> tuple[float, float]:
    """Mean noise-to-mask ratio, dB, and share of audible pieces of bands where it is above 0 dB."""
    size = 1024 if rate > 30_000 else 512
    window = np.hanning(size)
    starts = range(0, len(sound) - size, size // 2)

    def power(mono: Sound) -> NDArray[np.float64]:
        return np.stack([np.abs(np.fft.rfft(mono[at : at + size] * window)) ** 2 for at in starts])

    hertz = np.arange(size // 2 + 1) * rate / size
    bark = 13 * np.arctan(0.00076 * hertz) + 3.5 * np.arctan((hertz / 7500) ** 2)
    bands = np.unique(bark.astype(int))
    member = (bark.astype(int)[:, None] == bands).astype(float)  # (bins, bands)
    signal, noise = power(sound.mean(axis=1)), power((marked - sound).mean(axis=1))
    flat = np.exp(np.log(signal + 1e-12) @ member / member.sum(axis=0)) / (signal @ member / member.sum(axis=0) + 1e-12)
    tonal = np.clip(10 * np.log10(flat + 1e-12) / -60, 0, 1)
    apart = bands[None, :] - bands[:, None] + 0.474
    spread = 10 ** ((15.81 + 7.5 * apart - 17.5 * np.sqrt(1 + apart**2)) / 10)
    offset = tonal * (14.5 + bands) + (1 - tonal) * 5.5
    mask = (signal @ member) @ spread / spread.sum(axis=0) * 10 ** (-offset / 10)
    mask = np.maximum(mask, 1e-9 * mask.max())  # a threshold in quiet, 90 dB under the loudest
    ratio = 10 * np.log10((noise @ member + 1e-12) / mask)
    heard = (signal @ member) > 1e-6 * (signal @ member).max()
    return float(10 * np.log10(np.mean(10 ** (ratio[heard] / 10)))), float(np.mean(ratio[heard] > 0))


# ------------------------------------------------------------ false positives, speed, anchor


def _plain(recordings: Path, number: int) -> Row:
    """P-value on unmarked sound; two windows of music to one of speech, the pieces in turn."""
    group = "speech" if number % 3 == 2 else "music"
    paths = _recordings(recordings, group)
    if group == "speech":  # short announcements, one after the other
        start, parts = number * 13, []
        while sum(map(len, parts)) < 64_000:
            parts.append(soundfile.read(paths[(start + len(parts)) % len(paths)], dtype="float32")[0])
        sound, rate = np.concatenate(parts)[:64_000, None], 8_000
    else:
        path = paths[number % len(paths)]
        about = soundfile.info(path)
        rate = about.samplerate
        start = int(np.random.default_rng(number).integers(about.frames - 8 * rate))
        sound = soundfile.read(path, 8 * rate, start, dtype="float32")[0]
    seen = AudioWatermark(f"window {number}".encode()).detect(sound.clip(-1, 1), rate)
    return {"group": group, "p": seen.p_value, "payload": seen.payload is not None}


@cache
def _recordings(folder: Path, group: str) -> list[Path]:
    if group == "speech":
        return sorted(folder.rglob("*.wav"))
    return [path for path in sorted(folder.rglob("*.ogg")) if soundfile.info(path).duration > 20]


def _speed() -> Row:
    figures: Row = {}
    for name, (sound, rate) in {"speech_22k_mono": _espeak(0), "music_44k_stereo": _played(30, 60)}.items():
        minute = np.resize(sound, (60 * rate, sound.shape[1])).astype(np.float32)
        mark = AudioWatermark(b"speed")
        start = time.process_time()
        marked = mark.embed(minute, rate, b"speedy")
        middle = time.process_time()
        mark.detect(marked, rate)
        end = time.process_time()
        mark.detect(minute, rate)
        spent = {"embed": middle - start, "detect_marked": end - middle, "detect_plain": time.process_time() - end}
        figures[name] = {what: round(60 / seconds) for what, seconds in spent.items()}
    return {"times_real_time": figures}


PERTH = """
import sys, json, time, torch, soundfile, perth
torch.set_num_threads(1)
mark = perth.PerthImplicitWatermarker()
for line in sys.stdin:
    what, path, out = json.loads(line)
    sound, rate = soundfile.read(path, dtype="float32")
    start = time.process_time()
    if what == "mark":
        soundfile.write(out, mark.apply_watermark(sound, watermark=None, sample_rate=rate), rate, subtype="FLOAT")
        answer = 0.0
    else:
        answer = float(mark.get_watermark(sound, sample_rate=rate))
    print("@", json.dumps([answer, time.process_time() - start]), flush=True)
"""


@cache
def _perth_process(python: str) -> subprocess.Popen[str]:
    start = [python, "-W", "ignore", "-c", PERTH]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, text=True)


def _perth(recordings: Path, number: int, python: str) -> Row:
    """The same 8 seconds through resemble-perth, mixed to one channel: is its mark, without bits, seen?"""
    run = _perth_process(python)
    with tempfile.TemporaryDirectory() as folder:

        def ask(what: str, sound: Sound, rate: int) -> tuple[float, float]:
            assert run.stdout is not None
            soundfile.write(f"{folder}/in.wav", sound, rate, subtype="FLOAT")
            print(json.dumps([what, f"{folder}/in.wav", f"{folder}/out.wav"]), file=run.stdin, flush=True)
            answer, spent = json.loads(next(line for line in run.stdout if line.startswith("@"))[1:])
            return answer, spent

        sound, rate = clip(recordings, number, 8)
        sound = sound.mean(axis=1, keepdims=True)
        unmarked, reading = ask("read", sound, rate)
        _, writing = ask("mark", sound, rate)
        marked = soundfile.read(f"{folder}/out.wav", dtype="float32", always_2d=True)[0][: len(sound)].clip(-1, 1)
        found = {_name(names): ask("read", *_attacked(marked, rate, names))[0] for names in SINGLE}
    ratio, worse = _noise_to_mask(sound, marked, rate)
    whole, pieces = _snr(sound, marked, rate)
    near = {"snr": whole, "segmental_snr": pieces, "noise_to_mask": ratio, "over_mask": worse}
    speed = {"embed_times_real_time": 8 / writing, "detect_times_real_time": 8 / reading}
    return {"group": _group(number), "found": found | {"unmarked": unmarked}} | near | speed


# ------------------------------------------------------------ figures


def _report() -> None:
    rows = _rows()
    planned = {
        "single8": len(ORDER),
        "pairs8": len(ORDER),
        "pairs16": len(ORDER),
        "perth": len(ORDER),
        "plain": WINDOWS,
    }
    figures: Row = {
        "measured": {kind: f"{sum(row['kind'] == kind for row in rows)} of {of}" for kind, of in planned.items()}
    }
    for group in ("speech", "music"):
        own = {
            kind: [row for row in rows if row["kind"] == kind and row.get("group") == group]
            for kind in ("single8", "pairs8", "pairs16", "plain", "perth")
        }
        if singles := own["single8"]:
            figures[f"{group}_8s"] = {
                "recovered": _shares(singles),
                "wrong_payloads": _count(singles, "found", -1),
                **_means(singles),
                "snr_least": round(min(row["snr"] for row in singles), 1),
            }
        for kind in ("pairs8", "pairs16"):
            if pairs := own[kind]:
                shares, of = _shares(pairs), len(PAIRS) * len(pairs)
                figures[f"{group}_{kind}"] = {
                    "recovered": interval(_count(pairs, "found", 1), of),
                    "present": interval(_count(pairs, "present", 1), of),
                    "wrong_payloads": _count(pairs, "found", -1),
                    "clips": len(pairs),
                    "below_all": {name: share[0] for name, share in shares.items() if share[0] < 1},
                }
        if plain := own["plain"]:
            values = np.array([row["p"] for row in plain])
            figures[f"unmarked_{group}"] = {
                "windows": len(values),
                "alarms": int(np.sum(values <= ALARM)),
                "payloads": sum(row["payload"] for row in plain),
                "upper_bound_95": round(3 / len(values), 5),
                "least_p": float(f"{values.min():.2g}"),
                "share_p_below_0.1": round(float(np.mean(values < 0.1)), 4),
            }
        if perth := own["perth"]:
            figures[f"perth_{group}_8s"] = {"present": _shares(perth, 0.5), **_means(perth)}
    figures["times_real_time"] = next((row["times_real_time"] for row in rows if row["kind"] == "speed"), None)
    emit("watermark_audio", f"48 bits in {LEAST_SECONDS:g} s and more, payload at p <= {ALARM:g}", figures)


def _shares(rows: Sequence[Row], least: float = 1) -> Row:
    return {name: interval(sum(row["found"][name] >= least for row in rows), len(rows)) for name in rows[0]["found"]}


def _count(rows: Sequence[Row], field: str, value: int) -> int:
    return sum(each == value for row in rows for each in row[field].values())


def _means(rows: Sequence[Row]) -> Row:
    return {name: round(float(np.mean([row[name] for row in rows])), 3) for name in rows[0] if name in MEASURES}


def _rows() -> list[Row]:
    return [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()] if KEPT.is_file() else []


def _keep(row: Row) -> None:
    with KEPT.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row) + "\n")
    print(row["kind"], row["number"], file=sys.stderr)


if __name__ == "__main__":
    main()
