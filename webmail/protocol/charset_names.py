"""What mail calls its charsets, to the codecs that decode them.

Only the codecs named here are ever reached: Python also registers "zip", "rot13", "unicode_escape" and a quadratic
"punycode" under such names. Where a label is commonly used for its superset (WHATWG Encoding §4.2) the superset's codec
is named.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Codecs of our own beside Python's: see `escapes`.
ISO_2022_JP, ISO_2022_KR, ISO_2022_CN, HZ, UTF_7, UTF_7_IMAP = (
    "iso-2022-jp", "iso-2022-kr", "iso-2022-cn", "hz", "utf-7", "utf-7-imap"
)  # fmt: skip
SWITCHING = frozenset((ISO_2022_JP, ISO_2022_KR, ISO_2022_CN, HZ, UTF_7, UTF_7_IMAP))
WIDE = frozenset(("utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"))
DOUBLE_BYTE = frozenset(("gb18030", "big5hkscs", "cp949", "johab", "cp932", "euc_jp"))

# Names are compared in lower case with "_" as "-"; "x-", "cs", "iso8859" for "iso-8859", and "cp", "ibm" and the like
# before the number of a code page are understood besides.
_LABELS = {
    "gb18030": (
        "gb18030 gb2312 gb-2312 gbk gb-2312-80 gb2312-80 euc-cn euccn cp936 ms936 windows-936 936 chinese "
        "gb-cn gb iso-ir-58 iso58gb231280 csgb2312 gb18030-2000 gb18030-2005 gb18030-2022 mac-chinesesimp "
        "mac-simp-chinese"
    ),
    "big5hkscs": (
        "big5 big5-hkscs big5hkscs big-5 big-five bigfive cn-big5 x-big5 big5-tw big5-eten big5-2003 "
        "cp950 ms950 windows-950 950 csbig5 mac-chinesetrad mac-trad-chinese hkscs big5-hkscs:2004"
    ),
    "cp949": (
        "euc-kr euckr ks-c-5601-1987 ks-c-5601-1989 ks-c-5601 ksc5601 ksc-5601 ks-x-1001 kcs-c-5601 cp949 "
        "ms949 uhc windows-949 949 korean iso-ir-149 cseuckr csksc56011987 mac-korean"
    ),
    "johab": "johab cp1361 ms1361 1361",
    "cp932": (
        "shift-jis shift-jis-2004 shiftjis shiftjisx0213 sjis ms932 ms-kanji mskanji cp932 cp943 cp943c "
        "windows-31j windows-932 windows31j 932 csshiftjis cswindows31j mac-japanese pc-shift-jis s-jis "
        "shift-jis-ms"
    ),
    "euc_jp": (
        "euc-jp eucjp ujis euc cp51932 51932 euc-jp-ms eucjp-ms eucjp-win euc-jis-2004 euc-jisx0213 "
        "extended-unix-code-packed-format-for-japanese cseucpkdfmtjapanese"
    ),
    ISO_2022_JP: (
        "iso-2022-jp iso2022jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3 iso-2022-jp-ext iso-2022-jp-2004 "
        "iso-2022-jp-ms iso-2022-jp-mobile cp50220 cp50221 cp50222 50220 50221 50222 jis jis-encoding "
        "jis7 csiso2022jp csiso2022jp2 csjisencoding -iso-2022-jp$esc -iso-2022-jp$sio -iso-2022-jp "
        "iso-2022"
    ),
    ISO_2022_KR: "iso-2022-kr iso2022kr csiso2022kr cp50225 50225",
    ISO_2022_CN: "iso-2022-cn iso-2022-cn-ext iso2022cn cp50227 50227",
    HZ: "hz-gb-2312 hz-gb2312 hz gb2312-hz hzgb2312 cp52936",
    UTF_7: "utf-7 utf7 unicode-1-1-utf-7 unicode-2-0-utf-7 csunicode11utf7 cp65000 65000",
    UTF_7_IMAP: "utf-7-imap utf7-imap imap4-modified-utf7 utf-7-imap4 utf7imap",
    "utf_16": "utf-16 utf16 unicode iso-10646-ucs-2 ucs-2 ucs2 csunicode unicode-utf-16 cp1200 1200",
    "utf_16_le": "utf-16le utf-16-le utf16le ucs-2le unicodelittle utf-16-l",
    "utf_16_be": "utf-16be utf-16-be utf16be ucs-2be unicodebig unicodefffe cp1201 1201",
    "utf_32": "utf-32 utf32 ucs-4 ucs4 iso-10646-ucs-4 csucs4",
    "utf_32_le": "utf-32le utf-32-le utf32le ucs-4le cp12000",
    "utf_32_be": "utf-32be utf-32-be utf32be ucs-4be cp12001",
    "koi8_r": "koi8-r koi8r koi koi8 koi-8 koi-8-r cp20866 20866 cskoi8r gost-19768-74",
    "koi8_u": "koi8-u koi8u koi8-ru cp21866 21866 cskoi8u",
    "koi8_t": "koi8-t",
    "kz1048": "kz-1048 kz1048 rk1048 strk1048-2002",
    "ptcp154": "ptcp154 pt154 cp154 cyrillic-asian",
    "hp_roman8": "hp-roman8 roman8 r8 hproman8",
    "cp874": "windows-874 tis-620 tis620 tis620-0 tis620.2533 iso-8859-11 thai ms874 874 cswindows874 mac-thai",
    "mac_roman": "macintosh mac-roman macroman mac cp10000 10000 apple-roman csmacintosh",
    "mac_cyrillic": "mac-cyrillic maccyrillic mac-ukrainian cp10007 10007",
    "mac_latin2": "mac-ce mac-centraleurroman mac-centraleurope mac-latin2 mac-central-european cp10029 10029",
    "mac_croatian": "mac-croatian",
    "mac_romanian": "mac-romanian",
    "mac_iceland": "mac-iceland mac-icelandic",
    "mac_greek": "mac-greek cp10006",
    "mac_turkish": "mac-turkish cp10081",
    "mac_arabic": "mac-arabic",
    "mac_farsi": "mac-farsi",
    "cp1252": (
        "windows-1252 iso-8859-1 iso-8859-1-windows-3.1-latin-1 latin1 latin-1 l1 iso8859 iso-8859 iso- "
        "ir-100 ansi ms-ansi windows-ansi west-european windows western cp819 819 csisolatin1 "
        "cswindows1252 iso-8859-1:1987"
    ),
    "iso8859_2": "iso-8859-2 latin2 latin-2 l2 iso-ir-101 iso-8859-2:1987 csisolatin2 cp28592",
    "iso8859_3": "iso-8859-3 latin3 l3 iso-ir-109 csisolatin3",
    "iso8859_4": "iso-8859-4 latin4 l4 iso-ir-110 csisolatin4",
    "iso8859_5": "iso-8859-5 cyrillic iso-ir-144 csisolatincyrillic cp28595",
    "iso8859_6": "iso-8859-6 iso-8859-6-i iso-8859-6-e arabic ecma-114 asmo-708 iso-ir-127 csisolatinarabic",
    "iso8859_7": "iso-8859-7 greek greek8 ecma-118 elot-928 iso-ir-126 csisolatingreek sun-eu-greek",
    "iso8859_8": "iso-8859-8 iso-8859-8-i iso-8859-8-e hebrew logical visual iso-ir-138 csisolatinhebrew csiso88598i",
    "cp1254": "windows-1254 iso-8859-9 latin5 latin-5 l5 iso-ir-148 turkish csisolatin5",
    "iso8859_10": "iso-8859-10 latin6 l6 iso-ir-157 csisolatin6",
    "iso8859_13": "iso-8859-13 latin7 iso-ir-179",
    "iso8859_14": "iso-8859-14 latin8 l8 iso-celtic",
    "iso8859_15": "iso-8859-15 latin9 latin-9 l9 latin0 csisolatin9",
    "iso8859_16": "iso-8859-16 latin10 l10 iso-ir-226",
}
_PAGES = frozenset(
    (
        37, 273, 424, 437, 500, 720, 737, 775, 850, 852, 855, 856, 857, 858, 860, 861, 862, 863, 864, 865,
        866, 869, 875, 1006, 1026, 1125, 1140, 1250, 1251, 1253, 1255, 1256, 1257, 1258,
    )
)  # fmt: skip
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}

# Labels that say nothing: UTF-8 is tried anyway and a guess follows.
_VAGUE_LABELS = (
    "utf-8 utf8 utf utf-8n utf8n utf-8-sig utf-8-bom utf8mb4 utf-8-mac unicode-1-1-utf-8 "
    "unicode-2-0-utf-8 cp65001 65001 us-ascii ascii ansi-x3.4-1968 ansi-x3.4-1986 ansi-x3-4-1968 "
    "iso646-us iso-646.irv:1991 iso-ir-6 646 us csascii 20127 unknown unknown-8bit x-unknown 8bit 7bit "
    "default default-charset binary none null nil user-defined x-user-defined autodetect -autodetect "
    "-autodetect-all -autodetect-jp auto-detect text plain "
)
_VAGUE = frozenset(_VAGUE_LABELS.split())
_PAGE = re.compile(r"(?:windows|win|cp|ibm|ms|dos|codepage|microsoft-cp|oem|pc)?-?0*(\d{2,4})(?:-.*)?")
_ISO_8859 = re.compile(r"iso-?8859-?(?=\d)")


def codec_of(charset: str) -> str:
    """The codec for a declared charset, or "" where the name says nothing or isn't on the list.

    A language suffix (RFC 2231 §5: "utf-8*en"), quotes and a repeated "charset=" are ignored.

    Returns:
        a name that `bytes.decode` takes, except those in `SWITCHING`.
    """
    return _codec_of(charset[:80]) if charset else ""


@lru_cache(maxsize=1024)
def _codec_of(charset: str) -> str:
    name = charset.lower().rpartition("charset=")[2].strip(" \t\r\n\"'`<>[]=,:").partition("*")[0].partition(";")[0]
    name = name.strip(" \t\r\n\"'`").replace("_", "-").replace(" ", "-")
    name = _ISO_8859.sub("iso-8859-", name)
    for label in (name, name.removeprefix("x-"), name.removeprefix("x-x-"), name.removeprefix("cs")):
        if label in _VAGUE:
            return ""
        if label in _CODECS:
            return _CODECS[label]
    page = _PAGE.fullmatch(name.removeprefix("x-").removeprefix("cs"))
    if page is None:
        return ""
    if int(page[1]) in _PAGES:
        return f"cp{int(page[1]):03d}"
    return _CODECS.get(f"windows-{page[1]}") or _CODECS.get(page[1], "")
