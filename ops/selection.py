"""`--where FIELD=VALUE`: which of many a bulk verb is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, Self, TypeVar

from common.result import ErrorInfo, ResultError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Where:
    """One condition; all of several have to hold."""

    field: str
    pattern: str
    """As in a shell: `*` and `?` stand for any text and any character."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """`error_class=StagedRows*`; raises ResultError with what was expected."""
        field, separator, pattern = text.partition("=")
        if not (field and separator and pattern):
            raise ResultError(
                ErrorInfo.permanent("WrongUsage", f"--where: {text!r} is not of the form FIELD=VALUE")
            )
        return cls(field=field, pattern=pattern)

    def holds(self, record: Any) -> bool:
        """Whether the record's field matches; raises ResultError for a field that it has not."""
        if not hasattr(record, self.field) or self.field.startswith("_"):
            known = ", ".join(sorted(vars(record)))
            raise ResultError(
                ErrorInfo.permanent("WrongUsage", f"--where: no field {self.field!r}; there are {known}")
            )
        value = getattr(record, self.field)
        return fnmatchcase(str(value.value if isinstance(value, Enum) else value), self.pattern)

    def __str__(self) -> str:
        return f"{self.field}={self.pattern}"


def matching(records: Sequence[T], where: Sequence[Where]) -> list[T]:
    """Those for which every condition holds, in their order."""
    return [record for record in records if all(condition.holds(record) for condition in where)]
