"""The one definition of a player's lookup key: what makes two spellings the same name.

Pure and light: messages validate against it and workers key rows by it, so it imports no client.
"""

import re
import unicodedata
from contextlib import suppress
from typing import Final

LOOKUP_PATTERN: Final = r"^[a-z0-9]+$"
"""What every key matches; in the syntax that Python and pydantic share."""

_KEY: Final = re.compile(LOOKUP_PATTERN)


class InvalidName(ValueError):
    """No key can be made from this value; the message names the value and why."""


def normalize(name: str) -> str:
    """The lookup key of `name`: lower case, accents folded, only `[a-z0-9]` kept; suffixes stay.

    "Luka Dončić" gives "lukadoncic", "John Doe Jr." gives "johndoejr", and "Egor Dёmin", whose ё is Cyrillic,
    "egordemin". Idempotent, and the same for composed and decomposed spellings. Raises InvalidName for what
    is no text, for a name with nothing left, for one with a letter or digit that neither is Latin nor looks
    so, and for what was decoded wrongly: to drop what cannot be read would merge different players.
    """
    if not isinstance(name, str):
        raise InvalidName(f"name: {name!r} is not text")
    # A key already, as the workers send it: this runs once per message.
    if _KEY.fullmatch(name):
        return name
    if _REMAINS.search(name) or _is_utf8_read_as_something_else(name):
        raise InvalidName(f"name: {name!r} was decoded wrongly; its letters are lost")
    plain = name if name.isascii() else unicodedata.normalize("NFKD", name)
    key = plain.casefold().translate(_FOLD)
    if not key.isascii():
        key = _latin_throughout(plain).casefold().translate(_FOLD)
    if not key:
        raise InvalidName(f"name: {name!r} holds no letter and no digit")
    if not key.isascii():
        strange = next(character for character in key if not character.isascii())
        raise InvalidName(f"name: {name!r} holds {strange!r}, which has no Latin counterpart")
    return key


# What is left where a letter could not be decoded, or was escaped for some other text.
_REMAINS: Final = re.compile(r"[?\ufffd\x00-\x08\x0e-\x1f\x7f]|&#?\w+;|%[0-9a-f]{2}|\\[ux]", re.IGNORECASE)

# Letters that compatibility decomposition leaves whole.
_NOT_DECOMPOSED: Final = {
    "æ": "ae",
    "đ": "d",
    "ð": "d",
    "ə": "a",
    "ħ": "h",
    "\u0131": "i",  # the dotless one
    "ĸ": "k",
    "ł": "l",
    "ŋ": "n",
    "ø": "o",
    "œ": "oe",
    "ŧ": "t",
    "þ": "th",
}


# What names hold beside letters: space, marks, punctuation, apostrophes of every kind, invisible hyphens. A
# symbol, a control character, half a surrogate pair or a letter of nobody's is the remains of something else.
_DROPPED: Final = frozenset({"Zs", "Zl", "Zp", "Mn", "Mc", "Me", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"})
_DROPPED_TOO: Final = frozenset({"Lm", "Sk", "Cf"})


class _Folding(dict[int, str]):
    """A table for str.translate that learns each further character once.

    A LookupError is how translate is told to leave a character as it is.
    """

    def __missing__(self, code: int) -> str:
        if unicodedata.category(chr(code)) not in _DROPPED | _DROPPED_TOO:
            raise LookupError(code)
        return self.setdefault(code, "")


def _is_utf8_read_as_something_else(name: str) -> bool:
    """Whether the text makes sense as the bytes of another one: "Joki‡" with an Ä before is "Jokić"."""
    if name.isascii() or not any(_is_suspicious(character) for character in name):
        return False
    for encoding in ("latin-1", "cp1252"):
        with suppress(UnicodeError):
            name.encode(encoding).decode()
            return True
    return False


def _is_suspicious(character: str) -> bool:
    return not character.isascii() and not character.isalpha()


def _latin_throughout(plain: str) -> str:
    """Letters that look Latin, in words that are Latin otherwise, as the letters that they look like."""
    return "".join(map(_latin_word, _WORD.findall(plain)))


_WORD: Final = re.compile(r"\s+|\S+")


def _latin_word(word: str) -> str:
    strange = {character for character in word if not character.casefold().translate(_FOLD).isascii()}
    is_latin_otherwise = any(_is_latin(character) for character in set(word) - strange)
    if not strange or not is_latin_otherwise:
        return word
    # A table of all of Unicode: loaded when such a letter comes, which is rare.
    from .look_alikes import latin

    return "".join(latin(character) or character if character in strange else character for character in word)


def _is_latin(character: str) -> bool:
    key = character.casefold().translate(_FOLD)
    return key.isascii() and key.isalpha()


def _ascii() -> dict[int, str]:
    characters = map(chr, range(128))
    return {ord(character): character.lower() if character.isalnum() else "" for character in characters}


_FOLD: Final = _Folding(_ascii() | {ord(letter): latin for letter, latin in _NOT_DECOMPOSED.items()})
