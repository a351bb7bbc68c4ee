import sys

# BigQuery's client loads these where it finds them, as beside the emulator: more than a third of a command's
# time.
for unused in ("pandas", "pyarrow", "google.cloud.bigquery_storage_v1"):
    sys.modules[unused] = None  # type: ignore[assignment]

from . import handling, reading, reports, writing  # noqa: E402, F401  registers the commands
from .options import app  # noqa: E402

app(prog_name="./ops/run")
