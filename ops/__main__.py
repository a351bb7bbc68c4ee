import sys

# BigQuery's client loads pandas where it finds it, as beside the emulator: a third of a command's time.
sys.modules["pandas"] = None  # type: ignore[assignment]

from . import handling, reading, reports, writing  # noqa: E402, F401  registers the commands
from .options import app  # noqa: E402

app(prog_name="./ops/run")
