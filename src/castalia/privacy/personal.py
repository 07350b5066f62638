"""Personal data in a text, found with few false alarms: addresses and numbers that have a checkable form."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,5}[a-zA-Z]{2,24}(?![\w-])")
_CHINESE_ID = re.compile(r"(?<!\d)\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])")
_CARD = re.compile(r"(?<![\d-])(?:\d[ -]?){12,18}\d(?![\d-])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_CHINESE_MOBILE = re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
_INTERNATIONAL = re.compile(r"(?<![\w+])\+[1-9]\d{0,2}[ -.]?(?:\(\d{1,4}\)[ -.]?)?\d(?:[ -.]?\d){6,11}(?![\d])")
_NORTH_AMERICAN = re.compile(r"(?<![\d-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\d-])")


def personal(text: str) -> list[str]:
    """Every stretch that is an e-mail address, telephone number, Chinese identity number, card, IBAN or IP address."""
    return list(dict.fromkeys(found for _, found in personal_kinds(text)))


def personal_kinds(text: str) -> list[tuple[str, str]]:
    """The same with its kind, in order of appearance; overlapping finds are given once, under the stricter kind."""
    taken: list[tuple[int, int]] = []
    found: list[tuple[int, str, str]] = []
    for kind, pattern, valid in _KINDS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if valid(match[0]) and not any(start < stop and begin < end for begin, stop in taken):
                taken.append((start, end))
                found.append((start, kind, match[0]))
    return [(kind, shown) for _, kind, shown in sorted(found)]


def _any(_: str) -> bool:
    return True


def _digits(text: str) -> Iterator[int]:
    return (int(letter) for letter in text if letter.isdigit())


def _luhn(number: str) -> bool:
    """ISO/IEC 7812-1, annex B; and not one digit over and over."""
    digits = list(_digits(number))
    total = sum(digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(digits[::-1]))
    return len(digits) >= 13 and total % 10 == 0 and len(set(digits)) > 1


def _identity(number: str) -> bool:
    """GB 11643-1999: ISO 7064 MOD 11-2."""
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))
    return "10X98765432"[total % 11] == number[-1].upper()


def _iban(number: str) -> bool:
    """ISO 13616: remainder 1 by 97."""
    plain = number.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


def _address(text: str) -> bool:
    """A routable address; private, loopback and example ranges name nobody."""
    try:
        return ipaddress.IPv4Address(text).is_global
    except ValueError:
        return False


_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("e-mail", _EMAIL, _any),
    ("identity-number", _CHINESE_ID, _identity),
    ("iban", _IBAN, _iban),
    ("card", _CARD, _luhn),
    ("ip-address", _ADDRESS, _address),
    ("telephone", _INTERNATIONAL, _any),
    ("telephone", _CHINESE_MOBILE, _any),
    ("telephone", _NORTH_AMERICAN, _any),
)
