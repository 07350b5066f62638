"""Where an English word is broken under notes: `wa-ter`, `ev-ery`, `sing-ing`, in so many pieces as it has syllables.

By letters: each syllable is built round a group of vowels, silent ones left out until as many groups are left as the
word has syllables; a single consonant goes with the vowel after it, but stays with a short stressed one (`riv-er`);
endings that leave a common word are broken off (`walk-ing`).
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Sequence

from castalia.modalities.text.forms.english import spelled_syllables

_UNITS = re.compile(r"tch|dge|ght|ch|sh|th|ph|wh|gh|ck|qu|gn$|.")
_ONSETS = frozenset("bl br cl cr dr fl fr gl gr pl pr sc sk sl sm sn sp st sw tr tw thr shr chr wr kn phr".split())
_LIQUID = frozenset("bl br cl cr dr fl fr gl gr pl pr tr thr".split())
_TO_THE_LEFT = frozenset(["x", "ck", "tch", "dge", "ght"])
_HIATUS = tuple("ia io iu eo ua uo ya yi yo ye oi ui ei ie ue ea oe ao ae eu ai ou ee oo ay oy ow aw ew".split())
"""Pairs of vowels that are two syllables, the likeliest first."""
_ENDINGS = ("ings", "ing", "ness", "less", "ful", "ment", "ers", "er", "ed", "es", "est", "ly")
_BEGINNINGS = ("un", "dis", "mis", "in", "out", "fore", "with")
_SHORT = frozenset(["AE", "EH", "IH", "AH", "UH"])
"""Vowels that keep the consonant after them when they are stressed."""

_Span = tuple[int, int]


def break_word(
    word: str, count: int, vowels: Sequence[str] = (), known: Callable[[str], bool] = lambda _: False
) -> list[str]:
    """The pieces of a word's spelling, which joined are the word.

    Args:
        word: One word, apostrophes included.
        count: Pieces, at least 1.
        vowels: Its vowels in ARPABET with stress digits, where its sound is known.
        known: Whether letters are a common word.
    """
    low = "".join(unicodedata.normalize("NFD", letter)[0] for letter in word.lower())
    count = min(count, len(low))
    if count < 2:
        return [word]
    groups, silent = _nuclei(low, count)
    cuts = [
        _cut(
            low,
            before,
            after,
            [at for at in silent if before[1] <= at < after[0]],
            keeps=_keeps(low, before, vowels, index, count),
        )
        for index, (before, after) in enumerate(itertools.pairwise(groups))
    ]
    for ending in _ENDINGS:
        stem = low.removesuffix(ending)
        if stem != low and groups[-1][0] >= len(stem) and _breaks_off(stem, ending, count, known):
            cuts[-1] = len(stem)
            break
    for beginning in _BEGINNINGS:
        rest = low.removeprefix(beginning)
        if rest != low and len(rest) > 2 and groups[0][1] <= len(beginning) <= groups[1][0] and known(rest):
            cuts[0] = len(beginning)
    return [word[start:end] for start, end in zip([0, *cuts], [*cuts, len(word)], strict=True)]


def vowel_groups(low: str) -> list[_Span]:
    """Runs of vowels; `y` before a vowel at a word's or syllable's beginning and `u` after `q` are none."""
    plain = re.sub(r"qu(?=[aeiouy])", "qw", low)
    plain = re.sub(r"(^|(?<=[aeou]))y(?=[aeiou])", "j", plain)
    return [found.span() for found in re.finditer(r"[aeiouy]+", plain)]


def _nuclei(low: str, count: int) -> tuple[list[_Span], list[int]]:
    """As many vowel groups as there are syllables, and the places of vowels that were found silent."""
    groups, silent = vowel_groups(low), list[int]()
    while len(groups) > count and (mute := _silent(low, groups)):
        groups.remove(mute)
        silent.append(mute[0])
    while len(groups) > count:
        groups[-2:] = [(groups[-2][0], groups[-1][1])]
    while len(groups) < count:
        _divide(low, groups)
    return groups, silent


def _silent(low: str, groups: Sequence[_Span]) -> _Span | None:
    """The `e` that is likeliest to be silent."""
    single = [span for span in groups[1:] if low[span[0] : span[1]] == "e"]
    last = [span for span in single if low[span[1] :] in ("", "s", "d", "'s") and not low[: span[0]].endswith("ttl")]
    medial = [span for span in single if span not in last and not low[span[1] :].startswith(("x", "ct"))]
    syncope = [
        span
        for span in medial
        if low[span[1] : span[1] + 1] in ("r", "n") and low[span[1] + 1 : span[1] + 2] in "aeiouy"
    ]
    after_long = [span for span in medial if re.search(r"[aeiou][^aeiou]$", low[: span[0]])]
    other = [span for span in groups[1:] if low[span[0] : span[1]] in ("i", "o", "a")]
    return next(iter((*last[-1:], *after_long, *syncope, *medial, *other)), None)


def _divide(low: str, groups: list[_Span]) -> None:
    """One group more: a pair of vowels divided, else a consonant taken for a vowel (`pris-m`)."""
    found = [
        (bool(pair[0] == "i" and start > 0 and low[low.find(pair, start, end) - 1] in "tscgx"), rank, index)
        for rank, pair in enumerate(_HIATUS)
        for index, (start, end) in enumerate(groups)
        if low.find(pair, start, end) >= 0
    ]
    if found:  # the i of `-tion` and `-cial` is the last to be taken for a syllable
        _, rank, index = min(found)
        start, end = groups[index]
        at = low.find(_HIATUS[rank], start, end)
        groups[index : index + 1] = [(start, at + 1), (at + 1, end)]
        return
    taken = {place for start, end in groups for place in range(start, end)}
    free = [place for place in range(len(low)) if place not in taken]
    liquid = [place for place in free if low[place] in "mlrn" and place > 0]
    place = (liquid or free)[-1] if free else -1
    if place >= 0:
        groups.append((place, place + 1))
        groups.sort()
        return
    index = max(range(len(groups)), key=lambda number: groups[number][1] - groups[number][0])
    start, end = groups[index]
    groups[index : index + 1] = [(start, start + 1), (start + 1, end)]


def _keeps(low: str, span: _Span, vowels: Sequence[str], index: int, count: int) -> bool:
    """Whether a syllable's vowel takes the consonant after it: a short stressed one, `er` before a stress, `ow`."""
    if len(vowels) != count:
        return False
    vowel, after = vowels[index], vowels[index + 1]
    short = vowel[:-1] in _SHORT and vowel[-1] in "12"
    before_stress = vowel[:-1] == "ER" and after[-1] in "12"
    glide = low[span[1] - 1 : span[1] + 1] == "ow" and vowel[:-1] in ("AW", "OW")
    return short or before_stress or glide


