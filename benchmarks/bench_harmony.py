"""Chords under a melody: how often their root is real: `python benchmarks/bench_harmony.py --file jsb16.json.gz`.

Protocol of `root_agreement`: of the sopranos of a split of the canonical JSB set, alone; a quarter of the grid counts
where the four voices make a clear chord (`castalia.training.harmony.label`); the share of those whose found root is its
root. The key is the piece's own by `quality.key_of`, for all methods alike. Baselines: always the tonic; by the
soprano's note alone, the root that is most frequent over it in the training split. `bar` finds chords by the bar and
half bar as songs have them, where real ones change by the quarter. `melody_on_chord_tones`: share of the soprano's
length that belongs to the chord, of the real chords and of those found. `melody_fit`: the measure of the rule
`chord-fit`, 5th, 50th and 95th percentile over pieces: with the real chords, with those found by the bar, and with the
real chords of the next piece of the same mode, put into the same key: what the rule's threshold must lie between.

`song_root_agreement`: songs and the plain chords that songbooks print, quarter by quarter, chords found by the bar;
beside the tonic always, and beside whichever of I, IV and V holds most of each half bar. On twelve of them
(`song_chords.abc`) the weights of `harmony.find` were chosen; `new` are seven others (`song_chords_new.abc`), written
down afterwards, their figure taken once.

With `--tunes FOLDER`: every 40th ABC file of it accompanied by each ensemble; first drafts that pass, and the fit.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from _report import emit, interval
from castalia import genres
from castalia.core.score import QUARTER, ChordSymbol, Note, Part, Score
from castalia.core.values import Brief
from castalia.modalities.music import Composers, compose, melody_of, read_score
from castalia.modalities.music.harmony.chords import NAMES, chord_of, name_of
from castalia.modalities.music.harmony.find import find_chords
from castalia.modalities.music.harmony.find import tonic_of as tonic_of_score
from castalia.modalities.music.harmony.model import ChordModel, tones
from castalia.quality import judge, melody_fit
from castalia.training.harmony.label import BEAT, states_of, tonic_of

Frames = np.ndarray


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, required=True, help="gzipped JSON: {split: [piece, …]}")
    parser.add_argument("--split", default="valid")
    parser.add_argument("--tunes", type=Path, help="folder of ABC files to accompany")
    args = parser.parse_args()
    found = json.loads(gzip.decompress(args.file.read_bytes()))
    train, pieces = ([np.array(piece, np.int64) for piece in found[name]] for name in ("train", args.split))
    by_note = noted(train)
    model = ChordModel.default()
    right = dict.fromkeys(("model", "model_bar", "note", "tonic"), 0)
    counted = 0
    real_tones: list[float] = []
    found_tones: list[float] = []
    bar_tones: list[float] = []
    for piece in pieces:
        tonic, mode = tonic_of(piece)
        states = states_of(piece, tonic)
        score = soprano(piece, tonic, mode)
        if not score.parts[0].notes:
            continue
        chords = {pace: find_chords(score, score.parts[0].notes, model, pace=pace) for pace in ("beat", "bar")}
        at = {pace: by_beat(chords[pace], len(states)) for pace in chords}
        for beat, state in enumerate(states):
            if state < 0:
                continue
            counted += 1
            top = int(piece[beat * BEAT, 0])
            truth = (state % 12 + tonic) % 12
            right["model"] += at["beat"][beat][0] == truth
            right["model_bar"] += at["bar"][beat][0] == truth
            right["tonic"] += tonic == truth
            right["note"] += (by_note[mode][(top - tonic) % 12] + tonic) % 12 == truth
            names = [(int(pitch) - tonic) % 12 for pitch in piece[beat * BEAT : (beat + 1) * BEAT, 0] if pitch]
            real_tones += [name in tones(state) for name in names]
            found_tones += [(name + tonic) % 12 in at["beat"][beat] for name in names]
            bar_tones += [(name + tonic) % 12 in at["bar"][beat] for name in names]
    line = {
        "melody_fit_5_50_95": fits(pieces, model),
        "split": args.split,
        "pieces": len(pieces),
        "quarters": counted,
        "root_agreement": {name: interval(hits, counted) for name, hits in right.items()},
        "melody_on_chord_tones": {
            "real": round(float(np.mean(real_tones)), 3),
            "beat": round(float(np.mean(found_tones)), 3),
            "bar": round(float(np.mean(bar_tones)), 3),
        },
        "song_root_agreement": {
            "chosen_on": songs(model, "song_chords.abc"),
            "new": songs(model, "song_chords_new.abc"),
        },
        "model_digest": model.digest[:12],
    }
    if args.tunes:
        line["accompanied"] = accompanied(args.tunes)
    emit(f"harmony_{args.split}", "root_agreement: quarters of JSB sopranos alone, clear chords only, key given", line)


def songs(model: ChordModel, name: str) -> dict[str, Any]:
    """Share of quarters whose root is the printed one, by method; and by song, found by the bar."""
    right = dict.fromkeys(("model", "three_chords", "tonic"), 0)
    by_song: dict[str, float] = {}
    counted = 0
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    for each in re.split(r"(?m)^(?=X:)", text)[1:]:
        score = read_score(each.encode(), "abc")
        melody, tonic = melody_of(score), tonic_of_score(score)
        found = find_chords(score, melody, model)
        hits = quarters = 0
        for tick in range(score.pickup, score.length, QUARTER):
            real = root_at(score.chords, tick)
            half = score.pickup + (tick - score.pickup) // (2 * QUARTER) * 2 * QUARTER
            quarters += 1
            hits += root_at(found, tick) == real
            right["tonic"] += tonic == real
            right["three_chords"] += primary(melody, half, half + 2 * QUARTER, tonic, score.mode) == real
        right["model"] += hits
        counted += quarters
        by_song[score.title] = round(hits / quarters, 3)
    return {name: interval(hits, counted) for name, hits in right.items()} | {"by_song": by_song}


def root_at(chords: tuple[ChordSymbol, ...], tick: int) -> int:
    """Pitch class of the root of the chord that stands there; -1 for none."""
    name = next((each.name for each in reversed(chords) if each.start <= tick), "N.C.")
    chord = chord_of(name)
    return chord.root if chord and chord.tones else -1


def primary(melody: tuple[Note, ...], start: int, end: int, tonic: int, mode: str) -> int:
    """Root of the one of I, IV and V that holds most of the melody between two ticks, the first of equals."""
    third = 3 if mode in ("minor", "dorian", "phrygian") else 4
    triads = [(0, third, 7), (5, (5 + third) % 12, 0), (7, 11, 2)]
    held = [
        sum(
            max(0, min(note.start + note.length, end) - max(note.start, start))
            for note in melody
            if (note.pitch - tonic) % 12 in triad
        )
        for triad in triads
    ]
    return (tonic + triads[held.index(max(held))][0]) % 12


def accompanied(folder: Path) -> dict[str, Any]:
    """First drafts of the genre under every rule, by ensemble; percentiles of the melody's fit."""
    room, composers = genres.find("accompaniment"), Composers()
    passed: dict[str, list[bool]] = {}
    shares: list[float] = []
    for number, path in enumerate(sorted(folder.glob("*.abc"))[::40]):
        tune = read_score(path.read_bytes(), "abc")
        for texture in ("chords", "bass", "piano", "guitar", "strings", "band"):
            fields = genres.fields_of(room, {"melody": tune, "texture": texture})
            brief = Brief(genre=room.name, words="", fields=fields, seed=number)
            draft = compose(brief, room.plan(brief), composers, room.assemble)
            passed.setdefault(texture, []).append(judge(draft, room.rules(brief)).passed)
            if draft.content.score and texture == "piano":
                shares.append(melody_fit(draft.content.score))
    return {
        "first_drafts_that_pass": {name: interval(sum(found), len(found)) for name, found in passed.items()},
        "melody_fit_5_50_95": np.percentile(shares, (5, 50, 95)).round(3).tolist(),
    }


