"""What a JSON schema allows, as a grammar that is followed character by character.

A schema becomes a context-free grammar over characters, which is followed by all ways at once: a state is the set of
what may still have to come. About how many tokens it is from each to the end is known, so that near the last one only
what leads to the end is let through.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.modalities.text.forms.json_keywords import KNOWN, NUMBERS, TYPES

_MOST_ITEMS = 256
"""Up to which an array's bounds become part of the grammar."""
_MOST_NUMBERS = 1000
"""Integers between two bounds that are told apart while they are written."""
_MOST_RULES, _MOST_WAYS = 4000, 8000
"""Of a grammar: it is gone over again and again while its shortest text is sought."""
_MOST_STATES = 2000
"""Ways in which what was written so far may be read; references that lead to each other multiply them."""
_DIGITS = 15
_SPACE = "space"


@dataclass(frozen=True)
class Word:
    """These characters."""

    text: str

    @property
    def least(self) -> float:
        """Tokens, about: two characters of ASCII in one, of others a byte."""
        return sum(0.5 if letter.isascii() else len(letter.encode()) for letter in self.text)

    def eat(self, letter: str) -> Iterator[tuple[Symbol, ...]]:
        """What has to come after a character."""
        if self.text[0] == letter:
            yield (Word(self.text[1:]),) if len(self.text) > 1 else ()


@dataclass(frozen=True)
class Letters:
    """The inside of a string and its closing quote."""

    least_left: int = 0
    most_left: int | None = None
    escape: str = ""
    """What was begun: a backslash, and of a character's number the digits so far."""
    taken: frozenset[str] = frozenset()
    """What it may not be."""
    said: str = ""
    """What it is so far, where something is taken."""

    @property
    def least(self) -> float:
        """Tokens, about."""
        begun = 0 if not self.escape else 1 if self.escape == "\\" else 6 - len(self.escape)
        return begun + self.least_left + 1

    def eat(self, letter: str) -> Iterator[tuple[Symbol, ...]]:
        """See `Word.eat`."""
        if self.escape:
            yield from self._escaped(letter)
        elif letter == '"':
            if self.least_left == 0 and (not self.taken or self.said not in self.taken):
                yield ()
        elif self.taken:
            if letter >= " " and letter != "\\":
                yield (Letters(taken=self.taken, said=self.said + letter),)
        elif letter >= " " and self.most_left != 0:
            if letter == "\\":
                yield (Letters(*self._one_less, "\\"),)
            else:
                yield (Letters(*self._one_less),)

    def _escaped(self, letter: str) -> Iterator[tuple[Symbol, ...]]:
        so_far = self.escape + letter
        if self.escape == "\\":
            if letter in '"\\/bfnrt':
                yield (Letters(self.least_left, self.most_left),)
            elif letter == "u":
                yield (Letters(self.least_left, self.most_left, so_far),)
        elif letter in "0123456789abcdefABCDEF" and not (so_far[2] in "dD" and len(so_far) > 3 and so_far[3] > "7"):
            # half a character alone, as \ud800 names it, is none
            yield (Letters(self.least_left, self.most_left, so_far if len(so_far) < 6 else ""),)

    @property
    def _one_less(self) -> tuple[int, int | None]:
        return max(self.least_left - 1, 0), None if self.most_left is None else self.most_left - 1


