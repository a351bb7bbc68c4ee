"""The page as a browser gets it: self-contained, everything escaped, something to read whatever there is."""

from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from common.reporting.page import render, span
from common.reporting.records import Status
from tests.support.statuses import EVIL, catastrophe, nothing, one_day


class Tags(HTMLParser):
    """The tags and their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "status",
    [nothing, one_day, catastrophe, lambda: catastrophe(EVIL)],
    ids=["nothing", "one day", "a catastrophe", "names that mean harm"],
)
def test_page_needs_nothing_from_elsewhere_and_runs_nothing(status: Callable[[], Status]) -> None:
    page = Tags(render(status()))

    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert ("name", "viewport") in page.attributes
    assert "Findings" in page.text and "Last 30 days" in page.text


def test_page_that_is_served_leads_to_the_explanation_of_each_row() -> None:
    page = Tags(render(catastrophe(EVIL, number=2), link=lambda name: f"/explain/{len(name)}"))

    links = [value for name, value in page.attributes if name == "href"]
    assert len(links) == 1 + 1 + 12  # a boundary, a finding in a batch, the batches
    assert "./ops/run explain" not in page.text
    assert not {"script", "img"} & set(page.tags)


def test_page_in_a_bucket_has_the_command_of_each_row_instead() -> None:
    text = Tags(render(one_day(), here=lambda command: f"{command} --local")).text

    assert "./ops/run explain batch_2026-01-17_1768690800 --local" in text
    assert "./ops/run explain 2026-01-17 --local" in text


def test_names_are_shown_as_they_are() -> None:
    assert EVIL in Tags(render(catastrophe(EVIL))).text


def test_nothing_says_so_and_is_not_well() -> None:
    text = Tags(render(nothing())).text

    for sentence in ("unknown", "no audit so far", "None.", "Nothing has begun.", "No batch of these days."):
        assert sentence in text


def test_running_batch_shows_its_completions_and_its_expected_end() -> None:
    page = Tags(render(one_day()))

    assert "300 of 450 players" in page.text
    assert "Expected end 23:30 UTC, between 23:29 UTC and " in page.text
    assert {"polyline", "rect"} <= set(page.tags)
    assert "phase4_to_phase5" in page.text and "for 1 h 0 min" in page.text


def test_catastrophe_stays_a_page_that_a_phone_can_load() -> None:
    rendered = render(catastrophe())

    text = Tags(rendered).text
    assert "… and 200 more" in text and "./ops/run findings" in text
    assert "./ops/run repair lost_increment-000000000000" in text
    assert "Not known: phases" in text and ", silenced" in text
    assert len(rendered) < 200_000


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (timedelta(seconds=-5), "0 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=4, hours=2), "4 d 2 h"),
    ],
    ids=str,
)
def test_spans_are_told_as_people_tell_them(length: timedelta, told: str) -> None:
    assert span(length) == told