def _cut(low: str, before: _Span, after: _Span, silent: Sequence[int], *, keeps: bool) -> int:
    """The place between two vowels where the word is broken."""
    start, end = before[1], after[0]
    between = low[start:end]
    if silent:
        mute = silent[0] - start
        return start + (min(mute, 1) if between[mute + 1 : mute + 2] == "r" else mute + 1)  # ev-ery, some-thing
    if "'" in between:
        return start + between.index("'")
    units = _UNITS.findall(between)
    if not units:
        return start
    if low[end:] in ("e", "es", "ed") and units[-1] == "l" and len(units) > 1:
        return end - len("".join(units[-2:]))  # ta-ble, lit-tle
    if units == ["ght"] and low[:start].endswith("au"):
        return end - 1  # daugh-ter
    if len(units) == 1:
        soft = units[0] in ("c", "t", "s") and re.match("i[aou]", low[end : after[1]])  # spe-cial
        return end if not soft and (keeps or units[0] in _TO_THE_LEFT) else start
    pair = "".join(units[-2:])
    if len(units) == 2:
        return start if pair in _LIQUID and not keeps else start + len(units[0])
    return end - len(pair if pair in _ONSETS else units[-1])


def _breaks_off(stem: str, ending: str, count: int, known: Callable[[str], bool]) -> bool:
    """Whether an ending is a piece of its own after a common word."""
    if len(stem) < 3 or spelled_syllables(stem) != count - 1:
        return False
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "ls":
        return False  # run-ning
    if re.search(r"[^aeiouyrl]l$", stem):
        return False  # wat-tles, spar-kling
    if ending in ("er", "ers") and not re.search(r"[aeiouy](?:.|ch|sh|th|ng|ck)$", stem):
        return False
    return known(stem) or (ending in ("ing", "ings", "es") and known(stem + "e"))
