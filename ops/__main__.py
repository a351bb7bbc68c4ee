from . import reading, writing  # noqa: F401  registers the commands
from .options import app

app(prog_name="./ops/run")
