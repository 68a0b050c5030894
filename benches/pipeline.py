#!/usr/bin/env python3
"""What a look at the whole pipeline costs, against the number of deals.

    benches/pipeline.py BINARY [--sizes 10000,100000,1000000] [--directory DIR] [--plot docs/pipeline.svg]

For each size `verbatim bench --mode pipeline` on a store of its own, 20 statements a deal. The memory for outlines is that of
VERBATIM_PIPELINE_CACHE_MIB: for a line that is straight up to 1,000,000 deals, 1024.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from plot import draw


def measure(binary, directory, deals):
    command = [binary, "bench", "--mode", "pipeline", "--deals", str(deals), "--directory", directory, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"pipeline.py: {' '.join(command)} ended with {done.returncode}")
    return json.loads(done.stdout)


def plot(measured, path):
    """Seconds of a summary, and deals a second of the stream of scores, against deals."""
    every = lambda key: [one[key] for one in measured]
    a_second = lambda key: [one["deals"] / one[key] for one in measured]
    panels = [
        (
            "seconds of SummarizePipeline",
            None,
            {
                "first": every("summary_cold_seconds"),
                "as of then": every("summary_anew_seconds"),
                "again": every("summary_warm_seconds"),
            },
        ),
        (
            "deals a second of ScoreDeals",
            None,
            {"first": a_second("scores_first_seconds"), "again": a_second("scores_warm_seconds")},
        ),
        ("MiB of memory at most", None, {"service": [one["peak_bytes"] / 2**20 for one in measured]}),
    ]
    draw(path, "deals; both axes by orders of magnitude", every("deals"), panels, logarithmic=True)


def main():
    parser = argparse.ArgumentParser(description="A look at the whole pipeline against the number of deals.")
    parser.add_argument("binary", help="a release build of verbatim")
    parser.add_argument("--sizes", default="10000,100000,1000000", help="deals, by comma")
    parser.add_argument("--directory", default=".", help="on the disk that is meant")
    parser.add_argument("--plot", help="an SVG to write")
    options = parser.parse_args()
    binary = str(Path(options.binary).resolve())
    measured = []
    for size in options.sizes.split(","):
        measured.append(measure(binary, options.directory, int(size)))
        print(json.dumps(measured[-1]), flush=True)
    if options.plot:
        plot(measured, options.plot)


if __name__ == "__main__":
    main()
