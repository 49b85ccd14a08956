"""Characters that nobody sees and that can make a text look like another one: taken out wherever texts of people and departments come in.

Marks of direction (UAX 9) turn around what stands behind them, tags and joiners hide what is not read. Those that writing needs stay: the
(non-)joiners of Persian, Mongolian and emoji, U+200C, U+200D and U+180E.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_INVISIBLE = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
_AS_IT_IS = frozenset({"password"})
"""What is compared and never shown."""


def visible(text: str) -> str:
    """The text without what nobody sees."""
    return _INVISIBLE.sub("", text)


def is_visible(text: str) -> bool:
    """Whether there is nothing to take out."""
    return _INVISIBLE.search(text) is None


def visible_in(value: Any) -> Any:
    """The same JSON value or Struct with every text made visible; names of fields stay, and so does a password."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {name: one if name in _AS_IT_IS else visible_in(one) for name, one in value.items()}
    if isinstance(value, msgspec.Struct):
        found = {name: getattr(value, name) for name in value.__struct_fields__ if name not in _AS_IT_IS}
        return msgspec.structs.replace(value, **{name: visible_in(one) for name, one in found.items()})
    return type(value)(map(visible_in, value)) if isinstance(value, list | tuple) else value
