"""The pictures of the README show what the commands show now."""

from tests.pictures.drawing import digest, explain_svg, status_html
from tests.support.source_tree import ROOT

PICTURES = ROOT / "ops" / "pictures"


def test_picture_of_an_explanation_is_what_explain_prints_now() -> None:
    assert (PICTURES / "explain.svg").read_text(encoding="utf-8") == explain_svg(), "./tests/run pictures"


def test_picture_of_the_status_page_was_drawn_from_the_page_as_it_is_now() -> None:
    drawn_from = (PICTURES / "status.png.drawn-from").read_text(encoding="utf-8").strip()

    assert drawn_from == digest(status_html()), "./tests/run pictures"
