"""The command line of `./deploy.sh`: options in, exit status out, every problem told without a stack
trace."""

import argparse
import fcntl
import secrets
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from ..manifest import Function, Manifest, load
from . import answers, preflight, rollback, smoke, status
from .answers import Answers
from .drift import drifts, idle
from .gcloud import Gcloud, GcloudProgram
from .inventory import Inventory
from .plan import VERSION, plan
from .problem import DeployError
from .rollout import Rollout
from .stage import stage
from .target import Target, target
from .verify import placeholders, verify
from .workshop import Workshop

ROOT: Final = Path(__file__).resolve().parents[2]
# Exit statuses; 2, wrong usage, is argparse's own, and `--status` has those of `Drift`.
FAILED: Final = 1
COULD_NOT_LOOK: Final = 3
"""Of `--status` alone: what cannot be read is no drift, and no agreement either."""
INTERRUPTED: Final = 130
"""As a shell tells of a program that Ctrl-C ended: 128 + SIGINT."""

_EPILOG: Final = """
Whatever a function is to be told is taken from the environment (functions/manifest.json names it), as
GCP_PROJECT, REGION and SPORT are. {NAME}_SECRET tells a secret's name in Secret Manager. A variable that
runs and is not set here stops the deployment; set to nothing, it is removed.

Exit status: 0 done, or nothing to do; 1 failed, and the step is named; 2 wrong usage; 130 Ctrl-C.
--status: 0 no drift; 3 could not look; else the gravest kind of drift: 10 not deployed, 11 delivery (invoker,
subscriptions), 12 traffic, 13 environment or secrets, 14 settings, 15 code.
"""


def main(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    gcloud: Callable[[Callable[[str], None]], Gcloud] = GcloudProgram,
    answered: Callable[[], Answers] | None = None,
) -> int:
    """Run one command of `./deploy.sh`; returns the exit status.

    `gcloud` is made with what says each command; `answered` stands in for the Firestore in which canaries are
    answered. Raises only for a defect of our own: what a user can mend is printed to stderr in a sentence.
    """
    options = parser().parse_args(arguments)
    try:
        _Deployment(options, environment, gcloud, answered).run()
    except _Status as ended:
        return ended.number
    except DeployError as exc:
        print(f"deploy: {exc}", file=sys.stderr)
        return COULD_NOT_LOOK if options.status else FAILED
    # The step has taken away what it made; see `Rollout._step`.
    except KeyboardInterrupt:
        print("deploy: stopped; the traffic is where the last line says", file=sys.stderr)
        return INTERRUPTED
    return 0


