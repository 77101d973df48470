#!/usr/bin/env python3
"""Every test that SECURITY.md names exists: a file below tests/, with the test that stands behind it."""
import re
import sys
from pathlib import Path

top = Path(__file__).resolve().parents[2]
REFERENCE = re.compile(r"`([a-z_]+/[\w./-]+)`(?: ([^|;`]+?))?(?=;| \||$)")


def tests_of(path):
    """The names of a file's tests; a folder has none."""
    text = path.read_text() if path.is_file() else ""
    names = re.findall(r"^(?:Parameterized)?Test\(\w+, (\w+)", text, re.M)
    for quote, name in re.findall(r"^\s*(?:await t\.)?test\((['`])(.*?)(?<!\\)\1", text, re.M):
        names.append(name.replace("\\'", "'"))
    return names


def faults():
    section = (top / "SECURITY.md").read_text().split("## OWASP", 1)[1]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    count = 0
    for row in rows:
        item, _, shown = (cell.strip() for cell in row[1:-1].split("|"))
        for file, name in REFERENCE.findall(shown + " |"):
            count += 1
            path = top / "tests" / file
            if not path.exists():
                yield f"{item}: there is no tests/{file}"
            elif name and name not in tests_of(path):
                yield f"{item}: tests/{file} has no test '{name}'"
    if count < 80:
        yield f"only {count} tests are named: is the table read?"


def main():
    found = list(faults())
    for fault in found:
        print(f"# {fault}")
    print(f"{'not ok' if found else 'ok'} 1 - every test that SECURITY.md names exists")
    print("1..1")
    return 1 if found else 0


sys.exit(main())
