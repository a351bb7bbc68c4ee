"""Stage, verify, deploy: what `./deploy.sh` does. See `./deploy.sh --help`.

Owns the code of the functions and nothing else: topics, service accounts, dead-letter policies and schedules
are Terraform's, and must be there first.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from common.sport import Sport, SportNames

from .manifest import Function, Manifest, load
from .stage import StageError, stage
from .verify import VerifyError, verify

ROOT = Path(__file__).resolve().parents[1]


class DeployError(Exception):
    """Nothing was deployed; the message says what to mend."""


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Returns the exit status; every problem is one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        _run(options, environment)
    except (DeployError, StageError, VerifyError) as exc:
        print(f"deploy: {exc}", file=sys.stderr)
        return 1
    except FileNotFoundError as exc:
        print(f"deploy: {exc.filename}: not found", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as exc:
        print(
            f"deploy: gcloud failed with status {exc.returncode}; nothing after it was deployed",
            file=sys.stderr,
        )
        return exc.returncode
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh",
        description="Stage, verify and deploy the functions. GCP_PROJECT, SPORT and REGION must be set.",
    )
    parser.add_argument(
        "functions", nargs="*", metavar="FUNCTION", help="folders of functions/; default: all"
    )
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument(
        "--dry-run", action="store_true", help="stage, verify, print the commands, change nothing"
    )
    modes.add_argument("--stage", type=Path, metavar="DIR", help="only stage into DIR and verify")
    parser.add_argument(
        "--verify",
        metavar="PYTHON",
        default=sys.executable,
        help="interpreter that starts the staged functions; it should hold requirements.txt and nothing else",
    )
    return parser


def _run(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    manifest = load(ROOT)
    functions = _chosen(manifest, options.functions)
    if options.stage is not None:
        _stage_all(functions, options.stage, options.verify)
        return
    _check_environment(functions, environment)
    with tempfile.TemporaryDirectory(prefix="deploy-") as folder:
        _stage_all(functions, Path(folder), options.verify)
        for name, function in functions.items():
            call = command(name, function, manifest.runtime, environment, Path(folder) / name)
            print(shlex.join(call), flush=True)
            if not options.dry_run:
                subprocess.run(call, check=True)


def _chosen(manifest: Manifest, names: Sequence[str]) -> Mapping[str, Function]:
    unknown = sorted(set(names) - manifest.functions.keys())
    if unknown:
        raise DeployError(f"{', '.join(unknown)}: not in functions/manifest.json")
    return {name: function for name, function in manifest.functions.items() if not names or name in names}


def _stage_all(functions: Mapping[str, Function], target: Path, python: str) -> None:
    for name, function in functions.items():
        verify(stage(ROOT, name, target), function, python)
        print(f"staged and verified: {name}", file=sys.stderr)


def _check_environment(functions: Mapping[str, Function], environment: Mapping[str, str]) -> None:
    required = {"GCP_PROJECT", "SPORT", "REGION"}.union(*(each.required_env for each in functions.values()))
    missing = sorted(name for name in required if not environment.get(name))
    if missing:
        raise DeployError(f"set {', '.join(missing)}")
    torn = [
        name for each in functions.values() for name in _given(each, environment) if "|" in environment[name]
    ]
    if torn:
        raise DeployError(
            f"{', '.join(sorted(set(torn)))}: must not contain |, which separates the variables"
        )
    if environment["SPORT"] not in {sport.value for sport in Sport}:
        raise DeployError(
            f"SPORT={environment['SPORT']}: none of {', '.join(sport.value for sport in Sport)}"
        )


def command(
    name: str, function: Function, runtime: str, environment: Mapping[str, str], source: Path
) -> list[str]:
    """Deploys one private service, whatever topics wake it: its subscriptions are Terraform's. Running it
    again deploys the same thing again."""
    service = SportNames(sport=Sport(environment["SPORT"])).service(name)
    accounts = f"@{environment['GCP_PROJECT']}.iam.gserviceaccount.com"
    flags = {
        "project": environment["GCP_PROJECT"],
        "region": environment["REGION"],
        "runtime": runtime,
        "source": str(source),
        "entry-point": function.entry_point,
        "ingress-settings": "internal-only",
        "run-service-account": function.service_account + accounts,
        "memory": f"{function.memory_mib}Mi",
        "cpu": str(function.cpu),
        "timeout": f"{function.timeout_seconds}s",
        "concurrency": str(function.concurrency),
        "min-instances": str(function.min_instances),
        "max-instances": str(function.max_instances),
        "update-env-vars": _environment_flag(function, environment),
    }
    if secrets := _secrets(function, environment):
        flags["update-secrets"] = ",".join(f"{name}={secret}:latest" for name, secret in secrets.items())
    switches = ["--gen2", "--trigger-http", "--no-allow-unauthenticated", "--quiet"]
    return [
        "gcloud",
        "functions",
        "deploy",
        service,
        *switches,
        *(f"--{flag}={value}" for flag, value in flags.items()),
    ]


def _environment_flag(function: Function, environment: Mapping[str, str]) -> str:
    """`^|^A=1|B=2`. Updated, not set: `--set-env-vars` drops whatever the command does not repeat, such as a
    flag that an operator set in the middle of a migration."""
    values = {**{name: environment[name] for name in _given(function, environment)}, **function.fixed_env}
    return "^|^" + "|".join(f"{name}={value}" for name, value in values.items())


def _secrets(function: Function, environment: Mapping[str, str]) -> Mapping[str, str]:
    """Variable → name in Secret Manager."""
    named = {name: environment.get(f"{name}_SECRET", "") for name in function.secrets}
    return {name: secret for name, secret in named.items() if secret}


def _given(function: Function, environment: Mapping[str, str]) -> list[str]:
    return [*function.required_env, *(name for name in function.optional_env if environment.get(name))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
