"""A package's public face whose names are imported when they are first asked for (PEP 562).

For faces that name what loads a Google client beside what must be free of it: a rule that imports a record
from the face does not pay for the client, and a function's cold start does not either.

    if TYPE_CHECKING:
        from .writer import StagingWriter as StagingWriter

    __getattr__ = lazy_face(__name__, {"StagingWriter": "writer"})
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_face(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package: `homes` has the module below it for each name.

    Python calls it only for a name that the package does not have. Raises AttributeError for an unknown name,
    as a package without it does.
    """

    def find(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home}"), name)

    return find
