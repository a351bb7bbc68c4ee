"""Draws the pictures of the README anew: `./tests/run pictures`. Needs Chromium for the page."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.browser import FLAGS, INSTALL

from .drawing import digest, explain_svg, status_html

FOLDER = Path(__file__).resolve().parents[2] / "ops" / "pictures"


def main() -> int:
    browser = shutil.which("chromium")
    if browser is None:
        print(f"chromium is not installed: {INSTALL}", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "explain.svg").write_text(explain_svg(), encoding="utf-8")
    page = status_html()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "status.html"
        file.write_text(page, encoding="utf-8")
        picture = f"--screenshot={FOLDER / 'status.png'}"
        options = [*FLAGS, f"--user-data-dir={folder}", "--window-size=900,720", picture]
        subprocess.run([browser, *options, file.as_uri()], check=True, capture_output=True, timeout=120)
    (FOLDER / "status.png.drawn-from").write_text(digest(page) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
