"""What stops a deployment for a reason that its user can mend."""


class DeployError(Exception):
    """What is wrong, then, where one is known, the command that mends it. Shown without a stack trace."""

    def __init__(self, what: str, *, remedy: str | None = None) -> None:
        super().__init__(what if remedy is None else f"{what}\n    mend it: {remedy}")
