"""Rules for pictures that a model drew from words: it knew the words, drew them, and does not copy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from castalia.core.explained_picture import ALIKE, NEAR, Neighbour
from castalia.core.language import say
from castalia.core.values import Draft, Finding


@dataclass(frozen=True)
class KnownWordsRule:
    """The model knows every word of the brief that says something of a picture.

    Args:
        step: Of the plan; `<step>.unknown` of the draft's parts names the others, one a line; without, nobody can tell.
        place: Which of several pictures it is.
    """

    step: str
    name: str = "words"
    place: str = ""

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding, a note where words are unknown: the rest is drawn."""
        unknown = draft.parts.get(f"{self.step}.unknown")
        if unknown is None:
            return []
        named = ", ".join(each for each in unknown.split("\n") if each)
        return [
            Finding(
                rule=self.name,
                ok=not named,
                severity="note",
                place=self.place,
                found=say("not known to the model: {words}", "模型不认识：{words}", words=named)
                if named
                else say("all known", "均认识"),
                wanted=say("words that the picture model was taught", "图片模型学过的词"),
                hint=say("`castalia models words` lists them.", "`castalia models words` 会列出。") if named else "",
            )
        ]


@dataclass(frozen=True)
class AfterRule:
    """The learned picture that filled in what the words leave open has all that was said, and is called what was meant.

    Args:
        step: Of the plan; `<step>.after` of the draft's parts names the picture, then what is not its own, one a line.
        place: Which of several pictures it is.
    """

    step: str
    name: str = "subject"
    place: str = ""

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding, a note: no learned picture may have all that was said, and then most of it is drawn."""
        told = draft.parts.get(f"{self.step}.after")
        if told is None:
            return []
        after, *missing = told.split("\n")
        words = ", ".join(missing)
        return [
            Finding(
                rule=self.name,
                ok=not missing,
                severity="note",
                place=self.place,
                found=say(
                    "drawn after {name}, which it was taught and is not called: {words}",
                    "依照学过的 {name} 绘制，其名称中没有：{words}",
                    name=after,
                    words=words,
                )
                if missing
                else say("drawn after {name}, which it was taught", "依照学过的 {name} 绘制", name=after),
                wanted=say("a learned picture of all that was said", "学过的图片与所说内容完全相符"),
                hint=say(
                    "Name one thing that it was taught: `castalia models words`.",
                    "请只写一样它学过的事物：`castalia models words`。",
                )
                if missing
                else "",
            )
        ]


@dataclass(frozen=True)
class AgreementRule:
    """The picture is more like its own words than like others, as the model that drew it sees pictures and words.

    Args:
        step: Of the plan; `<step>.agreement` of the draft's parts has the share of random words that it is less like.
        least: Of 157 drawn pictures three in a hundred at most had less with their own words, 93 with others' words.
    """

    step: str
    least: float = 0.95
    name: str = "agreement"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding, a note: what is seen in a picture is judged by the model that drew it."""
        told = draft.parts.get(f"{self.step}.agreement")
        if told is None:
            return []
        return [
            Finding(
                rule=self.name,
                ok=float(told) >= self.least,
                severity="note",
                found=say(
                    "more like its words than {share:.0%} of random words",
                    "比 {share:.0%} 的随机词语更符合要求",
                    share=float(told),
                ),
                wanted=f"≥ {self.least:.0%}",
                hint=""
                if float(told) >= self.least
                else say("Try another seed, or other words.", "请换种子，或换用其他词语。"),
            )
        ]


@dataclass(frozen=True)
class NearCopyRule:
    """The picture is not nearly one that the model was taught, in pixels or outlines; where it is, that one is named.

    Args:
        step: Of the plan; `<step>.nearest` of the draft's parts has the `Neighbour` as JSON.
        least: Levels of 255, the mean difference of 8 × 8 fields: a picture saved again as a small JPEG lies within 2.
        most: Likeness of outlines, which stays when a picture is moved, recoloured, cropped or mirrored, see `ALIKE`.
    """

    step: str
    least: float = NEAR
    most: float = ALIKE
    name: str = "near-copy"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding, a note: what a collection's licence allows may be drawn again, and is said."""
        told = draft.parts.get(f"{self.step}.nearest")
        if told is None:
            return []
        if not told:
            return [self._unseen(draft)]
        near = Neighbour(*json.loads(told))
        ok = near.far >= self.least and (near.alike is None or near.alike < self.most)
        found = say(
            "{far:.1f} levels from {name}, which it was taught",
            "与学过的 {name} 相差 {far:.1f} 级",
            far=near.far,
            name=near.name,
        )
        if near.alike is not None:
            found += say(", outlines {alike:.2f} alike", "，轮廓相似度 {alike:.2f}", alike=near.alike)
        hint = "" if ok else say("Combine other words, or take another seed.", "可换用其他词语组合或种子。")
        wanted = self._wanted()
        return [Finding(rule=self.name, ok=ok, severity="note", found=found, wanted=wanted, hint=hint)]

    def _wanted(self) -> str:
        return say(
            "of each at least {least:g} levels, and less than {most:g} alike",
            "与每张至少相差 {least:g} 级，且相似度低于 {most:g}",
            least=self.least,
            most=self.most,
        )

    def _unseen(self, draft: Draft) -> Finding:
        """Of a model that others trained on pictures which are not here."""
        return Finding(
            rule=self.name,
            ok=False,
            severity="note",
            found=say(
                "not checked: what {model} learned from is not known here",
                "未检查：不知道 {model} 学过哪些图片",
                model=draft.evidence.model,
            ),
            wanted=self._wanted(),
            hint=say(
                "Look yourself whether it copies a known work, before you publish it.",
                "发布前请自行查看是否抄袭已知作品。",
            ),
        )
