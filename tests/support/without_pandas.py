"""Runs a module as where the functions run: without pandas, which is there for the BigQuery emulator, and
which BigQuery's client would load, too: half of the time that a process takes to start.

    python -m tests.support.without_pandas MODULE ARGUMENT...
"""

import runpy
import sys

if __name__ == "__main__":
    sys.modules["pandas"] = None  # type: ignore[assignment]
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
