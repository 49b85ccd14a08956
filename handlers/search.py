"""Finding a service item the way people type: characters, everyday words, pinyin, first letters; best first, page by page.

All names lie in one long string a kind, so that a search is a few runs of `str.find`, whatever the number of items.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from handlers.errors import Refused

# Ranks, best first: what the query is to the item.
EXACT, PREFIX, KEYWORD, SUBSTRING, PINYIN, INITIALS, AROUND = range(7)

_MOST_READINGS = 8
_EACH_LETTER: Callable[[str], Any] = list  # pypinyin takes a list too, its hints say str only
_LONGEST_QUERY = 50
_SHORTEST_WORD_WITHIN = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """What is searched of one thing: its name, the words people use for it, words `around` it, and the `facets` to filter by."""

    code: str
    name: str
    keywords: Sequence[str]
    around: Sequence[str]
    facets: frozenset[str]


class Blob:
    """Many texts as one string. A hit counts only where a text may be entered: for pinyin, at the beginning of a syllable."""

    def __init__(self, texts: Iterable[tuple[int, Sequence[str]]]) -> None:
        self._owners: list[int] = []
        self._begins: list[int] = []
        entrances = bytearray()
        parts: list[str] = []
        for owner, pieces in dict.fromkeys((owner, tuple(pieces)) for owner, pieces in texts):
            self._owners.append(owner)
            self._begins.append(len(entrances))
            for piece in pieces:
                entrances += b"\x01" + bytes(len(piece) - 1)
            entrances += b"\x00"
            parts.append("".join(pieces))
        self._text = "\n".join(parts)
        self._entrances = bytes(entrances)

    def rank(self, query: str, ranks: dict[int, int], *, whole: int, begin: int, inside: int) -> None:
        """Give each owner of a text that holds the query its rank, by how it holds it, unless it has a better one."""
        at = self._text.find(query)
        while at >= 0:
            if not self._entrances[at]:
                at = self._text.find(query, at + 1)
                continue
            place = bisect_right(self._begins, at) - 1
            rank = inside if at > self._begins[place] else whole if self._ends(at + len(query)) else begin
            owner = self._owners[place]
            if rank < ranks.get(owner, rank + 1):
                ranks[owner] = rank
            # A later hit in the same text is no better: go on with the next one.
            at = self._text.find(query, self._begins[place + 1]) if place + 1 < len(self._begins) else -1

    def _ends(self, at: int) -> bool:
        return at == len(self._text) or self._text[at] == "\n"


class SearchIndex:
    """Entries, ready to be searched."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = sorted(entries, key=lambda entry: entry.code)
        numbered = list(enumerate(self._entries))
        self._names = Blob((n, fold(entry.name)) for n, entry in numbered)
        self._codes = Blob((n, fold(entry.code)) for n, entry in numbered)
        self._keywords = Blob((n, fold(word)) for n, entry in numbered for word in entry.keywords)
        self._around = Blob((n, fold(word)) for n, entry in numbered for word in entry.around)
        spoken = [(n, reading) for n, entry in numbered for word in (entry.name, *entry.keywords) for reading in readings(fold(word))]
        self._syllables = Blob(spoken)
        self._initials = Blob((n, [syllable[0] for syllable in reading]) for n, reading in spoken)
        self._everyday: dict[str, set[int]] = {}
        for n, entry in numbered:
            for word in entry.keywords:
                self._everyday.setdefault(fold(word), set()).add(n)

    def search(self, query: str, facets: frozenset[str] = frozenset(), after: str | None = None) -> Found:
        """What matches every word of the query and all facets; an empty query matches everything, in order of codes."""
        words = fold(query)[:_LONGEST_QUERY].split()
        ranks = self._ranks(words) if words else dict.fromkeys(range(len(self._entries)), EXACT)
        ordered = sorted((rank, self._entries[n].code) for n, rank in ranks.items() if facets <= self._entries[n].facets)
        return Found(ordered[_beginning(ordered, after) :])

    def _ranks(self, words: Sequence[str]) -> dict[int, int]:
        ranks = self._ranks_of(words[0])
        for word in words[1:]:
            more = self._ranks_of(word)
            ranks = {n: max(rank, more[n]) for n, rank in ranks.items() if n in more}
        return ranks

    def _ranks_of(self, word: str) -> dict[int, int]:
        ranks = dict.fromkeys(self._said_within(word), KEYWORD)
        for blob in (self._names, self._codes):
            blob.rank(word, ranks, whole=EXACT, begin=PREFIX, inside=SUBSTRING)
        self._keywords.rank(word, ranks, whole=KEYWORD, begin=KEYWORD, inside=SUBSTRING)
        self._around.rank(word, ranks, whole=AROUND, begin=AROUND, inside=AROUND)
        if word.isascii():
            self._initials.rank(word, ranks, whole=INITIALS, begin=INITIALS, inside=INITIALS)
        if word.isascii() and len(word) > 1:
            self._syllables.rank(word, ranks, whole=PINYIN, begin=PINYIN, inside=PINYIN)
        return ranks

    def _said_within(self, sentence: str) -> Iterator[int]:
        """Items one of whose everyday words stands in a longer sentence ("我想开饭店")."""
        if sentence.isascii():
            return
        for begin, end in itertools.combinations(range(len(sentence) + 1), 2):
            if end - begin >= _SHORTEST_WORD_WITHIN:
                yield from self._everyday.get(sentence[begin:end], ())


class Found:
    """What was found: (rank, code), best first."""

    def __init__(self, ordered: Sequence[tuple[int, str]]) -> None:
        self._ordered = ordered

    def take(self, limit: int) -> list[str]:
        """The codes of the first page."""
        return [code for _, code in self._ordered[:limit]]

    def mark_after(self, codes: Sequence[str]) -> str | None:
        """Where the page after `codes` begins; None if nothing is left."""
        if not 0 < len(codes) < len(self._ordered):
            return None
        rank, code = self._ordered[len(codes) - 1]
        return base64.urlsafe_b64encode(f"{rank} {code}".encode()).decode().rstrip("=")


def fold(text: str) -> str:
    """Text as it is compared: full-width letters made plain, capitals made small."""
    return unicodedata.normalize("NFKC", text).lower().strip()


@lru_cache(maxsize=65536)
def readings(text: str) -> tuple[tuple[str, ...], ...]:
    """How a text is read aloud, in syllables: as the phrase is read, then with other readings of its characters (重 zhong, chong)."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - its dictionary takes half a second, and most processes never search

    if not text:
        return ()
    phrase = tuple(lazy_pinyin(text, errors=_EACH_LETTER))
    choices = [_first(usual, others) for usual, others in zip(phrase, _others(text), strict=True)]
    return tuple(dict.fromkeys((phrase, *itertools.islice(itertools.product(*choices), _MOST_READINGS))))


def _others(text: str) -> list[list[str]]:
    from pypinyin import Style, pinyin  # noqa: PLC0415 - as above

    found: list[list[str]] = [
        pinyin(character, style=Style.NORMAL, heteronym=True, errors=_EACH_LETTER)[0] for character in text
    ]  # one by one: as a phrase only the usual reading would come back
    return found


def _first(usual: str, others: Sequence[str]) -> list[str]:
    return list(dict.fromkeys((usual, *others)))


def _beginning(ordered: Sequence[tuple[int, str]], after: str | None) -> int:
    return 0 if after is None else bisect_right(ordered, _mark(after))


def _mark(after: str) -> tuple[int, str]:
    try:
        rank, _, code = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode().partition(" ")
        return int(rank), code
    except (binascii.Error, ValueError) as problem:
        raise Refused("invalid_cursor") from problem
