"""Which charset undeclared 8-bit text is in, judged by which letters stand beside one another.

Every codec is tried that mail is written in; what comes out is compared with the pairs of letters that are common in
the languages that use the codec (`letter_pairs`). At most 4 KiB around octets above ASCII are looked at, and never
more than 400 letters, so a guess takes a few milliseconds whatever the text.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .letter_pairs import COMMON, PAIRS

_SAMPLE = 4 * 1024
_MAX_LETTERS = 400
_CERTAIN = 0.7  # of a guess that overrules a declaration
_LEAST = 0.3  # below this nothing was recognised
_HINT = 0.25  # what a charset gains by being used elsewhere in the same message

# For each codec the languages written in it, and how rare it is as undeclared text of our time.
_WESTERN = ("de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "is", "ca", "et")
_CENTRAL = ("cs", "sk", "pl", "hu", "ro", "hr", "sl")
_SLAVIC = ("ru", "uk", "bg", "be", "mk", "sr")
_CODECS: dict[str, tuple[tuple[str, ...], float]] = {
    "cp1252": (_WESTERN, 0.0),
    "cp1250": (_CENTRAL, 0.03),
    "iso8859_2": (_CENTRAL, 0.04),
    "cp1254": (("tr",), 0.1),
    "cp1257": (("lt", "lv", "et"), 0.12),
    "cp850": (_WESTERN, 0.2),
    "mac_roman": (_WESTERN, 0.2),
    "cp852": (_CENTRAL, 0.2),
}
_SCRIPTS: dict[str, tuple[tuple[str, ...], float]] = {
    "cp1251": (_SLAVIC, 0.0),
    "koi8_u": (_SLAVIC, 0.02),
    "cp866": (_SLAVIC, 0.08),
    "iso8859_5": (_SLAVIC, 0.08),
    "cp1253": (("el",), 0.0),
    "iso8859_7": (("el",), 0.02),
    "cp1255": (("he",), 0.02),
    "cp1256": (("ar", "fa"), 0.02),
    "iso8859_6": (("ar",), 0.06),
    "cp874": (("th",), 0.02),
}
_HAN = {"gb18030": "zh_Hans", "big5hkscs": "zh_Hant", "cp949": "ko", "euc_jp": "ja", "cp932": "ja"}

_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_NEAR_HIGH = re.compile(rb"[^\r\n]{0,40}[\x80-\xff][^\r\n]{0,40}")
_MIXED = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")  # "Grüße": an accent inside a Latin word

# Signs that stand before a word, after one, or between two; anywhere else they are mistaken letters.
_OPENING = frozenset("“”„‘«»¿¡‹›×–—\xa0№")
_CLOSING = frozenset("“”’‘«»…™®°©ºª–—•‹›\xa0²³¹½¼¾€£§·´`№")


def guess(data: bytes, hint: str = "") -> str:
    """The codec that undeclared text which is not UTF-8 is likeliest in; "" where nothing speaks for any.

    Args:
        hint: a codec that is used elsewhere in the same message.
    """
    return _best(_sample(data), hint)[0]


def contradicts(data: bytes) -> str:
    """The codec of another script that `data`, declared as Western, is certainly in; "" where it may be Western."""
    sample = _sample(data)
    runs = _HIGH_RUN.findall(sample)
    if sum(map(len, runs)) < max(8, 2.5 * len(runs)):
        return ""
    codec, score = _best(sample, "")
    return codec if score >= _CERTAIN and codec not in _CODECS else ""


def _sample(data: bytes) -> bytes:
    """What stands around the octets above ASCII, up to the bound."""
    if len(data) <= _SAMPLE:
        return data
    found, length = [], 0
    for match in _NEAR_HIGH.finditer(data):
        found.append(match[0])
        length += len(match[0])
        if length > _SAMPLE:
            break
    return b"\n".join(found)[:_SAMPLE]


@lru_cache(maxsize=64)
def _best(sample: bytes, hint: str) -> tuple[str, float]:
    """The best codec with its score: about 1 for ordinary text in it, and "" with 0 where none has enough."""
    runs = _HIGH_RUN.findall(sample)
    if not runs:
        return "", 0.0
    places = [at for at, octet in enumerate(sample) if octet > 0x7F][:_MAX_LETTERS]
    candidates = dict(_CODECS)
    # Western text has lone accented letters inside words of ASCII; other scripts come in runs.
    if hint in _SCRIPTS or (sum(map(len, runs)) >= 1.8 * len(runs) and 3 * len(_MIXED.findall(sample)) <= len(runs)):
        candidates |= _SCRIPTS
    found = [
        (_letters_score(sample, places, codec, languages) - rarity, codec)
        for codec, (languages, rarity) in candidates.items()
    ]
    found += [(_han_score(sample, codec, language), codec) for codec, language in _HAN.items()]
    found = [(score + _HINT if codec == hint else score, codec) for score, codec in found]
    score, codec = max(found, key=lambda pair: pair[0])  # of equals the first
    return (codec, score) if score >= _LEAST else ("", 0.0)


def _letters_score(sample: bytes, places: list[int], codec: str, languages: tuple[str, ...]) -> float:
    """How well single-byte text reads in the best of `languages`; negative for what can't be text."""
    try:
        text = f" {sample.decode(codec)} "
    except UnicodeDecodeError:
        return -1.0
    pairs: list[str] = []
    good = counted = 0.0
    for place in places:
        before, char, after = text[place], text[place + 1], text[place + 2]
        if not _is_letter(char):
            if (
                (char in _OPENING and not _is_letter(before))
                or (char in _CLOSING and not _is_letter(after))
                or char == "’"
            ):
                counted += 1
                good += 0.9 if codec.startswith("cp125") else 0.5
            else:
                counted += 2 if char > "\x9f" else 6
            continue
        if char.isupper() and before.islower():
            counted += 2  # "пРИВЕТ": the letters of another codec
        small = char.lower()
        pairs += (
            (before.lower() if _is_letter(before) else " ") + small,
            small + (after.lower() if _is_letter(after) else " "),
        )
    total = len(pairs) + counted
    if not total:
        return 0.0
    read = max(sum(weights.get(pair, 0.0) for pair in pairs) for weights in map(_weights, languages))
    return (read + good) / total


