"""七言绝句: four lines of seven characters under tone and rhyme."""

from __future__ import annotations

from castalia.genres._regulated import Example, RegulatedVerse

GENRE = RegulatedVerse(
    name="jueju7",
    aliases=("七言绝句", "七绝", "seven-character quatrain"),
    title=("Seven-character regulated quatrain", "七言绝句"),
    summary=(
        "four lines of seven Chinese characters, tones 平仄, even lines rhymed",
        "四句，每句七字，平仄合律，偶句押平声韵，不犯孤平、三平尾",
    ),
    lines=4,
    length=7,
    examples=(
        Example(
            "程序员深夜加班",
            "孤灯、沉夜、字句、窗前、星落、凉露",
            "孤灯一点夜沉沉，\n字字敲成未了心。\n忽见窗前星欲落，\n满街凉露湿衣襟。",
        ),
        Example(
            "a train leaving the station at dawn",
            "晓笛、故城、烟树、青山、春风、客程",
            "晓笛催人别故城，\n隔窗烟树送君行。\n青山一路回头望，\n万里春风伴客程。",
        ),
        Example(
            "外婆的菜园",
            "疏篱、豆蔓、带露、小灶、炊烟、新蔬",
            "竹外疏篱豆蔓长，\n清晨带露采瓜忙。\n归来小灶炊烟起，\n一碗新蔬满屋香。",
        ),
    ),
)
