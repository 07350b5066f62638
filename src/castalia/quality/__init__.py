"""The quality desk's front: judge a draft, and the rules that genres are made of."""

from castalia.quality.house import house_rules as house_rules
from castalia.quality.judge import judge as judge
from castalia.quality.judge import nearest as nearest
