import re
import unicodedata
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.player_names import LOOKUP_PATTERN, InvalidName, normalize
from tests.support.nba_players import nba_players


@pytest.mark.parametrize(
    ("name", "key"),
    [
        pytest.param("LeBron James", "lebronjames", id="case and space"),
        pytest.param("  LeBron\tJames\n", "lebronjames", id="space of every kind"),
        pytest.param("Shai Gilgeous-Alexander", "shaigilgeousalexander", id="hyphen"),
        pytest.param("Shai Gilgeous\u2011Alexander", "shaigilgeousalexander", id="hyphen without break"),
        pytest.param("De'Aaron Fox", "deaaronfox", id="straight apostrophe"),
        pytest.param("De\u2019Aaron Fox", "deaaronfox", id="curly apostrophe"),
        pytest.param("De\u02bbAaron Fox", "deaaronfox", id="apostrophe that is a modifier letter"),
        pytest.param("P.J. Tucker", "pjtucker", id="initials"),
        pytest.param("John Doe Jr.", "johndoejr", id="suffix Jr. stays"),
        pytest.param("John Doe III", "johndoeiii", id="suffix III stays"),
        pytest.param("john-doe", "johndoe", id="slug"),
        pytest.param("Player 2nd", "player2nd", id="digits stay"),
        pytest.param("Luka Dončić", "lukadoncic", id="composed accents"),
        pytest.param("Luka Donc\u030cic\u0301", "lukadoncic", id="decomposed accents"),
        pytest.param("Søren Øst", "sorenost", id="o with stroke"),
        pytest.param("Nikola Đurišić", "nikoladurisic", id="d with stroke"),
        pytest.param("Łukasz Koszarek", "lukaszkoszarek", id="l with stroke"),
        pytest.param("Groß", "gross", id="sharp s"),
        pytest.param("GROẞ", "gross", id="capital sharp s"),
        pytest.param("Ærø Œuvre", "aerooeuvre", id="ligatures"),
        pytest.param("Þór Guðmundsson", "thorgudmundsson", id="thorn and eth"),
        pytest.param("\u0130lkan K\u0131l\u0131ç", "ilkankilic", id="Turkish i, both of them"),
        pytest.param("\ufb01ne", "fine", id="typographic ligature"),
        pytest.param("\uff2c\uff25\uff22\uff32\uff2f\uff2e", "lebron", id="full width"),
    ],
)
def test_key_of_a_name(name: str, key: str) -> None:
    assert normalize(name) == key


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param(" .-' ", id="punctuation alone"),
        pytest.param("\u0301", id="an accent alone"),
        pytest.param("Никола Јокић", id="Cyrillic"),
        pytest.param("Nikola J\u043ekic", id="one Cyrillic letter that looks Latin"),
        pytest.param("姚明", id="Chinese"),
        pytest.param("Player ٣", id="Arabic digit"),
        pytest.param(None, id="nothing"),
        pytest.param(23, id="a number"),
        pytest.param(b"LeBron", id="bytes"),
    ],
)
def test_a_value_without_a_key_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidName, match=re.escape(repr(value))):
        normalize(value)


@given(st.text())
def test_a_key_fits_the_pattern_and_is_its_own_key(name: str) -> None:
    try:
        key = normalize(name)
    except InvalidName:
        return

    assert re.fullmatch(LOOKUP_PATTERN, key)
    assert normalize(key) == key


@given(st.text(alphabet=st.characters(max_codepoint=0x24F, categories=["L"]), min_size=1))
def test_composed_and_decomposed_spellings_share_a_key(name: str) -> None:
    keys = {_key_or_none(unicodedata.normalize(form, name)) for form in ("NFC", "NFD", "NFKC", "NFKD")}

    assert len(keys) == 1


def test_nba_players_share_a_key_only_if_they_share_a_name() -> None:
    names_by_key: dict[str, set[str]] = defaultdict(set)

    for player in nba_players():
        names_by_key[normalize(player.full_name)].add(player.full_name)

    assert len(names_by_key) > 5_000
    assert [names for names in names_by_key.values() if len(names) > 1] == []


def _key_or_none(name: str) -> str | None:
    try:
        return normalize(name)
    except InvalidName:
        return None
