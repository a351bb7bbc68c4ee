"""The pages as a browser shows them: nothing sticks out on a phone, nothing is fetched, nothing complains."""

import html
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from common.reporting.page import render
from ops.commands import bundle
from ops.commands.page import address_of
from tests.support.browser import FLAGS, INSTALL
from tests.support.explained import BATCH, TELLING, refused
from tests.support.statuses import EVIL, catastrophe, nothing, one_day

PHONE_PIXELS = 360
FRAME = """<!doctype html><title></title>
<iframe id="page" width="{width}" height="800" srcdoc="{page}"></iframe>
<script>
onload = () => document.title = "width " + page.contentDocument.documentElement.scrollWidth
</script>"""
"""As wide as a phone, and measured from outside: the pages themselves run nothing."""


@pytest.fixture(scope="module")
def chromium() -> str:
    """Skipped where a person has no browser, never in CI."""
    found = shutil.which("chromium")
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"chromium is not installed: {INSTALL}")
    assert found is not None, "chromium is not installed"
    return found


def shown(chromium: str, page: str, folder: Path) -> tuple[int, str]:
    """The width that the page takes on a phone, and what the browser had to say."""
    file = folder / "page.html"
    file.write_text(FRAME.format(width=PHONE_PIXELS, page=html.escape(page)), encoding="utf-8")
    options = [
        f"--user-data-dir={folder / 'profile'}",
        "--enable-logging=stderr",
        "--dump-dom",
    ]
    done = subprocess.run(
        [chromium, *FLAGS, *options, file.as_uri()], check=True, capture_output=True, text=True, timeout=120
    )
    found = re.search(r"<title>width (\d+)</title>", done.stdout)
    assert found is not None, done.stdout[-500:]
    return int(found.group(1)), "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


@pytest.mark.parametrize(
    "page",
    [
        lambda: render(nothing()),
        lambda: render(one_day()),
        lambda: render(catastrophe()),
        lambda: render(catastrophe(EVIL)),
        lambda: render(catastrophe(EVIL), link=address_of),
    ],
    ids=["nothing", "one day", "a catastrophe", "names that mean harm", "served, with such names"],
)
def test_status_page_fits_a_phone_and_complains_of_nothing(
    page: Callable[[], str], chromium: str, tmp_path: Path
) -> None:
    width, complaints = shown(chromium, page(), tmp_path)

    assert width <= PHONE_PIXELS
    assert complaints == ""


def test_bundle_fits_a_phone_and_shows_text_as_text(chromium: str, tmp_path: Path) -> None:
    page = bundle.batch_page(refused(EVIL), TELLING)

    width, complaints = shown(chromium, page, tmp_path)

    assert width <= PHONE_PIXELS
    assert complaints == ""
    assert EVIL not in page and BATCH in page
    assert not re.search(r"<[^>]*\b(src|href)=", page)