@lru_cache(maxsize=64)
def _weights(language: str) -> dict[str, float]:
    """What each pair of the language's letters counts: the commonest 1, the rarest 0.85."""
    letters = PAIRS[language]
    return {letters[at : at + 2]: 1 - 0.15 * at / len(letters) for at in range(0, len(letters), 2)}


@lru_cache(maxsize=8)
def _common(language: str) -> frozenset[str]:
    return frozenset(COMMON[language])


def _is_letter(char: str) -> bool:
    return char.isalpha() or "\u0e31" <= char <= "\u0e4e"  # Thai vowels and tones are marks


def _han_score(sample: bytes, codec: str, language: str) -> float:
    """How much of double-byte text is made of characters that are common in `language`."""
    text = _whole_characters(sample, codec)
    foreign = [char for char in text if char > "\x7f"][:_MAX_LETTERS]
    if not foreign:
        return -1.0
    return sum(_weight(char, language) for char in foreign) / len(foreign)


def _weight(char: str, language: str) -> float:
    if char in _common(language) or (language == "ja" and "\u3041" <= char <= "\u30fc"):
        return 1.0
    if "\u3000" <= char <= "\u301f" or "\uff01" <= char <= "\uff5e":
        return 0.7
    if "\uff61" <= char <= "\uff9f":
        return 0.25  # half-width katakana: what single-byte text looks like in Shift JIS
    return 0.2 if "\u4e00" <= char <= "\u9fff" or ("\uac00" <= char <= "\ud7a3" and language == "ko") else 0.0


def _whole_characters(sample: bytes, codec: str) -> str:
    """`sample` decoded strictly, the last few octets left off where they are half a character; else ""."""
    for end in range(len(sample), max(len(sample) - 4, 0), -1):
        try:
            return sample[:end].decode(codec)
        except ValueError:
            continue
    return ""
