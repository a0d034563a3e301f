"""打印用的中文字体：Noto Sans SC 里用得着的字，换成 TrueType 的轮廓。

浏览器打印时，CFF 轮廓的字体只能存成 Type 3，看着一样，查找与复制却常出错：门、长、网这些字，
背后成了部首区里长得一样的另一个字。换成 TrueType、去掉部首区的编号，查得到也复制得对。
"""

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

RADICALS = range(0x2E80, 0x2FE0)


def write_font(source, target, text):
    """source 里 text 用到的字，写成 target（TrueType）。"""
    font = TTFont(source)
    options = subset.Options(layout_features=[], hinting=False, desubroutinize=True)
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes={ord(c) for c in text} - set(RADICALS))
    chosen.subset(font)
    to_truetype(font)
    font.save(target)


def to_truetype(font):
    """CFF 的三次曲线换成 TrueType 的二次曲线，误差不到千分之一个字高。"""
    shapes, order = font.getGlyphSet(), font.getGlyphOrder()
    outlines = {}
    for name in order:
        pen = TTGlyphPen(shapes)
        shapes[name].draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
        outlines[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, outlines
    font["maxp"].tableVersion = 0x00010000
    for limit in ("maxZones", "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs",
                  "maxStackElements", "maxSizeOfInstructions", "maxComponentElements"):
        setattr(font["maxp"], limit, int(limit == "maxZones"))
    font["post"].formatType, font["post"].glyphOrder = 3.0, None
    for table in ("CFF ", "VORG"):
        if table in font:
            del font[table]
    font.sfntVersion = "\000\001\000\000"
