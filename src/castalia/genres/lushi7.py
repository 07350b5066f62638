"""七言律诗: eight lines of seven characters under tone and rhyme, the middle couplets in parallel."""

from __future__ import annotations

from castalia.genres._regulated import Example, RegulatedVerse

GENRE = RegulatedVerse(
    name="lushi7",
    aliases=("七言律诗", "七律", "seven-character regulated verse"),
    title=("Seven-character regulated verse", "七言律诗"),
    summary=(
        "eight lines of seven Chinese characters, tones 平仄, even lines rhymed, two parallel couplets",
        "八句，每句七字，平仄合律，偶句押平声韵，颔联、颈联对仗",
    ),
    lines=8,
    length=7,
    examples=(
        Example(
            "去乡下农家做客",
            "腊酒、鸡豚、山水、柳花、箫鼓、衣冠",
            "莫笑农家腊酒浑，\n丰年留客足鸡豚。\n山重水复疑无路，\n柳暗花明又一村。\n箫鼓追随春社近，\n衣冠简朴古风存。\n"
            "从今若许闲乘月，\n拄杖无时夜叩门。",
        ),
        Example(
            "a spring outing by the lake",
            "孤山、水面、云脚、早莺、新燕、绿杨",
            "孤山寺北贾亭西，\n水面初平云脚低。\n几处早莺争暖树，\n谁家新燕啄春泥。\n乱花渐欲迷人眼，\n浅草才能没马蹄。\n"
            "最爱湖东行不足，\n绿杨阴里白沙堤。",
        ),
    ),
)
