"""Letters of other scripts that look like Latin ones, by Unicode's table of confusable characters."""

from functools import cache

from confusable_homoglyphs import confusables  # type: ignore[import-untyped]


@cache
def latin(character: str) -> str | None:
    """The one Latin letter that `character` looks like, in its case; None if there is none, or several: then
    nobody can say which was meant.
    """
    entries = confusables.is_confusable(character, preferred_aliases=["latin"]) or []
    # Digits and signs are left out: a name's letter never means a digit.
    letters = {each["c"] for entry in entries for each in entry["homoglyphs"] if each["c"].isalpha()}
    return letters.pop() if len(letters) == 1 else None
