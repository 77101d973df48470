"""Counts what tests said: tools/test_summary.py BUILD... reads meson's log in each build folder.

A Criterion executable tells of many tests, as does TAP; any other is one test. Names what failed and
what was skipped, then prints "N passed, N failed" (and ", N skipped"). Returns 1 where any failed or
a log is missing.
"""
import json
import os
import re
import sys

SYNTHESIS = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \|")
CRITERION_FAILED = re.compile(r"^\[FAIL\] (\S+):", re.MULTILINE)
CRITERION_SKIPPED = re.compile(r"^\[SKIP\] (.*)$", re.MULTILINE)
TAP = re.compile(r"^(?P<failed>not )?ok\b(?: \d+)?(?: -)? ?(?P<name>.*?)(?: # SKIP (?P<why>.*))?$",
                 re.MULTILINE)
TAP_PLAN = re.compile(r"^1\.\.\d+", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Count:
    """What one of meson's tests said."""

    def __init__(self, test):
        said = COLOUR.sub("", test.get("stdout", "") + "\n" + test.get("stderr", ""))
        self.passed = self.failed = 0
        self.failures, self.skips = [], []
        if test["result"] == "SKIP":
            self.skips.append(said.strip().rpartition("\n")[2])
        elif SYNTHESIS.search(said):
            self.count_criterion(said)
        elif TAP_PLAN.search(said):
            self.count_tap(said)
        else:
            self.passed = int(test["result"] == "OK")
        if test["result"] not in ("OK", "EXPECTEDFAIL", "SKIP") and self.failed == 0:
            self.failed = 1  # it crashed, hung, or failed before it could say more
            self.failures.append(test["result"])

    def count_criterion(self, said):
        for tested, passing in SYNTHESIS.findall(said):
            self.passed += int(passing)
            self.failed += int(tested) - int(passing)
        self.failures += CRITERION_FAILED.findall(said)
        self.skips += CRITERION_SKIPPED.findall(said)

    def count_tap(self, said):
        for line in TAP.finditer(said):
            if line["why"]:
                self.skips.append(f"{line['name']}: {line['why']}")
            elif line["failed"]:
                self.failed += 1
                self.failures.append(line["name"])
            else:
                self.passed += 1


def read_log(folder):
    with open(os.path.join(folder, "meson-logs", "testlog.json"), encoding="utf-8",
              errors="replace") as log:
        return [json.loads(line) for line in log]


def main(folders):
    passed = failed = skipped = 0
    for folder in folders:
        build = os.path.basename(folder)
        try:
            tests = read_log(folder)
        except OSError:
            tests = []
        if not tests:
            print(f"failed: {build}: the tests did not run")
            failed += 1
        for test in tests:
            count = Count(test)
            passed += count.passed
            failed += count.failed
            skipped += len(count.skips)
            for word, names in ("failed", count.failures), ("skipped", count.skips):
                for name in names:
                    print(f"{word}: {build}: {test['name']}: {name}")
    if failed:
        print("All that the tests said is in: " +
              ", ".join(os.path.join(folder, "meson-logs/testlog.txt") for folder in folders))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
