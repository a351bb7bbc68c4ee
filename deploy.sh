#!/usr/bin/env bash
# Deploys the functions, step by step, each of them proved; ./deploy.sh --help tells how. Sets itself up first.
# Runs in the functions' own environment, which holds requirements.txt and nothing else.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
"$root/local/setup" functions >&2
PYTHONPATH="$root" exec "$root/.venv/functions/bin/python" -P -m infra.deployment "$@"
