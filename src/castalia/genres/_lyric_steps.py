"""The words of a song, written: verses and a chorus in forms that can be sung, and a title."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from castalia.core.language import is_chinese
from castalia.core.ports import Form, FormMaker, Message, Step
from castalia.core.values import Language
from castalia.genres._lyrics import LINES, Lyrics, Section, singable
from castalia.modalities.text.forms.imagery import OPENING
from castalia.modalities.text.forms.metrical import LineShape, MetricalForm
from castalia.modalities.text.forms.regulated import Length, RegulatedForm, poem
from castalia.modalities.text.forms.subject import subject
from castalia.modalities.text.presets import FIXED_VERSE, METRE

EIGHT, SIX, SEVEN = ("wswswsws",), ("wswsws",), ("swswsws",)
VERSE = ((EIGHT, "A"), (SIX, "B"), (EIGHT, "C"), (SIX, "B"))
"""Common metre: 8.6.8.6, rhymed abcb."""
CHORUS = ((SEVEN, "A"), (SEVEN, "A"), (SEVEN, "B"), (SEVEN, "B"))
"""7.7.7.7, rhymed in couplets."""
_ABOUT = re.compile(
    r"^\s*(?:please\s+)?(?:write\s+(?:me\s+)?)?(?:an?|the)?\s*(?:\w+\s+)?(?:song|lullaby|ballad|hymn|carol|shanty)s?\s+(?:about|of|on|for)\s+",
    re.IGNORECASE,
)
_ABOUT_ZH = re.compile(r"^(?:请)?(?:写)?(?:一首)?(?:关于)?|的?(?:歌曲?|歌谣)$")

SYSTEM = (
    "You write songs that people sing, in plain modern English. A verse has four lines that tell what happens, a "
    "chorus has four lines that everybody remembers. Every line is a natural phrase of short everyday words, "
    "stays with the subject and can be sung. Only the lines."
)
EXAMPLE_ABOUT = "an old fisherman who comes home"
EXAMPLE_VERSES = (
    "The boats come in before the dark\nAnd tie against the wall.\n"
    "An old man lifts his lantern up\nTo hear the seagulls call.",
    "His coat is torn, his hands are cold,\nHis hair is full of foam,\n"
    "But every wave behind his boat\nHas pushed him gently home.",
    "The kettle sings, the lamp is low,\nThe table has been laid.\n"
    "He sits and tells the sleeping child\nOf all the ways he strayed.",
)
EXAMPLE_CHORUS = (
    "Leave a candle burning bright,\nI am coming home tonight.\n"
    "Keep the bread and keep the wine,\nSoon your hand will rest in mine."
)
SYSTEM_ZH = (
    "你是写歌词的诗人，写可以唱的短歌：每段四句，每句字数相同，偶句押韵，语言明白如话，情景动人。"
    "先列出六个切题的意象，再写歌词，句句切题，前后连贯。"
)
EXAMPLES_ZH = {
    7: (
        (
            "渡口送别",
            "小船、春水、杨柳、晚风、青山、月光",
            "小船轻轻离渡口\n春水悠悠向远流\n杨柳不知人去处\n晚风吹上旧江楼",
        ),
        (
            "外婆的菜园",
            "疏篱、豆蔓、带露、小灶、炊烟、新蔬",
            "竹外疏篱豆蔓长\n清晨带露采瓜忙\n归来小灶炊烟起\n一碗新蔬满屋香",
        ),
    ),
    5: (
        ("渡口送别", "江水、孤帆、故人、明月、秋风、归期", "江水流不尽\n故人何日还\n今宵明月好\n照我过前山"),
        ("外婆的菜园", "篱边、花开、晚风、儿时、星光、旧梦", "篱边花又发\n风里忆儿时\n旧梦随星远\n归来总不迟"),
    ),
}
NOTHING = "la"
"""A line where the model wrote no verse at all."""
TITLE = {
    "en": "Give the song a title of one to four words. Only the title.",
    "zh": "给这首歌起一个二到六个字的歌名，只写歌名。",
}


def lyric_steps(words: str, language: Language, *, verses: int, chorus: bool, tone: str = "") -> tuple[Step, ...]:
    """The steps that write the words and the title."""
    about = (_ABOUT_ZH if language == "zh" else _ABOUT).sub("", words).strip() or words
    steps = (
        _chinese(about, verses, tone, chorus=chorus)
        if language == "zh"
        else _english(about, verses, tone, chorus=chorus)
    )
    read = "\n".join("{" + step.name + "}" for step in steps)
    asked = Message("user", _asked(about, tone, language))
    turns = (asked, Message("assistant", read), Message("user", TITLE[language]))
    calm = replace(FIXED_VERSE, temperature=0.5)
    return (*steps, Step("title", turns, sampling=calm, max_tokens=14, stop=("\n",)))


def written_lyrics(parts: Mapping[str, str], words: str, *, chorus: bool) -> Lyrics:
    """The words that the steps wrote, the chorus after each verse; what cannot be sung is left out."""
    if "lyrics" in parts:
        lines = singable(parts["lyrics"].splitlines())
        stanzas = [lines[start : start + LINES] for start in range(0, len(lines), LINES)]
        refrain = stanzas.pop(1) if chorus and len(stanzas) > 1 else ()
    else:
        stanzas = [_plain(text) for name, text in parts.items() if re.fullmatch(r"verse\d", name)]
        refrain = _plain(parts.get("chorus", "")) if chorus else ()
    whole = [stanza for stanza in stanzas if len(stanza) == LINES] or [(NOTHING,) * LINES]
    sections: list[Section] = []
    for stanza in whole:
        sections.append(Section("verse", stanza))
        if refrain:
            sections.append(Section("chorus", refrain))
    return Lyrics(_titled(parts.get("title", ""), words), tuple(sections))


def _english(about: str, verses: int, tone: str, *, chorus: bool) -> tuple[Step, ...]:
    """All lines in one step, verse, chorus, verse."""
    stanzas = [VERSE] + [CHORUS] * chorus + [VERSE] * (verses - 1)
    shown = [EXAMPLE_VERSES[0], *[EXAMPLE_CHORUS] * chorus, *EXAMPLE_VERSES[1:verses]]
    shapes = [
        LineShape(patterns, f"{letter}{number}") for number, stanza in enumerate(stanzas) for patterns, letter in stanza
    ]
    known = subject(about)
    form = MetricalForm(
        shapes, strict=True, varied=2, forbidden=(about, *shown), favoured=known.favoured, words=known.words
    )
    messages = (
        Message("system", SYSTEM),
        Message("user", _asked(EXAMPLE_ABOUT, "", "en")),
        Message("assistant", "\n".join(shown)),
        Message("user", _asked(about, tone, "en")),
    )
    return (Step("lyrics", messages, form=form, sampling=METRE),)


def _chinese(about: str, verses: int, tone: str, *, chorus: bool) -> tuple[Step, ...]:
    """A step for each verse, of seven characters a line, and one for the chorus, of five."""
    names = ["verse1", *["chorus"] * chorus, *(f"verse{number}" for number in range(2, verses + 1))]
    steps: list[Step] = []
    for place, name in enumerate(names):
        length: Length = 5 if name == "chorus" else 7
        messages = [Message("system", SYSTEM_ZH)]
        for example, imagery, lines in EXAMPLES_ZH[length]:
            messages += [
                Message("user", _asked(example, "", "zh")),
                Message("assistant", f"{OPENING}{imagery}\n{lines}"),
            ]
        for earlier in names[:place]:
            if (earlier == "chorus") == (name == "chorus"):
                messages += [Message("user", _asked(about, tone, "zh")), Message("assistant", "{" + earlier + "}")]
        again = "（另写一段，换一个角度）" if name > "verse1" else ""
        messages.append(Message("user", _asked(about, tone, "zh") + again))
        form = _regulated(about, length, tuple(names[:place]))
        sampling = replace(FIXED_VERSE, repeat_penalty=1)
        steps.append(Step(name, tuple(messages), form=form, sampling=sampling, max_tokens=200))
    return tuple(steps)


def _regulated(about: str, length: Length, earlier: tuple[str, ...]) -> FormMaker:
    """Four regulated lines that take nothing from the examples or the sections before."""
    shown = [lines for examples in EXAMPLES_ZH.values() for _, _, lines in examples]

    def form(parts: Mapping[str, str]) -> Form:
        return RegulatedForm(
            LINES, length, system="xinyun", about=about[:1000], forbidden=[*shown, *map(parts.__getitem__, earlier)]
        )

    return form


def _plain(text: str) -> tuple[str, ...]:
    lines = (poem(text) if text.startswith(OPENING) else text).splitlines()
    return singable([line.strip(" ，。；、") for line in lines])


def _asked(about: str, tone: str, language: Language) -> str:
    if language == "zh":
        return f"题目：{about}" + (f"\n情调：{tone}" if tone else "")
    return f"Song about: {about}" + (f"\nTone: {tone}" if tone else "")


def _titled(text: str, words: str) -> str:
    """The first line without quotation marks and a label; the brief's words where it is no title."""
    first = text.strip().splitlines()[0] if text.strip() else ""
    first = re.sub(r"^(?:title|歌名|题目|标题)\s*[:：]\s*", "", first.strip(" #*_"), flags=re.IGNORECASE)
    first = first.strip(" \"“”'‘’《》«».。*#,，")
    chinese = is_chinese(words)
    about = (_ABOUT_ZH if chinese else _ABOUT).sub("", words).strip()
    fits = 0 < len(first) <= (10 if chinese else 40) and is_chinese(first) == chinese
    return first if fits else (about[:40] or "").capitalize()
