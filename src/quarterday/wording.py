"""How headings, labels and sheet names are compared: as people do, who don't see case, spaces or footnote digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})
# What nobody sees: byte order marks within a text, soft hyphens, spaces without width, marks of writing direction.
_UNSEEN = str.maketrans(dict.fromkeys("\ufeff\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u202a\u202b\u202c\u202d\u202e"))
_SEEN_AS = {**_QUOTES, **_UNSEEN}
# Digits after a letter or a bracket at the very end, alone or in a list: 'harassment5', 'burglary 6,7', 'Area [1]'.
_FOOTNOTES = re.compile(r"(?:(?<=[^\W\d_])|(?<=\)))\s*(?:\[?\d{1,2}(?:\s*,\s*\d{1,2})*\]?)$|[*\u2020\u2021]+$")


@lru_cache(maxsize=65_536)
def plain(text: str, footnotes: bool = True) -> str:
    """Return a text in small letters with single spaces and plain dashes; without footnote digits if asked."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_SEEN_AS)
    text = re.sub(r"\s+", " ", _DASHES.sub("-", text)).strip(" :")
    if footnotes:
        return text
    # A heading of several rows carries footnotes in each of its parts.
    return " | ".join(_FOOTNOTES.sub("", part).strip(" :") for part in text.split(" | "))


def mark_key(text: str) -> str:
    """Return a mark as the database's ``typed.plain`` gives it: small letters, single spaces, plain dashes."""
    return re.sub(r"\s+", " ", _DASHES.sub("-", text)).strip().lower()


def matching(text: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that a text means: the same wording, or else the same but for the text's footnote digits."""
    by_wording = {plain(candidate): candidate for candidate in candidates}
    found = by_wording.get(plain(text))
    return by_wording.get(plain(text, footnotes=False)) if found is None else found


def is_like(text: str, globs: Collection[str]) -> bool:
    """Return whether a text fits one of some globs; case, spaces, underscores and footnote digits don't matter."""
    if not globs:
        return False
    wordings = {_loose(plain(text)), _loose(plain(text, footnotes=False))}
    return any(fnmatchcase(wording, _loose(plain(glob))) for glob in globs for wording in wordings)


def _loose(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text)
