"""A function as the repository holds it, for one target: everything that a revision is made of, and its hash.

Two releases with one hash are the same: code, vendored `common`, requirements, environment, versions of the
secrets, runtime and settings of the service. The hash is a label of the revision, so that what runs can be
compared with what is here.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from ..manifest import Function
from .problem import DeployError
from .target import Target

RELEASE_LABEL: Final = "release"
"""Labels of a revision."""
CODE_LABEL: Final = "code"
RUNTIME_LABEL: Final = "runtime"
_DIGITS: Final = 40
"""Of a digest: a label's value has at most 63 characters."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """What is to run under the name `service`."""

    folder: str
    """In `functions/`."""
    service: str
    entry_point: str
    runtime: str
    code: str
    """Digest of the staged files."""
    environment: Mapping[str, str]
    """The whole of it, secrets left out."""
    secrets: Mapping[str, str]
    """Variable → `{secret}:{version}`."""
    settings: Mapping[str, str]
    """gcloud's flag → value: size, limits, account, ingress."""

    @cached_property
    def digest(self) -> str:
        """The same for the same release, on any machine: of every field, in sorted JSON."""
        written = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(written.encode()).hexdigest()[:_DIGITS]

    @property
    def labels(self) -> Mapping[str, str]:
        """Of the revision. The code apart from the whole, for `--status` to tell a change of one from the
        other."""
        return {RELEASE_LABEL: self.digest, CODE_LABEL: self.code, RUNTIME_LABEL: self.runtime}


def release(
    folder: str,
    function: Function,
    *,
    runtime: str,
    staged: Path,
    target: Target,
    given: Mapping[str, str],
    version_of: Callable[[str], str],
) -> Release:
    """From the stage of `functions/{folder}`; `given` is the environment of who deploys, `version_of`
    tells the newest version of a secret by its name."""
    secrets = secret_names(function, given)
    return Release(
        folder=folder,
        service=target.service(folder),
        entry_point=function.entry_point,
        runtime=runtime,
        code=digest(staged),
        environment=environment(function, given),
        secrets={variable: f"{secret}:{version_of(secret)}" for variable, secret in secrets.items()},
        settings=settings(function, target),
    )


def settings(function: Function, target: Target) -> dict[str, str]:
    """Flag of `gcloud run deploy` → value, spelt as Cloud Run gives it back."""
    return {
        "memory": f"{function.memory_mib}Mi",
        "cpu": str(function.cpu),
        "timeout": str(function.timeout_seconds),
        "concurrency": str(function.concurrency),
        "min-instances": str(function.min_instances),
        "max-instances": str(function.max_instances),
        "service-account": target.account(function.service_account),
        "ingress": "internal",
    }


def environment(function: Function, given: Mapping[str, str]) -> dict[str, str]:
    """Variable → value, from the environment of who deploys; raises DeployError naming what is not set.

    An optional variable that is set to nothing is left out, as one that is not set.
    """
    missing = [name for name in function.required_env if not given.get(name)]
    if missing:
        raise DeployError(f"set {', '.join(missing)}")
    # The fixed ones come last: nobody who deploys overrides them.
    names = [*function.required_env, *(name for name in function.optional_env if given.get(name))]
    return {**{name: given[name] for name in names}, **function.fixed_env}


def unsaid(function: Function, given: Mapping[str, str], runs: Mapping[str, str]) -> dict[str, str]:
    """Of the variables that run, those that a deployment would remove though nobody said so.

    Set to nothing says so; not set does not: a flag that was set in the middle of a migration must not get
    lost because another person deploys.
    """
    return {name: runs[name] for name in function.optional_env if name in runs and name not in given}


def secret_names(function: Function, given: Mapping[str, str]) -> dict[str, str]:
    """Variable → name in Secret Manager, as `{VARIABLE}_SECRET` says; without it the function does
    without."""
    named = {name: given.get(f"{name}_SECRET", "") for name in function.secrets}
    return {name: secret for name, secret in named.items() if secret}


def digest(folder: Path) -> str:
    """Of the names and contents of all files below `folder`, bytecode left out: it follows from the rest.

    Times and modes do not count, so that a fresh clone has the same.
    """
    hashed = hashlib.sha256()
    # Sorted: the order of a folder is that of its file system.
    for path in sorted(folder.rglob("*")):
        # Bytecode holds the interpreter's version, and would make every machine's digest another.
        if path.is_file() and path.suffix != ".pyc":
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            hashed.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return hashed.hexdigest()[:_DIGITS]
