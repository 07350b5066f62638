"""Closed sets of English words: what may not end a line, and what is too often disputed to be used."""

from __future__ import annotations

ARTICLES = frozenset("a an the".split())

PREPOSITIONS = frozenset(
    """about above across after against along amid among around as at before behind below beneath beside besides
    between beyond but by despite down during except for from in inside into like near of off on onto out outside over
    past per since than through throughout till to toward towards under underneath until unto up upon via with within
    without""".split()
)

CONJUNCTIONS = frozenset(
    "and because both either if lest neither nor or so that though although unless when whenever where whereas "
    "wherever whether while whilst yet how why once".split()
)

DETERMINERS = frozenset(
    """all any each every few her his its many more most much my no not only other our own same several some such
    their these this those what which who whom whose your just even very too quite rather also""".split()
)

VERBS = frozenset(
    """am are be been being can cannot could did do does had has have is may might must shall should was were will
    would let lets got get gets""".split()
)

PRONOUNS = frozenset("i he she we they it you me him us them there here one".split())

FUNCTION = ARTICLES | PREPOSITIONS | CONJUNCTIONS | DETERMINERS | VERBS | PRONOUNS
"""Grammatical words; monosyllables among them carry no beat."""

BAD_ENDINGS = FUNCTION - {"there", "here", "down", "away"}
"""Words that leave a line hanging."""

CLITICS = frozenset("a an the of to and or but as at by for from in on with if that than is".split())
"""Monosyllables that never carry the beat of a strongly rhythmical line."""

CONTRACTIONS = frozenset(
    """can't don't won't it's that's i'm he's she's there's let's i've i'd we've he'd she'd you've they've
    'tis what's who's here's""".split()
)

DOUBTFUL = frozenset(
    """fire hour flower power tower shower our hours flowers powers towers showers every evening being poem poems poet
    poetry quiet science really prayer prayers mirror iron choir tire wire desire higher liar lion giant diamond
    different favorite interesting several chocolate vegetable restaurant business average diary dial vial trial cruel
    jewel fuel towel vowel bowel owl owls howl howls growl growls prowl scowl fowl mile miles smile smiles while whiles
    tile tiles pile piles style isle aisle male tour sour flour mower layer player rhythm prism chasm schism spasm
    hadn't didn't couldn't wouldn't shouldn't wasn't doesn't hasn't o ye thou thee thy mu ma pa""".split()
)
"""Counted as one syllable by some and two by others, or out of place in plain verse."""
