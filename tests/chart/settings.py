#!/usr/bin/env python3
"""Holds `config` of values.schema.json to the settings of the service.

    settings.py BINARY            says what differs, and ends with 1 if anything does
    settings.py BINARY --write    writes them into the schema

The settings are read from `verbatim serve --help`.
"""

import json
import pathlib
import re
import subprocess
import sys

CHART = pathlib.Path(__file__).resolve().parents[2] / "helm" / "verbatim"
SCHEMA = CHART / "values.schema.json"

# What the chart itself decides, by flags.
OF_THE_CHART = {"data", "listen", "store", "model", "ops_listen", "termination_log"}

SETTING = re.compile(r"--([a-z0-9-]+) <([A-Z]+)> (.+?) \[(.+?); default: .*?; env: VERBATIM_[A-Z0-9_]+\]")
RANGE = re.compile(r"a whole number from (\d+) to (\d+)")


def settings(binary):
    """The schema of each setting that is the operator's, by its key."""
    text = subprocess.run([binary, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    text = " ".join(text.split("Settings:", 1)[1].split())
    found = {}
    for flag, kind, meaning, allowed in SETTING.findall(text):
        key = flag.replace("-", "_")
        if key not in OF_THE_CHART:
            found[key] = schema_of(kind, meaning, allowed)
    if len(found) < 10:
        raise SystemExit(f"{binary} serve --help: only {len(found)} settings could be read; has its form changed?")
    return found


def schema_of(kind, meaning, allowed):
    whole = RANGE.fullmatch(allowed)
    if whole:
        low, high = map(int, whole.groups())
        return {"type": "integer", "minimum": low, "maximum": high, "description": f"{meaning}."}
    if "by commas" in meaning:
        return {"type": "array", "items": {"type": "string"}, "description": f"{meaning.split(';')[0]}: {allowed}."}
    if kind == "WORD":
        words = re.split(r", | or ", allowed.removeprefix("one of "))
        return {"enum": words, "description": f"{meaning}."}
    return {"type": "string", "description": f"{meaning}: {allowed}."}


def differences(binary):
    expected = settings(binary)
    there = json.loads(SCHEMA.read_text())["properties"]["config"]["properties"]
    faults = [f"config.{key}: the service has it, the schema does not" for key in expected.keys() - there.keys()]
    faults += [f"config.{key}: the schema has it, the service does not" for key in there.keys() - expected.keys()]
    faults += [
        f"config.{key}: the service says {expected[key]}, the schema {there[key]}"
        for key in expected.keys() & there.keys()
        if expected[key] != there[key]
    ]
    return sorted(faults)


def write(binary):
    schema = json.loads(SCHEMA.read_text())
    schema["properties"]["config"]["properties"] = settings(binary)
    SCHEMA.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    binary = sys.argv[1]
    if sys.argv[2:] == ["--write"]:
        write(binary)
    faults = differences(binary)
    print("\n".join(faults) or "the schema has the settings of the service")
    sys.exit(1 if faults else 0)
