"""Build the font of the visible label: `python tools/build_label_font.py NotoSansCJK-Regular.ttc`.

Needs fontTools. The font is Noto Sans CJK SC (SIL Open Font License 1.1; Debian's fonts-noto-cjk), cut down to the
letters of the labels, with quadratic outlines, so that any PDF reader and FreeType take it as it is. Glyph n + 1 is
`LETTERS[n]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont

from castalia.provenance.label import FONT, LETTERS

FAMILY = "Castalia Label"
COPYRIGHT = (
    "Copyright 2014-2021 Adobe (http://www.adobe.com/). Cut down to the letters of a label, outlines made quadratic."
)
LICENCE = "This Font Software is licensed under the SIL Open Font License, Version 1.1."


def main() -> None:
    """Read the collection, write the font."""
    source = next(font for font in TTCollection(sys.argv[1]).fonts if _family(font) == "Noto Sans CJK SC")
    names, glyphs, cmap = source.getBestCmap(), source.getGlyphSet(), {}
    outlines, advances = {".notdef": _quadratic(glyphs[".notdef"])}, {".notdef": (1000, 0)}
    for number, letter in enumerate(LETTERS, 1):
        name = f"g{number}"
        cmap[ord(letter)] = name
        outlines[name] = _quadratic(glyphs[names[ord(letter)]])
        advances[name] = (source["hmtx"][names[ord(letter)]][0], 0)
    builder = FontBuilder(source["head"].unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(list(outlines))
    builder.setupCharacterMap(cmap)
    builder.setupGlyf(outlines)
    lefts = {name: builder.font["glyf"][name].xMin if outlines[name].numberOfContours else 0 for name in outlines}
    builder.setupHorizontalMetrics({name: (wide, lefts[name]) for name, (wide, _) in advances.items()})
    builder.setupHorizontalHeader(ascent=source["hhea"].ascent, descent=source["hhea"].descent)
    builder.setupOS2(sTypoAscender=880, sTypoDescender=-120, usWinAscent=1160, usWinDescent=320, sCapHeight=733)
    builder.setupNameTable(
        {"copyright": COPYRIGHT, "familyName": FAMILY, "styleName": "Regular", "licenseDescription": LICENCE,
         "psName": FAMILY.replace(" ", ""), "licenseInfoURL": "https://openfontlicense.org"}
    )  # fmt: skip
    builder.setupPost()
    builder.font["head"].created = builder.font["head"].modified = 0
    builder.font.recalcTimestamp = False
    Path(FONT).parent.mkdir(exist_ok=True)
    builder.save(FONT)


def _family(font: TTFont) -> str:
    return str(font["name"].getDebugName(1))


def _quadratic(glyph: object) -> object:
    pen = TTGlyphPen(None)
    glyph.draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
    return pen.glyph()


if __name__ == "__main__":
    main()
