#!/usr/bin/env python3
"""The table of values in the chart's README, made from values.yaml.

    readme.py            says whether the README has it, and ends with 1 if not
    readme.py --write    puts it in

Needs PyYAML: target/chart-tests/venv/bin/python, which tests/chart/run makes, has it.
"""

import json
import pathlib
import re
import sys

import yaml

CHART = pathlib.Path(__file__).resolve().parents[2] / "helm" / "verbatim"
README = CHART / "README.md"
BEGIN, END = "<!-- values: begin -->\n", "<!-- values: end -->\n"
MARK = "# -- "


def described(text):
    """The description of each key of values.yaml, by its path: the line above it that begins with the mark."""
    found, path, description = {}, [], None
    for line in text.splitlines():
        stripped = line.strip()
        key = re.match(r"( *)([A-Za-z_][\w.-]*):", line)
        if stripped.startswith(MARK):
            description = stripped.removeprefix(MARK)
        elif key:
            depth = len(key.group(1)) // 2
            path = [*path[:depth], key.group(2)]
            if description:
                found[".".join(path)] = description
            description = None
    return found


def leaves(values, described, path=()):
    """The paths and defaults that need a description: all but the maps whose keys have their own."""
    for key, value in values.items():
        here = ".".join([*path, key])
        if isinstance(value, dict) and value and here not in described:
            yield from leaves(value, described, [*path, key])
        else:
            yield here, value


def table():
    text = (CHART / "values.yaml").read_text()
    descriptions = described(text)
    lines = ["| value | default | |", "| --- | --- | --- |"]
    missing = []
    for path, default in leaves(yaml.safe_load(text), descriptions):
        if path not in descriptions:
            missing.append(path)
            continue
        shown = json.dumps(default, ensure_ascii=False)
        shown = f"`{shown}`" if len(shown) <= 48 else "see values.yaml"
        lines.append(f"| `{path}` | {shown} | {descriptions[path].replace('|', chr(92) + '|')} |")
    if missing:
        raise SystemExit(f"values.yaml: without a line `{MARK}…` above: {', '.join(missing)}")
    return "\n".join(lines) + "\n"


def parts():
    before, rest = README.read_text().split(BEGIN)
    there, after = rest.split(END)
    return before, there, after


if __name__ == "__main__":
    before, there, after = parts()
    if sys.argv[1:] == ["--write"]:
        README.write_text(before + BEGIN + table() + END + after)
    elif there != table():
        sys.exit("the table of README.md is not that of values.yaml: tests/chart/readme.py --write")
