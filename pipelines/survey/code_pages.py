"""Bytes of a text that is not UTF-8 -> the code page in which they are words of a language.

chardet weighs, for each page, how usual its letters are beside one another. Its models have seen few capitals, so a
text is lowered in each page before it is weighed. A page counts less where it makes signs or capitals within words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_USUAL: Final = "cp1252"
_PAGES: Final = (
    _USUAL, "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874",
    "cp932", "gb18030", "big5hkscs", "cp949", "euc-jp", "iso8859-2", "iso8859-9", "koi8-r", "koi8-u",
)  # fmt: skip
"""That programs of today write, each as the widest of its kind: cp932 for Shift JIS, cp949 for EUC-KR."""
_OLD_PAGES: Final = ("cp850", "cp852", "cp437", "cp866", "mac-roman")
"""Of DOS and of old Macs."""
_LINES: Final = 500
"""That are weighed, of those that are not ASCII."""
_OLD: Final = 0.85
"""What an old page counts for: it has to fit clearly better than those of today."""
_FEW: Final = 0.2
"""A share of lines: other languages of Latin letters have more that are not ASCII than those of the West."""
_OF_FEW: Final = 2.0
"""What Windows-1252 counts for where there are so few."""
_CLEARLY: Final = 1.15
"""How much better a page has to fit than the one that somebody chose."""
_NONE: Final = "ascii"
"""What chardet answers where the page is out of the question: no text that is asked about is ASCII."""
_DAMAGED: Final = 0.02
"""The share of signs that are not ASCII which may have no meaning in a page."""
_MIXED: Final = 0.25
"""The share of them that may stand beside a letter of another script."""
_OTHER_SCRIPT: Final = "[\u0370-\u03ff\u0400-\u04ff\u0590-\u06ff\u0e00-\u0e7f]"
_MIXED_WORD: Final = re.compile(f"[a-z](?={_OTHER_SCRIPT})|{_OTHER_SCRIPT}(?=[a-z])")
_SIGN: Final = re.compile(r"(?<=[^\W\d_])[^\w\s\x00-\x7f\u2018\u2019](?=[^\W\d_])")
"""Within a word, and no apostrophe."""


def code_page(lines: Sequence[bytes]) -> str:
    """Return the name of the page, as Python's codecs have it; Windows-1252 where none makes words of the text."""
    return _best(*_weighed(lines))


def better_page(lines: Sequence[bytes], chosen: str) -> str:
    """Return the page that makes clearly better words of a text than the chosen one, "" where none does."""
    text, usual = _weighed(lines)
    best = _best(text, usual)
    if text.decode(best, "replace") == text.decode(chosen, "replace"):
        return ""
    return best if _worth(text, best) > _CLEARLY * _worth(text, chosen) * (usual if chosen == _USUAL else 1.0) else ""


def _weighed(lines: Sequence[bytes]) -> tuple[bytes, float]:
    """Return the text of the lines that are not ASCII, and what Windows-1252 counts for."""
    odd = [line for line in lines if not line.isascii()]
    return b"\n".join(odd[:_LINES]), _OF_FEW if len(odd) < _FEW * len(lines) else 1.0


def _best(text: bytes, usual: float) -> str:
    if usual > 1 and _is_marks(text.decode(_USUAL, "replace")):
        return _USUAL
    worth = {page: _worth(text, page) * (usual if page == _USUAL else 1.0) for page in (*_PAGES, *_OLD_PAGES)}
    best = max(worth, key=worth.__getitem__)  # of equal ones the first
    return _USUAL if text.decode(best, "replace") == text.decode(_USUAL, "replace") else best


def _worth(text: bytes, page: str) -> float:
    read = text.decode(page, "replace")
    odd = max(1, sum(not sign.isascii() for sign in read))
    lowered = read.lower()
    if read.count("\ufffd") > _DAMAGED * odd or len(_MIXED_WORD.findall(lowered)) > _MIXED * odd:
        return 0.0
    import chardet

    found = chardet.detect_all(
        lowered.encode(page, "ignore"),
        ignore_threshold=True,
        include_encodings=[page, _NONE],
        no_match_encoding=_NONE,
        empty_input_encoding=_NONE,
        compat_names=False,
    )
    fits = max((one["confidence"] for one in found if one["encoding"] != _NONE), default=0.0)
    strange = len(_SIGN.findall(read)) + sum(_is_rise(*pair) for pair in pairwise(read))
    return fits * (_OLD if page in _OLD_PAGES else 1.0) * max(0.0, 1 - strange / odd)


def _is_marks(read: str) -> bool:
    """Tell whether what is not ASCII are quotes, dashes and the like, none within a word."""
    return not _SIGN.search(read) and not any(sign.isalpha() for sign in read if not sign.isascii())


def _is_rise(before: str, sign: str) -> bool:
    """Tell whether a sign is a capital that is not ASCII, within a word."""
    return before.islower() and sign.isupper() and not sign.isascii()
