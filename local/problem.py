"""What stops a local run for a reason that its user can mend."""


class Problem(Exception):
    """One line for the user: what is wrong, and how to mend it. Shown without a stack trace."""
