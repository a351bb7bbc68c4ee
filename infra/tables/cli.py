"""`infra/sql/apply`: see its --help."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError

from common.sport import Sport, SportNames
from common.warehouse.warehouse import EMULATOR_HOST, connect

from .applying import MissingDatasets, Warehouse, apply, plan
from .difference import Change
from .statements import FOLDER


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run `infra/sql/apply`; returns its exit status.

    0: the warehouse is, or now is, as it should be. 1: something is left that a person has to decide, or with
    --dry-run anything at all. 2: wrong usage. 3: could not look or could not finish.
    """
    options = _parser().parse_args(arguments)
    names = SportNames(sport=Sport(options.sport), dataset_prefix=options.dataset_prefix)
    try:
        client = connect(options.project, environment)
        warehouse = Warehouse(client=client, is_emulated=bool(environment.get(EMULATOR_HOST)))
        return _run(warehouse, names, is_dry=options.dry_run)
    except DefaultCredentialsError:
        print("infra/sql/apply: no account: gcloud auth application-default login", file=sys.stderr)
    except (MissingDatasets, GoogleAPIError, GoogleAuthError) as exc:
        print(f"infra/sql/apply: {exc}", file=sys.stderr)
    return 3


def _run(warehouse: Warehouse, names: SportNames, *, is_dry: bool) -> int:
    """Print what differs, mend it unless dry, and tell by 1 that something is left."""
    # Told before it is done: what fails halfway has been seen.
    planned = plan(warehouse, names, FOLDER)
    for change in planned:
        print(_line(change))
    if not planned:
        print(f"{names.scope}: nothing to do")
    # Of a dry run all of it is left.
    left = planned if is_dry else apply(warehouse, planned)
    return 1 if left else 0


def _line(change: Change) -> str:
    """`+` before what is mended, with the statement; `!` before what a person has to decide."""
    if change.sql is None:
        return f"! {change.what}"
    return f"+ {change.what}\n" + "".join(f"    {line}\n" for line in change.sql.splitlines()).rstrip()


def _parser() -> argparse.ArgumentParser:
    """The options; `--project` has no default, so that nobody mends the wrong one."""
    parser = argparse.ArgumentParser(
        prog="infra/sql/apply",
        description="Make the tables, views and indexes of infra/sql, and mend those that differ. "
        "What cannot be mended in place is marked with ! and left to you.",
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what differs and what would be run")
    parser.add_argument("--project", required=True, help="the Google Cloud project")
    parser.add_argument("--sport", required=True, choices=[sport.value for sport in Sport])
    parser.add_argument("--dataset-prefix", default="", help="for datasets of a test: PREFIX_nba_predictions")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
