"""`python -m local`: see `./local/run --help`."""

from .cli import app

app(prog_name="./local/run")
