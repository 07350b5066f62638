"""五言律诗: eight lines of five characters under tone and rhyme, the middle couplets in parallel."""

from __future__ import annotations

from castalia.genres._regulated import Example, RegulatedVerse

GENRE = RegulatedVerse(
    name="lushi5",
    aliases=("律诗", "五言律诗", "五律", "five-character regulated verse"),
    title=("Five-character regulated verse", "五言律诗"),
    summary=(
        "eight lines of five Chinese characters, tones 平仄, even lines rhymed, two parallel couplets",
        "八句，每句五字，平仄合律，偶句押平声韵，颔联、颈联对仗",
    ),
    lines=8,
    length=5,
    examples=(
        Example(
            "送朋友出城远行",
            "青山、白水、孤蓬、浮云、落日、班马",
            "青山横北郭，\n白水绕东城。\n此地一为别，\n孤蓬万里征。\n浮云游子意，\n落日故人情。\n"
            "挥手自兹去，\n萧萧班马鸣。",
        ),
        Example(
            "autumn evening in the mountains after rain",
            "空山、新雨、明月、清泉、浣女、渔舟",
            "空山新雨后，\n天气晚来秋。\n明月松间照，\n清泉石上流。\n竹喧归浣女，\n莲动下渔舟。\n"
            "随意春芳歇，\n王孙自可留。",
        ),
    ),
)
