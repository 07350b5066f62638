"""The quality desk's front: judge a draft, and the rules that genres are made of."""

from castalia.quality.facts import UnsupportedFactsRule as UnsupportedFactsRule
from castalia.quality.facts import unsupported as unsupported
from castalia.quality.house import house_rules as house_rules
from castalia.quality.judge import judge as judge
from castalia.quality.judge import nearest as nearest
from castalia.quality.judge import with_finding as with_finding
from castalia.quality.keywords import ForbiddenRule as ForbiddenRule
from castalia.quality.keywords import KeywordRule as KeywordRule
from castalia.quality.length import LengthRule as LengthRule
from castalia.quality.length import count_words as count_words
from castalia.quality.reporting import CoverageRule as CoverageRule
from castalia.quality.reporting import HeadlineRule as HeadlineRule
from castalia.quality.reporting import LedeRule as LedeRule
from castalia.quality.verse_en import LineCountRule as LineCountRule
from castalia.quality.verse_en import LineLengthRule as LineLengthRule
from castalia.quality.verse_en import MetreRule as MetreRule
from castalia.quality.verse_en import RepeatedLineRule as RepeatedLineRule
from castalia.quality.verse_en import RhymeRule as RhymeRule
from castalia.quality.verse_en import SyllableRule as SyllableRule
