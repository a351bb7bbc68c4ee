"""gcloud's own parser, without gcloud's commands: run as a program, with the folder of the SDK as its
argument.

Reads commands as JSON lists of words, one a line, and prints for each what the parser objects to, or
nothing. One process parses in a second what as many calls of gcloud would take a minute for. It uses what
is inside of gcloud: where that has moved, it fails with a stack trace, and never says yes.
"""

import contextlib
import io
import json
import sys


def main(sdk: str) -> None:
    sys.path[:0] = [f"{sdk}/lib", f"{sdk}/lib/third_party"]
    from googlecloudsdk import gcloud_main  # type: ignore[import-not-found]
    from googlecloudsdk.calliope.exceptions import ToolException  # type: ignore[import-not-found]
    from googlecloudsdk.calliope.parser_errors import ArgumentError  # type: ignore[import-not-found]
    from googlecloudsdk.core.exceptions import Error  # type: ignore[import-not-found]

    parser = gcloud_main.CreateCLI([])._CLI__parser
    for line in sys.stdin:
        told = io.StringIO()
        try:
            with contextlib.redirect_stderr(told):
                parser.parse_args(json.loads(line)[1:])
            print(json.dumps(""), flush=True)
        except (SystemExit, Error, ArgumentError, ToolException) as refused:
            print(json.dumps(f"refused: {refused} {told.getvalue()}"), flush=True)


main(sys.argv[1])