class _Status(Exception):
    """`--status` has looked, and ends with the number of what it found."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def parser() -> argparse.ArgumentParser:
    """Of the command line."""
    made = argparse.ArgumentParser(
        prog="./deploy.sh",
        description="Stage, verify, compare, deploy without traffic, try, give traffic, read back.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    modes = made.add_mutually_exclusive_group()
    modes.add_argument("--dry-run", action="store_true", help="stage, verify, print the commands; no account")
    modes.add_argument("--status", action="store_true", help="compare what runs with what is here; no change")
    modes.add_argument("--rollback", action="store_true", help="traffic back to what served before")
    modes.add_argument("--stage", type=Path, metavar="DIR", help="only stage into DIR and verify")
    made.add_argument("--only", action="append", metavar="FUNCTION", help="in functions/; repeatable")
    made.add_argument("-o", "--output", choices=("text", "json"), default="text", help="of --status")
    for name, variable in _OPTIONS.items():
        made.add_argument(f"--{name}", metavar=name[0].upper(), help=f"default: {variable}")
    made.add_argument(
        "--verify",
        metavar="PYTHON",
        default=sys.executable,
        help="starts the staged functions; it should hold requirements.txt and nothing else",
    )
    return made


_OPTIONS: Final = {"project": "GCP_PROJECT", "region": "REGION", "sport": "SPORT"}
"""Option → the variable that it stands for."""


class _Deployment:
    """One call of the command: options and environment are joined, an option wins."""

    def __init__(
        self,
        options: argparse.Namespace,
        environment: Mapping[str, str],
        gcloud: Callable[[Callable[[str], None]], Gcloud],
        answered: Callable[[], Answers] | None,
    ) -> None:
        self._options = options
        # An option wins over the environment; one that is not given says nothing.
        said = {variable: getattr(options, name) for name, variable in _OPTIONS.items()}
        self._given = {**environment, **{name: value for name, value in said.items() if value is not None}}
        # Read before anything is asked of gcloud: a manifest that is wrong stops every mode.
        self._manifest = load(ROOT)
        self._functions = _chosen(self._manifest, options.only or ())
        self._answered = answered
        # What --status prints is for machines too: only the result goes to stdout.
        say = partial(print, file=sys.stderr if options.status else sys.stdout, flush=True)
        self._say: Callable[[str], None] = say
        self._gcloud = gcloud(say)

    def run(self) -> None:
        """One of the modes, which exclude each other; without any, a deployment."""
        if self._options.stage is not None:
            self._stage(self._options.stage)
        elif self._options.rollback:
            services = [self._target.service(name) for name in self._functions]
            rollback.rollback(self._gcloud, self._target, services, self._say)
        elif self._options.dry_run:
            # Kept, unlike a deployment's: the commands that are printed name files in it.
            with _kept_folder() as folder:
                self._print_plan(self._workshop(folder))
        else:
            with tempfile.TemporaryDirectory(prefix="deploy-") as folder:
                work = self._tell_status if self._options.status else self._deploy
                work(self._workshop(Path(folder)))

    @property
    def _target(self) -> Target:
        """Read when it is needed: `--stage` needs no project."""
        return target(self._given)

    def _workshop(self, folder: Path) -> Workshop:
        """What the steps work with, in this folder."""
        return Workshop(
            root=ROOT,
            folder=folder,
            python=self._options.verify,
            given=self._given,
            target=self._target,
            say=self._say,
        )

    def _stage(self, folder: Path) -> None:
        """For whoever serves the functions elsewhere, as the local stack does."""
        for name, function in self._functions.items():
            verify(stage(ROOT, name, folder), function, placeholders(function), self._options.verify)
            print(f"staged and verified: {name}", file=sys.stderr)

    def _print_plan(self, workshop: Workshop) -> None:
        """Nobody is asked: it works without an account, and without gcloud.

        Staged and verified for real, so that a function that does not start is found here.
        """
        workshop.stage(self._functions)
        # The newest versions of the secrets only Secret Manager tells.
        releases = workshop.releases(self._manifest, self._functions, version_of=lambda _: VERSION)
        deployment = smoke.new_deployment(time.time(), secrets.token_bytes(1))
        for release in releases:
            told = " ".join(f"{name}={value}" for name, value in release.environment.items())
            self._say(f"== {release.service}: {told}")
        for step, commands in plan(releases, workshop, deployment):
            self._say(f"== {step}")
            for command in commands:
                self._say(shlex.join(command))

    def _deploy(self, workshop: Workshop) -> None:
        """The rollout with the real clock and a random byte, which keep the names of two deployments
        apart.
        """
        rollout = Rollout(
            target=workshop.target,
            gcloud=self._gcloud,
            answers=self._answered or (lambda: answers.answers(self._gcloud, workshop.target)),
            workshop=workshop,
            say=self._say,
            now=time.time,
            salt=partial(secrets.token_bytes, 1),
        )
        rollout.deploy(self._manifest, self._functions)

    def _tell_status(self, workshop: Workshop) -> None:
        """Staged for its hash, and not verified: what does not start here may well run there."""
        place = workshop.target
        facts = preflight.read(self._gcloud, place)
        workshop.stage(self._functions, verified=False)
        version_of = Inventory(self._gcloud, place).newest_version
        releases = workshop.releases(self._manifest, self._functions, version_of=version_of)
        found = [
            *drifts(self._gcloud, place, facts=facts, releases=releases, functions=self._functions),
            *idle(self._gcloud, place, releases),
        ]
        print(status.as_json(found) if self._options.output == "json" else status.as_text(found))
        raise _Status(status.exit_status(found))


def _chosen(manifest: Manifest, names: Sequence[str]) -> Mapping[str, Function]:
    """The functions that are asked for, all without a name; raises DeployError naming those that there are
    not.
    """
    unknown = sorted(set(names) - manifest.functions.keys())
    if unknown:
        raise DeployError(f"{', '.join(unknown)}: not in functions/manifest.json")
    return {name: function for name, function in manifest.functions.items() if not names or name in names}


@contextmanager
def _kept_folder() -> Iterator[Path]:
    """What a dry run names is still there afterwards, to be looked at. Two dry runs wait for each other."""
    folder = ROOT / ".run" / "deploy"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "deploy.lock").open("w", encoding="utf-8") as lock:
        # Beside the folder and not in it: a stage is made anew from nothing.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
