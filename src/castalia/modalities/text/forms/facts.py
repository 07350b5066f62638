"""What a text may state: numbers, names, dates and quotations of its brief, letter by letter while it is written.

The mask is stricter than the checker in `quality/facts.py`, and shares no code with it: a number must be one of the
brief's and not a beginning of it, a capital inside a sentence must begin a word of the brief, words for numbers and for
days near today must stand in the brief, and what is in quotation marks must be there to the letter.
A third of the file is tables of words.
"""

from __future__ import annotations

import lzma
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_TRAILING_NUMBER = re.compile(r"\d[\d.,:]*$")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_TRAILING_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]*)*$")
_OPENING, _CLOSING = "“「『«", "”」』»"
_MARKS = '"' + _OPENING + _CLOSING

_COUNTED = frozenset(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million "
    "millions billion billions trillion dozen dozens half third quarter double triple twice second fourth fifth sixth "
    "seventh eighth ninth tenth percent percentage century centuries decade decades".split()
)
_DATED = frozenset(
    "yesterday today tomorrow tonight noon midnight annual annually yearly weekly monthly daily monday tuesday "
    "wednesday thursday friday saturday sunday january february april june july august september october november "
    "december".split()
)
_MONTHS = re.compile(r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b")
_HEDGED = re.compile(
    r"\b(?:more than|less than|fewer than|up to|at least|at most|over|under|nearly|almost|about|around|roughly|some"
    r"|approximately|close to)\s+[€$£¥]?\d[\d.,:]*"
    r"|(?:超过|多达|至少|至多|不到|将近|大约|接近|逾|近|约)\d[\d.,:]*|\d[\d.,:]*[多余]",
    re.IGNORECASE,
)
"""A number with a word that makes more or less of it."""
_RANKED = re.compile(
    r"\b(?:first(?! (?:floor|aid|come))|largest|biggest|oldest|longest|highest|tallest|fastest|best|record)\b"
    r"|史上|首次|首个|首家|最[大高好多长早快久强佳优]",
    re.IGNORECASE,
)
"""Words that rank a matter above all others: in a report they are facts."""
_TURNED = re.compile(
    r"\b(?:cancel|postpone|reschedul|delay|suspend|resign|arrest|kill|died|dies\b|dead\b|death|fatal|injur|wounded|evacuat"
    r"|collaps|explod|explosion|bankrupt|insolven|banned|bans\b|prohibit|recalled)\w*"
    r"|取消|推迟|延期|改期|暂停|停办|辞职|被捕|逮捕|死亡|去世|遇难|身亡|受伤|破产|倒闭|坍塌|倒塌|爆炸|疏散|召回",
    re.IGNORECASE,
)
"""Events after which nothing is as it was; compared by their first six letters."""
_SELF = frozenset("I I'm I've I'd I'll".split())
"""Words that have a capital without being names."""
_EVERYWHERE = frozenset(
    "about also been each every from have more over that their them there they this were what when which will with "
    "your".split()
)
_NEUTRAL = frozenset(
    "accor added annou begin being comin could expec first follo given going happe hold held inclu infor made make may "
    "might near neces next offer open opene plan plann place peopl prese repor said says shoul start state taken takes "
    "time today under until visit wants where while would year years".split()
)
"""Beginnings of words with which any report may say what it was told."""
_HAN_NEUTRAL = frozenset(
    "的了在和与及是为有于对将把被从到向由以等也都并且而其该此这那之中上下内外后前时年月日号一个们者说称表示据悉介绍"
    "指出举行进行开始宣布计划预计届时现已正可能会要让使得所共约自起至"
)
_HAN_COUNTED = frozenset("二三四五六七八九十百千万亿两廿卅〇零")
_HAN_DATED = tuple(
    "昨天 今天 明天 昨日 今日 明日 去年 今年 明年 上周 下周 本周 上月 下月 本月 周一 周二 周三 周四 周五 周六 周日 "
    "星期 近日 日前 上午 下午 晚上 凌晨".split()
)
_HAN_SPEECH = re.compile(
    r"([\u4e00-\u9fff]{2,4}?)(?:先生|女士|教授|博士|主任|局长|市长|经理|总监|发言人|负责人|记者)|(?:记者|通讯员)([\u4e00-\u9fff]{2,3})"
)
_HAN_PLACE = re.compile(
    r"([\u4e00-\u9fff]{2})(省|市|县|镇|村|区|州|大学|公司|集团|银行|医院|学院|协会|委员会|研究院|出版社|新闻社)"
)
_HAN_COMMON_PLACE = frozenset(
    "城市 都市 超市 上市 社区 小区 市区 景区 园区 地区 街区 校区 郊区 城区 山区 港区 展区 农村 乡村 全市 全县 全省 "
    "我市 本市 乡镇 城镇 海区 水区 灾区 片区".split()
)


@dataclass(frozen=True)
class FactSheet:
    """What is known: the brief's words and fields as one text.

    Args:
        text: Everything the user said.
        language: Of the work.
        quotes: Quotations that may be used, to the letter; those inside quotation marks in `text` count too.
    """

    text: str
    language: str
    quotes: tuple[str, ...] = ()

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The brief's numbers as written, and without thousands separators."""
        found = _NUMBER.findall(self.text)
        return frozenset(found) | {number.replace(",", "") for number in found}

    @cached_property
    def words(self) -> frozenset[str]:
        """The brief's words, casefolded; of compounds also the parts, and of possessives the owner."""
        found = {word.casefold().replace("’", "'") for word in _WORD.findall(self.text)}
        parts = {part for word in found for part in re.split(r"[-']", word)}
        return frozenset(found | parts | {word + "'s" for word in found | parts} | {word.casefold() for word in _SELF})

    @cached_property
    def spellings(self) -> frozenset[str]:
        """How a word with a capital may stand inside a sentence: as in the brief, also as an owner.

        A name that the brief writes small may have one too. A common word may not: in a title where all words have
        capitals, few could follow.
        """
        written = {word.replace("’", "'") for word in _WORD.findall(self.text)}
        written |= {part for word in written for part in re.split(r"[-']", word) if part}
        cased = written | {word[0].upper() + word[1:] for word in written if word not in plain_words()}
        return frozenset(cased | {word + "'s" for word in cased} | _SELF)

    @cached_property
    def sayings(self) -> tuple[str, ...]:
        """What may stand between quotation marks."""
        inside = re.findall(r'"([^"]{2,400})"|“([^”]{2,400})”|「([^」]{2,400})」', self.text)
        return (*self.quotes, *("".join(groups) for groups in inside))

    @cached_property
    def han(self) -> str:
        """The brief without spaces, for looking up Chinese words."""
        return re.sub(r"\s", "", self.text)

    def admits(self, before: str, piece: str, *, start: bool) -> bool:
        """Whether a piece may follow.

        Args:
            before: The sentence so far.
            piece: The next piece.
            start: Whether the sentence's first word is still being written.
        """
        return (
            self._spaces_hold(before[-1:] + piece)
            and self._numbers_hold(before, piece)
            and self._quotes_hold(before, piece)
            and self._words_hold(before, piece, start=start)
            and (self.language != "zh" or self._han_holds(before, piece))
        )

    def complete(self, text: str) -> bool:
        """Whether the sentence could end here: no word or number of the brief is left half said or without its unit."""
        number = _TRAILING_NUMBER.search(text)
        finished = number is None or number[0].rstrip(".,:") in self.numbers
        counted = number is not None and number[0].rstrip(".,:") in self._counted
        return finished and not counted and self._word_complete(text) and self._half_day_holds(text, "")

    @cached_property
    def _counted(self) -> frozenset[str]:
        """Numbers that the brief always gives with what they count, years aside: "14 January", "8 people", "120个"."""
        found = [
            (number[0], bool(re.match(r"\s?[^\W\d_]|\s?[%％°]", self.text[number.end() :])))
            for number in _NUMBER.finditer(self.text)
        ]
        alone = {number for number, counts in found if not counts}
        return frozenset(
            n for n, counts in found if counts and n not in alone and not re.fullmatch(r"(?:19|20)\d\d", n)
        )

    def continuations(self, text: str) -> list[str]:
        """What is missing of a number, a quotation or a name of the brief that the text has begun; shortest first."""
        inside = _open_quote(text)
        if inside is not None:
            return [saying[len(inside) :] for saying in self.sayings if saying.startswith(inside) and saying != inside]
        if number := _TRAILING_NUMBER.search(text):
            half = self._half_days.get(number[0])
            return _endings(number[0], self.numbers) + ([f" {half}"] if half else [])
        word = _TRAILING_WORD.search(text)
        if word and any(letter.isupper() for letter in word[0]):
            return _endings(word[0].replace("’", "'"), self.spellings)
        return []

    def holds(self, sentence: str) -> bool:
        """Whether a finished sentence states nothing new that a look at single pieces misses."""
        if not self._dates_hold(sentence):
            return False
        known = re.sub(r"\s+", " ", self.text).casefold()
        if any(
            re.sub(r"\s+", " ", hedged[0].rstrip(".,:")).casefold() not in known
            for hedged in _HEDGED.finditer(sentence)
        ):
            return False
        if self.language != "zh":
            return True
        return all("".join(match.groups(default="")) in self.han for match in _HAN_SPEECH.finditer(sentence)) and all(
            match[0] in self.han or match[0][-2:] in _HAN_COMMON_PLACE or match[0][-3:] in _HAN_COMMON_PLACE
            for match in _HAN_PLACE.finditer(sentence)
        )

    def strays(self, sentence: str) -> int:
        """Numbers that the sentence gives without a word of any statement of the brief that has them.

        "The walk is on 12 May" strays where the brief says "on 12 May we bake bread; a walk is planned".
        """
        said = keys_of(sentence)
        found = 0
        for number in numbers_of(sentence):
            homes = [keys for numbers, keys in self._statements if number in numbers]
            found += bool(homes) and all(keys and not keys & said for keys in homes)
        return found

    def ranks(self, sentence: str) -> bool:
        """Whether the sentence ranks something above all others where the brief does not."""
        return any(word.casefold() not in self.text.casefold() for word in _RANKED.findall(sentence))

    def invents(self, sentence: str) -> bool:
        """Whether the sentence reports an event that turns the matter round, and that the brief does not name."""
        told = self.text.casefold()
        return any(word.casefold()[:6] not in told for word in _TURNED.findall(sentence))

    def support(self, sentence: str) -> float:
        """Share, in [0, 1], of a sentence's content words (Chinese: characters) that the brief has too."""
        if self.language == "zh":
            own = {letter for letter in sentence if "\u4e00" <= letter <= "\u9fff"} - _HAN_NEUTRAL
            return len(own & set(self.text)) / max(len(own), 1)
        own = keys_of(sentence) - _NEUTRAL
        return len(own & self._keys) / len(own) if own else 1.0

    # ------------------------------------------------------------ within

    @cached_property
    def _keys(self) -> frozenset[str]:
        return keys_of(self.text)

    @cached_property
    def _statements(self) -> list[tuple[frozenset[str], frozenset[str]]]:
        """(numbers, key words) of every statement."""
        return [(numbers_of(part), keys_of(part)) for part in self._parts]

    @cached_property
    def _parts(self) -> list[str]:
        return re.split(r"[\n;；。！？!?]|\.(?=\s|$)", self.text)

    def _numbers_hold(self, before: str, piece: str) -> bool:
        whole = before + piece
        trailing = _TRAILING_NUMBER.search(whole)
        running = trailing[0] if trailing else ""
        # "5:" may become 5:30 or end a clause after 5.
        if running and running.rstrip(".,:") not in self.numbers and not self._begins_number(running):
            return False
        finished = _NUMBER.findall(whole[: len(whole) - len(running)])
        if any(number not in self.numbers for number in finished):
            return False
        if not running and not self._half_day_holds(before, piece):
            return False
        # A sign or unit right after a number changes what it says.
        joined = re.search(r"\d[\d.,:]*\s?([%％°€£$¥]|[kKmM](?![a-z])|[万亿千百])$", whole)
        return joined is None or joined[0].replace(" ", "") in self.text.replace(" ", "")

    def _half_day_holds(self, before: str, piece: str) -> bool:
        """Whether an hour that the brief gives with am or pm keeps it, and one that it gives without gets none."""
        hour = re.search(r"(\d[\d:.]*)( ?)$", before)
        if hour is None:
            return True
        rest = piece.lstrip(" ").casefold().replace(".", "")
        if (wanted := self._half_days.get(hour[1].rstrip(".:"))) is None:
            return rest[:2] not in ("am", "pm")
        return (not rest and bool(piece)) or rest[:2] in (wanted, wanted[0])

    @cached_property
    def _half_days(self) -> dict[str, str]:
        """Am or pm by hour, for hours that the brief never gives without."""
        hours = re.findall(r"(\d+(?:[:.]\d+)?)(?: ?([ap])\.?m\b)?", self.text, re.IGNORECASE)
        bare = {hour for hour, half in hours if not half}
        return {hour: f"{half.lower()}m" for hour, half in hours if half and hour not in bare}

    def _dates_hold(self, sentence: str) -> bool:
        """Whether each day stands beside the month that a statement of the brief gives it."""
        months = [(one[0].casefold(), one.start(), one.end()) for one in _MONTHS.finditer(sentence)]
        for number in _NUMBER.finditer(sentence):
            near = [
                name for name, start, end in months if 0 <= start - number.end() <= 6 or 0 <= number.start() - end <= 1
            ]
            homes = [part.casefold() for part in self._parts if number[0] in numbers_of(part)]
            if len(number[0]) <= 2 and any(not any(name in home for home in homes) for name in near):
                return False
        return True

    def _spaces_hold(self, end: str) -> bool:
        """Whether no gap is left: a space of its own leads to a figure, and a second one to where none may stand."""
        return "  " not in end and (bool(self.numbers) or not end.endswith(" "))

    def _begins_number(self, running: str) -> bool:
        return any(number.startswith(running) for number in self.numbers)

    def _quotes_hold(self, before: str, piece: str) -> bool:
        if not any(mark in piece for mark in _MARKS) and not any(mark in before for mark in _MARKS):
            return True
        if not self.sayings:
            return False
        inside = _open_quote(before + piece)
        finished = re.findall(r'"([^"]*)"|“([^”]*)”|「([^」]*)」', before + piece)
        if any("".join(groups) not in self.sayings for groups in finished):
            return False
        return inside is None or any(saying.startswith(inside) for saying in self.sayings)

    def _words_hold(self, before: str, piece: str, *, start: bool) -> bool:
        if inner := re.search(r"(?<=[^\W\d_])[^\w'’-]", piece):  # a word ends within the piece
            head, tail = piece[: inner.start()], piece[inner.start() :]
            return self._words_hold(before, head, start=start) and self._words_hold(before + head, tail, start=start)
        if not _continues(piece) and not self._word_complete(before):
            return False
        whole = before + piece
        trailing = _TRAILING_WORD.search(whole)
        if trailing is None:
            return True
        word = trailing[0].replace("’", "'")
        plain = word.casefold()
        if plain in (_COUNTED | _DATED) and plain not in self.words:
            return False
        if not any(letter.isupper() for letter in word):
            return True
        if start or not _WORD.search(whole[: trailing.start()]):
            return plain in self._beginnings
        return any(spelling.startswith(word) for spelling in self.spellings)

    def _word_complete(self, text: str) -> bool:
        """Whether a word with a capital at the end of the text is known to its last letter."""
        trailing = _TRAILING_WORD.search(text)
        if trailing is None or not any(letter.isupper() for letter in trailing[0]):
            return True
        word = trailing[0].replace("’", "'").rstrip("'-")
        if _WORD.search(text[: trailing.start()]):
            return word in self.spellings
        return self._may_begin(word.casefold())

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        """Every beginning of a word with which a sentence may begin."""
        known = self.words | {word + end for word in plain_words(35) for end in ("", "'s")}
        return frozenset(word[:size] for word in known for size in range(1, len(word) + 1))

    def _han_holds(self, before: str, piece: str) -> bool:
        whole = before[-6:] + piece
        if any(letter in _HAN_COUNTED and letter not in self.text for letter in piece):
            return False
        return not any(word in whole and word not in self.han for word in _HAN_DATED)

    def _may_begin(self, word: str) -> bool:
        return word in self.words or word.split("'", maxsplit=1)[0] in self.words or word in plain_words(35)


def numbers_of(text: str) -> frozenset[str]:
    """Numbers in figures, as written."""
    return frozenset(_NUMBER.findall(text))


def keys_of(text: str) -> frozenset[str]:
    """What a statement is about: beginnings of its longer words but for dates, pairs of Chinese characters."""
    words = {word[:5] for word in re.findall(r"[a-z]{4,}", text.casefold()) if word not in _DATED | _EVERYWHERE}
    runs = re.findall(r"[\u4e00-\u9fff]{2,}", text)
    return frozenset(words | {run[at : at + 2] for run in runs for at in range(len(run) - 1)})


def _continues(piece: str) -> bool:
    return re.match(r"['’-]?[^\W\d_]|['’-]$", piece) is not None


def _endings(begun: str, known: Collection[str]) -> list[str]:
    return sorted({word[len(begun) :] for word in known if word.startswith(begun) and word != begun}, key=len)


def _open_quote(text: str) -> str | None:
    """What has been written since a quotation mark that is still open."""
    inside: str | None = None
    for letter in text:
        if inside is None and letter in _OPENING + '"':
            inside = ""
        elif inside is not None and letter in _CLOSING + '"':
            inside = None
        elif inside is not None:
            inside += letter
    return inside


@cache
def plain_words(most: int = 70) -> Collection[str]:
    """Common English words, without those that are also names.

    Args:
        most: Up to which band of SCOWL's sizes (10 the commonest, 70 all that the lexicon holds).
    """
    raw = lzma.decompress((files("castalia") / "data" / "english" / "common.txt.xz").read_bytes()).decode()
    bands = (line.partition("\t") for line in raw.splitlines())
    return frozenset(word for band, _, words in bands if int(band) <= most for word in words.split()) - _NAMES


_NAMES = frozenset(
    "john mary james robert michael william david richard joseph thomas charles christopher daniel matthew anthony "
    "mark donald steven paul andrew joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob "
    "gary nicholas eric jonathan stephen larry justin scott brandon benjamin samuel gregory frank alexander raymond "
    "patrick jack dennis jerry tyler aaron jose henry adam douglas nathan peter zachary kyle walter harold carl "
    "patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty margaret sandra ashley "
    "kimberly emily donna michelle carol amanda dorothy melissa deborah stephanie rebecca sharon laura cynthia anna "
    "kathleen amy angela shirley brenda emma pamela nicole helen samantha katherine christine debra rachel carolyn "
    "janet maria heather diane ruth julie olivia joyce virginia victoria kelly lauren christina joan evelyn judith "
    "london paris washington america england france china japan europe africa asia india russia germany canada "
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august "
    "september october november december smith johnson brown jones miller davis wilson".split()
)