def fits(pieces: list[Frames], model: ChordModel) -> dict[str, list[float]]:
    """Percentiles of the share of the melody's weight on chord tones."""
    made: dict[str, list[float]] = {"real": [], "bar": [], "of_another_piece": []}
    before: dict[int, tuple[int, list[int]]] = {}
    for piece in pieces:
        tonic, mode = tonic_of(piece)
        states = states_of(piece, tonic)
        score = soprano(piece, tonic, mode)
        chords = find_chords(score, score.parts[0].notes, model)
        made["real"].append(melody_fit(score.model_copy(update={"chords": symbols(states, tonic)})))
        made["bar"].append(melody_fit(score.model_copy(update={"chords": chords})))
        if mode in before:
            others = before[mode][1]
            strange = [others[beat % len(others)] for beat in range(len(states))]
            made["of_another_piece"].append(melody_fit(score.model_copy(update={"chords": symbols(strange, tonic)})))
        before[mode] = tonic, states
    return {name: np.percentile(values, (5, 50, 95)).round(3).tolist() for name, values in made.items()}


def symbols(states: list[int], tonic: int) -> tuple[ChordSymbol, ...]:
    """The labels as chord symbols, those that are not clear left out."""
    made: list[ChordSymbol] = []
    for beat, state in enumerate(states):
        if state >= 0:
            made.append(ChordSymbol(beat * QUARTER, name_of((state % 12 + tonic) % 12, NAMES[state // 12], 0, "major")))
    return tuple(made)


def noted(pieces: list[Frames]) -> list[list[int]]:
    """The root, above the tonic, that is most frequent under each note of the soprano, in major and in minor."""
    counts = np.zeros((2, 12, 12))
    for piece in pieces:
        tonic, mode = tonic_of(piece)
        for beat, state in enumerate(states_of(piece, tonic)):
            if state >= 0 and piece[beat * BEAT, 0]:
                counts[mode, (piece[beat * BEAT, 0] - tonic) % 12, state % 12] += 1
    return counts.argmax(2).tolist()


def soprano(piece: Frames, tonic: int, mode: int) -> Score:
    """The top voice alone, in its key."""
    notes: list[Note] = []
    for frame, pitch in enumerate(piece[:, 0].tolist()):
        tick = frame * QUARTER // BEAT
        held = notes and notes[-1].pitch == pitch and notes[-1].start + notes[-1].length == tick
        if held and frame % BEAT:
            notes[-1] = notes[-1]._replace(length=notes[-1].length + QUARTER // BEAT)
        elif pitch:
            notes.append(Note(tick, QUARTER // BEAT, pitch))
    fifths = (7 * (tonic + (3 if mode else 0)) + 5) % 12 - 5
    part = Part(name="S", kind="voice", notes=tuple(notes))
    return Score(parts=(part,), fifths=fifths, mode="minor" if mode else "major")


def by_beat(chords: tuple[ChordSymbol, ...], beats: int) -> list[tuple[int, ...]]:
    """Pitch classes of the chord of each quarter, the root first."""
    made: list[tuple[int, ...]] = []
    for beat in range(beats):
        name = next((each.name for each in reversed(chords) if each.start <= beat * QUARTER), chords[0].name)
        chord = chord_of(name)
        assert chord
        made.append(chord.tones)
    return made


if __name__ == "__main__":
    main()
