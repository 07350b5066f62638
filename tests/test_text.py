"""The sampling loop's laws, with a real model and small forms made here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from castalia.core.ports import DrawnToken, Message, Plan, Sampling, Scores, Step
from castalia.core.values import Brief, BriefFields, Content
from castalia.engines.llama import Llama
from castalia.modalities.text import compose, critic, encode
from castalia.modalities.text.decode import UNFINISHED, piece_after
from castalia.modalities.text.forms.talk import TalkForm
from castalia.modalities.text.generate import Writer


@pytest.fixture(scope="module")
def llama(small_model_path: Path) -> Iterator[Llama]:
    engine = Llama(small_model_path, name="small", digest="0" * 64, context=1024, threads=1)
    yield engine
    engine.close()


def draft(engine: Llama, step: Step, seed: int = 1, **more: object):
    brief = Brief(genre="test", words="", fields=BriefFields(), seed=seed)
    return compose(brief, Plan((step,)), engine, lambda _, parts: Content(text=parts["body"]), **more)  # type: ignore[arg-type]


def step(form: object = None, *, words: str = "Write about the sea.", **more: object) -> Step:
    return Step("body", (Message("user", words),), form=form, max_tokens=24, **more)  # type: ignore[arg-type]


@dataclass
class LetterUnit:
    """Five tokens without the letter e, in lower case."""

    width: int = 3
    tries: int = 2
    max_tokens: int = 5
    opening: str = ""
    closing: str = "\n"
    optional: bool = False
    turn_down: int = 0

    def cursor(self) -> LetterCursor:
        return LetterCursor()

    def accepts(self, text: str) -> bool:
        self.turn_down -= 1
        return self.turn_down < 0

    def rank(self, text: str) -> float:
        return 0.0


class LetterCursor:
    def __init__(self, count: int = 0) -> None:
        self.count = count

    @property
    def done(self) -> bool:
        return self.count == 5

    def admits(self, piece: str) -> bool:
        return piece.strip().isalpha() and piece.islower() and piece.isascii() and "e" not in piece

    def advance(self, piece: str) -> None:
        assert self.admits(piece)
        self.count += 1

    def fork(self) -> LetterCursor:
        return LetterCursor(self.count)

    def bonus(self, pieces: Sequence[str]) -> None:
        return None

    def suggestions(self) -> Sequence[str]:
        return ()


class LetterForm:
    def __init__(self, *units: LetterUnit) -> None:
        self.units = units

    def unit(self, index: int, so_far: str) -> LetterUnit | None:
        return self.units[index] if index < len(self.units) else None


def test_same_seed_same_text_other_seed_other_text(llama: Llama) -> None:
    hot = step(sampling=Sampling(temperature=1.2))
    texts = [draft(llama, hot, seed).content.text for seed in (1, 2, 3, 1)]
    assert texts[0] == texts[3]
    assert len(set(texts)) == 3


def test_a_masked_text_keeps_its_form_and_says_so(llama: Llama) -> None:
    made = draft(llama, step(LetterForm(LetterUnit(), LetterUnit())))
    lines = made.content.text.splitlines()
    assert len(lines) == 2
    assert "e" not in made.content.text
    assert made.evidence.form == "masked"
    assert made.evidence.sampled_tokens == 10


def test_a_unit_that_is_turned_down_is_written_again(llama: Llama) -> None:
    made = draft(llama, step(LetterForm(LetterUnit(turn_down=3))))
    assert made.content.text.strip()


def test_an_optional_unit_is_skipped_and_a_required_one_ends_the_draft(llama: Llama) -> None:
    skipped = draft(llama, step(LetterForm(LetterUnit(turn_down=99, optional=True), LetterUnit())))
    assert len(skipped.content.text.splitlines()) == 1
    failed = draft(llama, step(LetterForm(LetterUnit(turn_down=99), LetterUnit())))
    assert failed.content.text == ""
    assert failed.score < skipped.score - 50


class RhymingForm:
    """Two lines; the second is turned down until the first has been written anew."""

    def __init__(self) -> None:
        self.firsts: list[str] = []

    def unit(self, index: int, so_far: str) -> LetterUnit | None:
        if index == 0:
            return LetterUnit()
        if index == 1:
            self.firsts += [so_far] * (so_far not in self.firsts)
            return LetterUnit(turn_down=0 if len(self.firsts) > 1 else 99)
        return None


def test_writing_goes_back_to_the_line_before_one_that_cannot_be_written(llama: Llama) -> None:
    form = RhymingForm()
    made = draft(llama, step(form, sampling=Sampling(temperature=1.2)))
    assert len(form.firsts) == 2
    assert made.content.text.startswith(form.firsts[1])
    assert len(made.content.text.splitlines()) == 2
    assert made.evidence.sampled_tokens == 10


def test_candidates_with_one_forced_word_rank_lower() -> None:
    assert critic.rank(-10.0, -2.0, 5) > critic.rank(-10.0, -9.0, 5)
    assert critic.rank(-10.0, -2.0, 5) == pytest.approx(-2.0 - 0.08 * 2.0)
    assert critic.score(-10.0, 5) == -2.0
    assert critic.score(0.0, 0) == 0.0


def test_the_watermark_keeps_out_of_steps_too_short_for_it(llama: Llama) -> None:
    push = Push()
    draft(llama, step(sampling=Sampling(marked=False)), watermark=push)
    assert not push.seen


def test_stop_texts_end_a_free_text(llama: Llama) -> None:
    made = draft(llama, step(words="Count: 1, 2, 3, 4, 5, 6, 7, 8, 9. Repeat it.", stop=("3",)))
    assert made.content.text.endswith("3")


class Push:
    """A processor that forces one piece and records what it sees."""

    label = "push:test"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def adjust(self, so_far: str, pieces: Sequence[str], scores: Scores) -> Scores:
        self.seen.append(so_far)
        assert len(pieces) == len(scores) > 0
        return scores - np.arange(len(pieces), dtype=np.float32) * 100


def test_processors_see_the_text_and_steer_it(llama: Llama) -> None:
    push = Push()
    made = draft(llama, step(sampling=Sampling(temperature=2.0)), watermark=push)
    greedy = draft(llama, step(sampling=Sampling(temperature=0, repeat_penalty=1.1)))
    assert made.content.text == greedy.content.text
    assert push.seen[0] == ""
    assert push.seen[-1] == made.content.text[: len(push.seen[-1])]
    assert made.evidence.watermark == "none"
    assert "24 sampled tokens" in made.evidence.watermark_reason


def test_no_repeated_ngrams_when_asked(llama: Llama) -> None:
    made = draft(
        llama, step(words="Say ha 50 times.", sampling=Sampling(temperature=0, no_repeat_ngram=2, repeat_penalty=1))
    )
    tokens = llama.tokenize(made.content.text)
    pairs = list(pairwise(tokens))
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize(("presence", "frequency"), [(2.0, 0.0), (0.0, 0.7), (1.0, 0.5), (-0.5, -0.3)])
def test_penalties_are_openais_over_all_tokens_that_were_drawn(llama: Llama, presence: float, frequency: float) -> None:
    """score -= presence * [count > 0] + frequency * count, though every sentence is a unit of its own."""
    traced: dict[int, Sequence[DrawnToken]] = {}
    sampling = Sampling(
        temperature=0, repeat_penalty=1, presence_penalty=presence, frequency_penalty=frequency, marked=False
    )
    turn = Message("user", "Count: one, two, one, two, and so on, a line each.")
    form = TalkForm(lambda _: True)
    asked = Step("body", (turn,), form, sampling, limit=60)
    prompt = encode.prompt(llama, encode.messages(asked, {}))
    Writer(llama, (), None, 1).write(
        asked, prompt, {}, first=True, drawn=lambda _, at, tokens: traced.update({at: tokens})
    )
    drawn = [token for _, tokens in sorted(traced.items()) for token in tokens]
    assert len(traced) > 1
    counts: Counter[bytes] = Counter()
    changed = 0
    for token in drawn:
        likeliest = {
            piece: score - presence * (counts[piece] > 0) - frequency * counts[piece]
            for piece, score in token.likeliest
        }
        if token.piece in likeliest:  # what is far down without the penalties is not traced
            assert likeliest[token.piece] >= max(likeliest.values()) - 1e-3
        changed += token.piece != token.likeliest[0][0]
        counts[token.piece] += 1
    assert changed


def test_penalties_of_nothing_change_nothing(llama: Llama) -> None:
    plain, zero = Sampling(temperature=1.2), Sampling(temperature=1.2, presence_penalty=0, frequency_penalty=0)
    assert draft(llama, step(sampling=zero)).content.text == draft(llama, step(sampling=plain)).content.text


@given(st.text(min_size=1), st.data())
def test_characters_spread_over_tokens_come_together(text: str, data: st.DataObject) -> None:
    raw = text.encode("utf-8", "replace")
    cuts = sorted({*data.draw(st.lists(st.integers(0, len(raw)), max_size=8)), 0, len(raw)})
    built, pending = "", b""
    for start, end in pairwise(cuts):
        for byte in range(start, end):
            after = piece_after(pending, raw[byte : byte + 1])
            assert after is not None
            piece, pending = after
            built += "" if piece == UNFINISHED and pending else piece
    assert built == raw.decode()


@given(st.binary(min_size=1, max_size=4))
def test_bytes_that_cannot_become_text_are_told_apart(raw: bytes) -> None:
    after = piece_after(b"", raw)
    if after is None:
        return
    piece, pending = after
    assert piece.encode() == raw or (piece == UNFINISHED and pending == raw)


class LongestUnit(LetterUnit):
    """Counts how often it is written."""

    def cursor(self) -> LetterCursor:
        self.turn_down -= 1
        return LetterCursor()

    def accepts(self, text: str) -> bool:
        return True


def test_a_unit_with_a_forced_token_is_written_again_and_the_best_is_kept(llama: Llama) -> None:
    easy, hard = LongestUnit(width=2, tries=3), LongestUnit(width=2, tries=3)
    free = draft(llama, step(LetterForm(easy), sampling=Sampling(temperature=1.0)))
    forced = draft(llama, step(LetterForm(hard), sampling=Sampling(temperature=1.0, forced=0.0)))
    assert -easy.turn_down == 2  # one try of two candidates
    assert -hard.turn_down == 6  # no token has probability one: every try is used
    assert forced.score >= free.score
    assert len(forced.content.text.splitlines()) == 1
    following = draft(llama, step(LetterForm(LongestUnit(tries=3), LetterUnit()), sampling=Sampling(forced=0.0)))
    assert len(following.content.text.splitlines()) == 2
