"""`python -m infra.deployment`: see `./deploy.sh --help`."""

import os
import sys

from .cli import main

sys.exit(main(sys.argv[1:], os.environ))
