"""五言绝句: four lines of five characters under tone and rhyme."""

from __future__ import annotations

from castalia.genres._regulated import Example, RegulatedVerse

GENRE = RegulatedVerse(
    name="jueju5",
    aliases=("绝句", "五言绝句", "五绝", "five-character quatrain"),
    title=("Five-character regulated quatrain", "五言绝句"),
    summary=(
        "four lines of five Chinese characters, tones 平仄, even lines rhymed",
        "四句，每句五字，平仄合律，偶句押平声韵，不犯孤平、三平尾",
    ),
    lines=4,
    length=5,
    examples=(
        Example(
            "程序员深夜加班",
            "荧屏、夜深、清心、星河、归途、露华",
            "荧屏照夜深，\n万字费清心。\n窗外星河转，\n归途露满襟。",
        ),
        Example(
            "a train leaving the station at dawn",
            "晓色、长亭、轻烟、客星、回头、青草",
            "晓色动长亭，\n轻烟带客星。\n回头山已远，\n一路草青青。",
        ),
        Example(
            "外婆的菜园",
            "竹篱、瓜蔓、晨露、衣裳、阿母、菜叶",
            "竹篱瓜蔓长，\n晨露湿衣裳。\n阿母携筐去，\n归来菜叶香。",
        ),
    ),
)
