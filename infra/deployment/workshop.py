"""Where functions are staged, verified and made into releases."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..manifest import Function, Manifest
from .release import Release, environment, release
from .stage import stage
from .target import Target
from .verify import verify


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """One folder to work in, and what the work needs."""

    root: Path
    """The repository."""
    folder: Path
    """Gets `{function}/` and `{function}.env.yaml`. See `stage` for what it may hold."""
    python: str
    """Starts the staged functions: it should hold requirements.txt and nothing else."""
    given: Mapping[str, str]
    """The environment of who deploys."""
    target: Target
    say: Callable[[str], None]

    def stage(self, functions: Mapping[str, Function], *, verified: bool = True) -> None:
        """Stage them all and start each with the values that it will be deployed with.

        Raises StageError, or VerifyError with the last words of a function that would not start.
        """
        # The values first: a copy takes a second, and what is not set is known at once.
        for name, function in functions.items():
            values = environment(function, self.given)
            staged = stage(self.root, name, self.folder)
            # `--status` only wants the hash; starting four functions takes seconds.
            if verified:
                verify(staged, function, values, self.python)
                self.say(f"staged and verified: {name}")

    def releases(
        self, manifest: Manifest, functions: Mapping[str, Function], *, version_of: Callable[[str], str]
    ) -> list[Release]:
        """Of functions that are staged. `version_of` tells the newest version of a secret."""
        return [
            release(
                name,
                function,
                runtime=manifest.runtime,
                staged=self.folder / name,
                target=self.target,
                given=self.given,
                version_of=version_of,
            )
            for name, function in functions.items()
        ]

    def upload(self, release: Release) -> tuple[Path, Path]:
        """The folder and the file of variables that gcloud is given."""
        # A file, not a flag: a value may hold commas, which gcloud would take for separators.
        env_file = self.folder / f"{release.folder}.env.yaml"
        # JSON is YAML, and no value needs quoting by hand.
        env_file.write_text(json.dumps(release.environment, indent=2, sort_keys=True), encoding="utf-8")
        return self.folder / release.folder, env_file
