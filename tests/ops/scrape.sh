#!/usr/bin/env bash
# Gets Prometheus from the distribution, unpacked and not installed, and has it scrape the service.
set -euo pipefail
cd "$(dirname "$0")/../.."
verbatim=${1:-target/debug/verbatim}

place=target/prometheus
if [ ! -x "$place/usr/bin/prometheus" ]; then
  mkdir -p "$place"
  if ! (cd "$place" && { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; }) 2>/dev/null; then
    echo 'the package of Prometheus is out of reach here: not scraped beyond what cargo test does'
    exit 0
  fi
  dpkg -x "$place"/prometheus_*.deb "$place"
fi
python3 tests/ops/scrape.py "$verbatim" "$place/usr/bin/prometheus" "$place/usr/bin/promtool"
