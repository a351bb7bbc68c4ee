#!/usr/bin/env bash
# Stage, verify and deploy the functions; ./deploy.sh --help tells how.
# Runs in the functions' own environment, which holds requirements.txt and nothing else.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
python="$root/.venv/functions/bin/python"

if [[ ! -x "$python" ]]; then
  python3.11 -m venv "$root/.venv/functions" >&2
  "$python" -m pip install --quiet --disable-pip-version-check -r "$root/requirements.txt" >&2
fi

PYTHONPATH="$root" exec "$python" -P -m infra.deploy "$@"
