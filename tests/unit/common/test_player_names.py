import re
import subprocess
import sys
import unicodedata
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.player_names import LOOKUP_PATTERN, InvalidName, normalize
from tests.support.nba_players import nba_players
from tests.support.source_tree import ROOT


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
        pytest.param("Egor D\u0451min", "egordemin", id="Cyrillic letter with a mark in a Latin word"),
        pytest.param("Egor D\u0435\u0308min", "egordemin", id="the same, decomposed"),
        pytest.param("Nikola J\u043ekic", "nikolajokic", id="Cyrillic letter in a Latin word"),
        pytest.param("\u0412rook Lopez", "brooklopez", id="Cyrillic capital that looks Latin as a capital"),
        pytest.param("LeBr\u03bfn James", "lebronjames", id="Greek letter in a Latin word"),
        pytest.param("De\u00b4Aaron Fox", "deaaronfox", id="apostrophe that is an accent"),
        pytest.param("Le\u00adBron\u200b James", "lebronjames", id="invisible hyphen and space"),
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
        pytest.param("\u0420\u043e\u0440\u0435 Smith", id="Cyrillic word that looks Latin"),
        pytest.param("\u0410. Smith", id="Cyrillic initial"),
        pytest.param("Nikola J\u0448kic", id="Cyrillic letter that looks like nothing Latin"),
        pytest.param("Luka Don\ufffdi\ufffd", id="letters that could not be decoded"),
        pytest.param("Luka Don?i?", id="letters that could not be encoded"),
        pytest.param("Nikola Joki\u00c4\u2021", id="UTF-8 read as Windows text"),
        pytest.param("Luka Don\u00c4\u008di\u00c4\u0087", id="UTF-8 read as Latin-1"),
        pytest.param("Luka Don\udcc4\udc8di\udcc4\udc87", id="bytes smuggled through as surrogates"),
        pytest.param("Luka Don&#269;i&#263;", id="escaped for HTML"),
        pytest.param("Luka%20Don%C4%8Di%C4%87", id="escaped for a URL"),
        pytest.param("Luka Don\\u010di\\u0107", id="escaped for JSON"),
        pytest.param("Luka\x00Doncic", id="a control character"),
        pytest.param("Luka \ue000", id="a letter of nobody's"),
        pytest.param("Luka \u2603", id="a symbol"),
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


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
def test_no_name_of_nba_players_that_was_decoded_wrongly_gets_another_key(encoding: str) -> None:
    accented = [player.full_name for player in nba_players() if not player.full_name.isascii()]

    assert len(accented) > 20
    for name in accented:
        wrong = name.encode().decode(encoding, errors="replace")
        assert _key_or_none(wrong) in (None, normalize(name)), wrong


def test_table_of_look_alikes_is_loaded_when_such_a_letter_comes_and_not_before() -> None:
    program = (
        "import sys; from common.player_names import normalize; normalize('Luka Dončić');"
        "before = 'confusable_homoglyphs' in sys.modules; normalize('Egor D\u0451min');"
        "print(before, 'confusable_homoglyphs' in sys.modules)"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )

    assert said.stdout.split() == ["False", "True"]


def _key_or_none(name: str) -> str | None:
    try:
        return normalize(name)
    except InvalidName:
        return None