@dataclass(frozen=True)
class Digits:
    """A number from here on: `-`, then digits, then where it is no integer a fraction and an exponent."""

    integer: bool
    at: str = ""
    """Where it is: empty before it, `-`, `0`, `1` within the whole part, `.`, `f` within the fraction, `e`, `+`, `x`
    and `y` in the exponent, which has two digits at most."""
    count: int = 0

    @property
    def least(self) -> float:
        """Tokens, about."""
        return 0.0 if self.at in ("0", "1", "f", "x", "y") else 1.0

    def eat(self, letter: str) -> Iterator[tuple[Symbol, ...]]:
        """See `Word.eat`."""
        at = self._next(letter)
        if at and self.count < _DIGITS:
            yield (Digits(self.integer, at, self.count + 1),)

    def _next(self, letter: str) -> str:
        digit = letter in "0123456789"
        match self.at:
            case "" | "-":
                return "-" if letter == "-" and not self.at else "0" if letter == "0" else "1" if digit else ""
            case "0" | "1" | "f" if digit and self.at != "0":
                return self.at
            case "0" | "1" | "f":
                fraction = "." if letter == "." and self.at != "f" else ""
                return "" if self.integer else fraction or ("e" if letter in "eE" else "")
            case ".":
                return "f" if digit else ""
            case "e":
                return "+" if letter in "+-" else "x" if digit else ""
            case "+":
                return "x" if digit else ""
            case _:
                return "y" if digit and self.at == "x" else ""


@dataclass(frozen=True)
class Name:
    """A rule of the grammar."""

    rule: str


Symbol = Word | Letters | Digits | Name
Stack = tuple[Symbol, ...]
"""What has to come, the next at the end."""


