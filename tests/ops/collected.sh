#!/usr/bin/env bash
# Gets a collector and a client of other makers from PyPI, and has them meet the service.
set -euo pipefail
cd "$(dirname "$0")/../.."
verbatim=${1:-target/debug/verbatim}

place=target/collected
if ! { [ -x "$place/bin/python" ] || python3 -m venv "$place"; } ||
  ! "$place/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    --only-binary :all: --requirement tests/ops/requirements.txt; then
  echo 'the packages of the collector are out of reach here: not checked beyond what cargo test does'
  exit 0
fi
"$place/bin/python" -B tests/ops/collected.py "$verbatim"
