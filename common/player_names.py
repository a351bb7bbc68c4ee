"""The one definition of a player's lookup key: what makes two spellings the same name.

Pure and light: messages validate against it and workers key rows by it, so it imports no client.
"""

import unicodedata

LOOKUP_PATTERN = r"^[a-z0-9]+$"
"""What every key matches; in the syntax that Python and pydantic share."""


class InvalidName(ValueError):
    """No key can be made from this value; the message names the value and why."""


def normalize(name: str) -> str:
    """The lookup key of `name`: lower case, accents folded, only `[a-z0-9]` kept; suffixes stay.

    "Luka Dončić" gives "lukadoncic", "John Doe Jr." gives "johndoejr". Idempotent, and the same for composed
    and decomposed spellings. Raises InvalidName for what is no text, for a name with nothing left, and for
    one with a letter or digit that has no Latin counterpart: to drop it would merge different players.
    """
    if not isinstance(name, str):
        raise InvalidName(f"name: {name!r} is not text")
    plain = name if name.isascii() else unicodedata.normalize("NFKD", name).casefold()
    key = plain.translate(_FOLD)
    if not key:
        raise InvalidName(f"name: {name!r} holds no letter and no digit")
    if not key.isascii():
        strange = next(character for character in key if not character.isascii())
        raise InvalidName(f"name: {name!r} holds {strange!r}, which has no Latin counterpart")
    return key


# Letters that compatibility decomposition leaves whole.
_NOT_DECOMPOSED = {
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


class _Folding(dict[int, str]):
    """A table for str.translate that learns each further character once.

    A LookupError is how translate is told to leave a character as it is.
    """

    def __missing__(self, code: int) -> str:
        if _is_letter_or_digit(chr(code)):
            raise LookupError(code)
        return self.setdefault(code, "")


def _is_letter_or_digit(character: str) -> bool:
    """Modifier letters do not count: names use them as apostrophes."""
    category = unicodedata.category(character)
    return category[0] in "LN" and category != "Lm"


def _ascii() -> dict[int, str]:
    characters = map(chr, range(128))
    return {ord(character): character.lower() if character.isalnum() else "" for character in characters}


_FOLD = _Folding(_ascii() | {ord(letter): latin for letter, latin in _NOT_DECOMPOSED.items()})