class Grammar:
    """What a schema allows.

    Args:
        schema: JSON schema: types, enums, constants, properties, items, their bounds, `anyOf`, `$ref`.

    Raises:
        UsageError: it is none, is too large, uses a keyword that is not known here, or nothing fulfils it. While it is
            followed, too, where what was written can be read in too many ways.
    """

    def __init__(self, schema: Mapping[str, Any] | bool) -> None:  # noqa: FBT001 - a schema may be one
        self._whole: Any = schema
        self._rules: dict[str, list[Stack]] = {_SPACE: [(), (Word(" "),)]}
        self._places: dict[int, str] = {}
        self._start = self._rule_of(schema, "$")
        if len(self._rules) > _MOST_RULES or sum(map(len, self._rules.values())) > _MOST_WAYS:
            raise _too_large()
        self._least = self._fewest()
        if math.isinf(self._least[self._start.rule]):
            raise _wrong("$", say("nothing fulfils it", "没有值能满足它"))

    @cached_property
    def start(self) -> frozenset[Stack]:
        """Before the first character."""
        return self._opened([(self._start,)])

    def after(self, states: frozenset[Stack], text: str) -> frozenset[Stack]:
        """What has to come after a text; empty where it cannot stand here."""
        for letter in text:
            found: list[Stack] = []
            for *rest, top in states:
                if isinstance(top, Name):
                    continue
                found += [(*rest, *reversed(more)) for more in top.eat(letter)]
                if isinstance(top, Digits) and not top.least:
                    found += [stack for each in self._opened([tuple(rest)]) for stack in self._eaten(each, letter)]
            states = self._opened(found)
            if not states:
                break
        return states

    def left(self, states: frozenset[Stack]) -> float:
        """Fewest tokens to the end, about."""
        return min((sum(map(self._size, stack)) for stack in states), default=math.inf)

    def whole(self, states: frozenset[Stack]) -> bool:
        """Whether the text may end."""
        return self.left(states) == 0

    # ------------------------------------------------------------ within

    def _eaten(self, stack: Stack, letter: str) -> Iterator[Stack]:
        if stack and not isinstance(top := stack[-1], Name):
            yield from ((*stack[:-1], *reversed(more)) for more in top.eat(letter))

    def _size(self, symbol: Symbol) -> float:
        return self._least[symbol.rule] if isinstance(symbol, Name) else symbol.least

    def _opened(self, stacks: Sequence[Stack]) -> frozenset[Stack]:
        """The same with characters on top; the empty one is left out where something else is there too."""
        found: set[Stack] = set()
        waiting = list(stacks)
        while waiting:
            if len(waiting) + len(found) > _MOST_STATES:
                raise _wrong("$", say("a text can be read in too many ways by it", "同一文本有过多的解读方式"))
            stack = waiting.pop()
            if stack and isinstance(top := stack[-1], Name):
                waiting += [(*stack[:-1], *reversed(each)) for each in self._rules[top.rule]]
            else:
                found.add(stack or (END,))
        return frozenset(found)

    def _fewest(self) -> Mapping[str, float]:
        """Fewest tokens of each rule, by going over all of them until nothing gets less."""
        self._least = dict.fromkeys(self._rules, math.inf)
        changed = True
        while changed:
            changed = False
            for name, ways in reversed(self._rules.items()):  # what follows is told of first
                least = min((sum(map(self._size, way)) for way in ways), default=math.inf)
                if least < self._least[name]:
                    self._least[name], changed = least, True
        return self._least

    def _rule_of(self, schema: Any, place: str) -> Name:  # noqa: ANN401 - whatever was sent
        """The rule of a schema, which is made where it is met first."""
        if schema is True or schema == {}:
            return self._anything()
        if not isinstance(schema, Mapping):
            raise _wrong(place, say("no object", "不是对象"))
        known = cast("Mapping[str, Any]", schema)
        if len(self._rules) > _MOST_RULES:
            raise _too_large()
        if id(known) not in self._places:
            self._places[id(known)] = name = f"{len(self._places)} {place}"
            self._rules[name] = []
            self._rules[name] = list(self._ways(known, place))
        return Name(self._places[id(known)])

    def _ways(self, schema: Mapping[str, Any], place: str) -> Iterator[Stack]:
        if unknown := sorted(set(schema) - KNOWN):
            raise _wrong(place, say("{name} is not known here", "不支持 {name}", name=", ".join(unknown)))
        for name in NUMBERS & set(schema):
            if isinstance(schema[name], bool) or not isinstance(schema[name], int | float):
                raise _wrong(place, say("{name} is no number", "{name} 不是数", name=name))
        if "$ref" in schema:
            yield (self._rule_of(self._referred(schema["$ref"], place), place),)
        elif "enum" in schema or "const" in schema:
            for value in schema.get("enum", [schema.get("const")]):
                yield (Word(json.dumps(value, ensure_ascii=False)),)
        elif options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            if "allOf" in schema and len(options) != 1:
                raise _wrong(place, say("allOf is not known here", "不支持 allOf"))
            for number, each in enumerate(options):
                yield (self._rule_of(each, f"{place}|{number}"),)
        else:
            kinds = schema.get("type", "object" if "properties" in schema else "array" if "items" in schema else TYPES)
            for kind in [kinds] if isinstance(kinds, str) else kinds:
                yield from self._typed(kind, schema, place)

    def _typed(self, kind: str, schema: Mapping[str, Any], place: str) -> Iterator[Stack]:
        low, high = schema.get("minimum"), schema.get("maximum")
        match kind:
            case "number" | "integer" if low is not None and high is not None and low > high:
                return
            case "object":
                yield (Word("{"), self._members(schema, place))
            case "array":
                yield (Word("["), self._items(schema, place))
            case "string":
                yield (Word('"'), Letters(int(schema.get("minLength", 0)), schema.get("maxLength")))
            case "number":
                yield (Digits(integer=False),)
            case "integer":
                if isinstance(low, int) and isinstance(high, int) and 0 <= high - low < _MOST_NUMBERS:
                    yield from ((Word(str(number)),) for number in range(low, high + 1))
                else:
                    yield (Digits(integer=True),)
            case "boolean":
                yield from ((Word("true"),), (Word("false"),))
            case "null":
                yield (Word("null"),)
            case _:
                raise _wrong(place, say("there is no type {name!r}", "没有类型 {name!r}", name=str(kind)[:40]))

    def _members(self, schema: Mapping[str, Any], place: str) -> Name:
        """What follows an object's opening: its properties in their order, then any others that may be."""
        properties: Mapping[str, Any] = schema.get("properties", {})
        required = set(schema.get("required", ()))
        others = schema.get("additionalProperties", not properties)
        if missing := required - set(properties):
            raise _wrong(place, say("{name} has no schema", "{name} 没有模式", name=", ".join(sorted(missing))))
        names = list(properties)
        for first in (True, False):
            base = f"{place}{{{first}"
            comma: Stack = () if first else (Word(","), Name(_SPACE))
            ends: list[Stack] = [(Word("}"),)]
            if others is not False:
                value = self._rule_of({} if others is True else others, f"{place}.*")
                pair: Stack = (Word('"'), Letters(taken=frozenset(names)), Word(":"), Name(_SPACE), value)
                ends.append((*comma, *pair, Name(f"{place}{{False{len(names)}")))
            self._rules[f"{base}{len(names)}"] = ends
            for number, name in enumerate(names):
                value = self._rule_of(properties[name], f"{place}.{name}")
                key = Word(json.dumps(name, ensure_ascii=False) + ":")
                ways: list[Stack] = [(*comma, key, Name(_SPACE), value, Name(f"{place}{{False{number + 1}"))]
                if name not in required:
                    ways.append((Name(f"{base}{number + 1}"),))
                self._rules[f"{base}{number}"] = ways
        return Name(f"{place}{{True0")

    def _items(self, schema: Mapping[str, Any], place: str) -> Name:
        """What follows an array's opening."""
        low, high = int(schema.get("minItems", 0)), schema.get("maxItems")
        last = min(low if high is None else max(int(high), low), _MOST_ITEMS)
        value = self._rule_of(schema.get("items", True), f"{place}[]")
        for number in range(last + 1):
            comma: Stack = (Word(","), Name(_SPACE)) if number else ()
            ways: list[Stack] = [(Word("]"),)] if number >= low else []
            if number < last:
                ways.append((*comma, value, Name(f"{place}[{number + 1}")))
            elif high is None or last < int(high):
                self._rules[f"{place}[…"] = [(Word("]"),), (Word(","), Name(_SPACE), value, Name(f"{place}[…"))]
                ways.append((*comma, value, Name(f"{place}[…")))
            self._rules[f"{place}[{number}"] = ways
        return Name(f"{place}[0")

    def _anything(self) -> Name:
        if "anything" not in self._rules:
            self._rules["anything"] = []
            ways = [way for kind in TYPES if kind != "integer" for way in self._typed(kind, {}, "anything")]
            self._rules["anything"] = ways
        return Name("anything")

    def _referred(self, pointer: Any, place: str) -> Any:  # noqa: ANN401 - whatever stands there
        if not isinstance(pointer, str) or not pointer.startswith("#"):
            raise _wrong(place, say("{name!r} is no place in it", "{name!r} 不在其中", name=str(pointer)[:60]))
        found = self._whole
        for part in pointer.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and key.isdecimal() and int(key) < len(cast("list[Any]", found)):
                found = cast("list[Any]", found)[int(key)]
            elif isinstance(found, Mapping) and key in found:
                found = cast("Mapping[str, Any]", found)[key]
            else:
                raise _wrong(place, say("{name!r} is no place in it", "{name!r} 不在其中", name=pointer[:60]))
        return found


class _End:
    """Stands for a text that is whole."""

    least = 0.0

    def eat(self, letter: str) -> Iterator[Stack]:  # noqa: ARG002
        """See `Word.eat`."""
        return iter(())


END = cast("Word", _End())
"""Where nothing has to come any more."""


def _too_large() -> UsageError:
    return _wrong("$", say("it is too large: at most {n:,} parts", "过大：最多 {n:,} 个部分", n=_MOST_RULES))


def _wrong(place: str, why: str) -> UsageError:
    return UsageError(
        say("The JSON schema at {place}: {why}.", "JSON 模式 {place} 处：{why}。", place=place[:100], why=why),
        hint=say("docs/server.md lists what is known.", "docs/server.md 列出了支持的内容。"),
    )
