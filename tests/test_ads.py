"""Adverts: platforms' limits, claims, calls to action; with a real model, and a checker that counts by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castalia.core.errors import UsageError
from castalia.core.values import Brief, Content, Draft, Evidence
from castalia.engines.llama import Llama
from castalia.genres import _platforms as table
from castalia.genres import fields_of, find
from castalia.modalities.text import compose
from castalia.modalities.text.forms.facts import FactSheet
from castalia.modalities.text.forms.limits import LimitForm
from castalia.quality import ClaimsRule, Limit, LimitsRule, claim_words, judge, platform_length

BAKERY = "Sunrise Bakery on Mill Lane: sourdough baked every morning from 6 am, ready before work"
NOODLES = "老码头面馆，手工拉面，骨汤熬8小时，每晚营业到凌晨2点"


def brief(words: str, seed: int = 1, **fields: object) -> Brief:
    return Brief(genre="ad", words=words, fields=fields_of(find("ad"), fields), seed=seed)


def draft(content: Content, words: str = "") -> Draft:
    evidence = Evidence(model="m", digest="d", engine="e", seed=1)
    return Draft(brief=brief(words, language=content.language), content=content, evidence=evidence)


@pytest.fixture(scope="module")
def llama(small_model_path: Path) -> Iterator[Llama]:
    engine = Llama(small_model_path, name="small", digest="0" * 64, context=2048, threads=1)
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (BAKERY, {"platform": "google", "headlines": 3, "keywords": "sourdough"}),
        (BAKERY, {"platform": "linkedin"}),
        (NOODLES, {"platform": "baidu", "headlines": 2, "language": "zh"}),
    ],
)
def test_what_the_form_lets_through_the_checker_accepts(llama: Llama, words: str, fields: dict[str, object]) -> None:
    genre = find("广告")
    asked = brief(words, **fields)
    made = compose(asked, genre.plan(asked), llama, genre.assemble)
    place = table.platform(str(fields["platform"]))
    assert sum(len(made.content.fields[name]) for name in place.parts) >= 2
    for name, part in place.parts.items():
        for text in made.content.fields[name]:
            assert 0 < platform_length(text, place.wide) <= part.limit, (name, text)
    broken = {finding.rule for finding in judge(made, genre.rules(asked)).broken}
    assert broken <= {"count", "keywords"}, broken
    assert made.content.fields["call_to_action"] in made.content.text


def test_own_call_to_action_is_used_to_the_letter(llama: Llama) -> None:
    genre = find("ad")
    asked = brief(BAKERY, platform="bing", headlines=3, call_to_action="Come and smell it")
    made = compose(asked, genre.plan(asked), llama, genre.assemble)
    assert made.content.fields["call_to_action"] == "Come and smell it"
    assert made.content.fields["descriptions"][0].endswith(" Come and smell it.")


@pytest.mark.parametrize(
    ("text", "wide", "length"),
    [
        ("Fresh bread", 2, 11),
        ("新鲜面包", 2, 8),
        ("新鲜面包", 1, 4),
        ("ＡＢ", 2, 4),
        ("café", 2, 4),
        ("cafe\u0301", 2, 4),
        ("", 2, 0),
    ],
)
def test_platforms_count(text: str, wide: int, length: int) -> None:
    assert platform_length(text, wide) == length


@given(st.text("abé 面包，。Ａ￥", max_size=40), st.sampled_from([1, 2]))
def test_the_form_never_counts_less_than_the_checker(text: str, wide: int) -> None:
    from castalia.genres.ad import _counter

    assert _counter(wide)(text) >= platform_length(text, wide)


def test_limits_name_the_place() -> None:
    content = Content(text="x", fields={"headlines": ["Bread baked before you wake up, always", "Rye!", "rye"]})
    findings = LimitsRule({"headlines": Limit(30, 2, 2)}, wide=2, exclaim=False).check(draft(content))
    assert {(each.rule, each.place) for each in findings if not each.ok} == {
        ("count", "headlines"),
        ("limits", "headlines 1"),
        ("punctuation", "headlines 2"),
        ("distinct", "headlines 3"),
    }


@pytest.mark.parametrize(
    ("text", "language", "said", "verdict"),
    [
        ("The best bread in town", "en", "bread", "refuse"),
        ("The best bread in town", "en", "the best bread in town", "note"),
        ("Free delivery today", "en", "bread", "refuse"),
        ("Free delivery today", "en", "bread, free delivery", "ok"),
        ("Carefree mornings", "en", "bread", "ok"),
        ("最近开业", "zh", "面馆", "ok"),
        ("最好吃的面", "zh", "面馆", "refuse"),
        ("全场免费", "zh", "面馆", "refuse"),
    ],
)
def test_claims(text: str, language: str, said: str, verdict: str) -> None:
    findings = ClaimsRule(said).check(draft(Content(text=text, language=language)))  # type: ignore[arg-type]
    worst = "refuse" if any(f.refuses for f in findings) else "note" if any(not f.ok for f in findings) else "ok"
    assert worst == verdict


def test_claims_are_masked_too() -> None:
    words = claim_words("en", "free coffee")
    assert "best" in words
    assert "free" not in words
    cursor = LimitForm("en", 40, forbidden=words).unit(0, "").cursor()  # type: ignore[union-attr]
    cursor.advance("The")
    assert not cursor.admits(" best")
    assert cursor.admits(" bread")


def test_hours_keep_their_half_of_the_day() -> None:
    sheet = FactSheet("open from 6 am until 10:30 p.m., 12 seats", "en")
    assert not sheet.complete("Open from 6")
    assert sheet.complete("Open from 6 am")
    assert sheet.admits("Open from 6", " am", start=False)
    assert not sheet.admits("Open from 6", " pm", start=False)
    assert not sheet.admits("Open from 6", " every", start=False)
    assert sheet.admits("Room for 12", " guests", start=False)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"headlines": 2}, "3 to 15"),
        ({"platform": "myspace"}, "google"),
        ({"platform": "meta", "descriptions": 9}, "1 to 5"),
        ({"platform": "baidu", "texts": 1}, "none"),
    ],
)
def test_wrong_numbers_are_explained(fields: dict[str, object], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        fields_of(find("ad"), fields)


def test_own_platforms_win(home: Path) -> None:
    folder = home / "config"
    folder.mkdir(parents=True)
    own = """
        radio.title = ["Radio", "电台"]
        radio.source = "us"
        radio.checked = "2026-11"
        radio.texts = {limit = 300, least = 1, most = 1, usual = 1}
    """
    (folder / "platforms.toml").write_text(own, encoding="utf-8")
    table.platforms.cache_clear()
    try:
        assert table.platform("radio").parts["texts"].limit == 300
        (folder / "platforms.toml").write_text("[radio]\nlimit = 3", encoding="utf-8")
        table.platforms.cache_clear()
        with pytest.raises(UsageError, match="malformed"):
            table.platform("radio")
    finally:
        table.platforms.cache_clear()
