"""The quality desk's front: judge a draft, and the rules that genres are made of."""

from castalia.quality.house import house_rules as house_rules
from castalia.quality.judge import judge as judge
from castalia.quality.judge import nearest as nearest
from castalia.quality.verse_en import LineCountRule as LineCountRule
from castalia.quality.verse_en import MetreRule as MetreRule
from castalia.quality.verse_en import RepeatedLineRule as RepeatedLineRule
from castalia.quality.verse_en import RhymeRule as RhymeRule
from castalia.quality.verse_en import SyllableRule as SyllableRule
