"""`python -m local`: see `./local/run --help`."""

import signal


def main() -> None:
    """Until the command line takes over, which takes a second of imports, Ctrl-C ends the program without a
    word: nothing has been started yet, and a stack trace would tell nobody anything."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .cli import app

    app(prog_name="./local/run")


main()
