"""Which letters stand for a person whose camera is off, in any script."""

import unicodedata

MAX_NAME = 200
"""Characters of a name that are looked at."""

_UPPERCASED = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN")
_JOINED = ("ARABIC", "SYRIAC", "MONGOLIAN", "NKO")
_CJK = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")
_ZWJ = "\u200d"


def graphemes(text: str) -> list[str]:
    """What a reader takes for one letter each: marks, joiners, skin tones, flags and conjuncts stay with their base.

    An approximation of extended grapheme clusters (UAX #29) that needs no tables beyond Python's own.
    """
    clusters: list[str] = []
    for char in text:
        if clusters and _continues(clusters[-1], char):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _continues(cluster: str, char: str) -> bool:
    last = cluster[-1]
    if unicodedata.category(char) in {"Mn", "Mc", "Me"} or char == _ZWJ:
        return True
    if "\U0001f3fb" <= char <= "\U0001f3ff":
        return True
    if last == _ZWJ or (unicodedata.combining(last) == 9 and unicodedata.category(char) == "Lo"):
        return True
    if all("\U0001f1e6" <= part <= "\U0001f1ff" for part in (last, char)):
        return len(cluster) % 2 == 1
    return "\u1100" <= last <= "\u11ff" and "\u1160" <= char <= "\u11ff"


def initials(name: str) -> str:
    """At most two letters for a name: of its first and last word, or of the word where it has one.

    Names in Chinese, Japanese or Korean writing, which need no spaces, give up to two characters: the given name of
    three or four Han or Hangul characters, else the first two. Letters of scripts that would join are kept apart by a
    space. A name without any letter or digit gives its first symbol, such as an emoji, and an empty one nothing.
    """
    words = [_letters(word) for word in _clean(name).split()]
    words = [word for word in words if word]
    if not words:
        symbols = [cluster for cluster in graphemes(_clean(name)) if unicodedata.category(cluster[0])[0] == "S"]
        return symbols[0] if symbols else ""
    first, last = words[0], words[-1]
    if _is_script(first[0], _CJK):
        return _of_cjk(first)
    if len(words) == 1:
        return _upper(first[0])
    marks = [_upper(first[0])]
    if not _is_script(last[0], _CJK):
        marks.append(_upper(last[0]))
    return (" " if any(_is_script(mark, _JOINED) for mark in marks) else "").join(marks)


def _clean(name: str) -> str:
    kept = (char for char in name[:MAX_NAME] if unicodedata.category(char) not in {"Cc", "Cs", "Co", "Cn"})
    return unicodedata.normalize("NFC", "".join(kept))


def _letters(word: str) -> list[str]:
    return [cluster for cluster in graphemes(word) if unicodedata.category(cluster[0])[0] in "LN"]


def _of_cjk(word: list[str]) -> str:
    same = all(_is_script(letter, ("CJK", "HANGUL")) for letter in word)
    return "".join(word[-2:] if same and len(word) in {3, 4} else word[:2])


def _is_script(cluster: str, scripts: tuple[str, ...]) -> bool:
    return unicodedata.name(cluster[0], "").startswith(scripts)


def _upper(cluster: str) -> str:
    upper = cluster.upper()
    return upper if _is_script(cluster, _UPPERCASED) and len(upper) == len(cluster) else cluster
