"""Headless Chromium, for what a person would see."""

from typing import Final

INSTALL: Final = "sudo apt-get install chromium"

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
