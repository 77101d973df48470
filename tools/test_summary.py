"""Counts what tests said: tools/test_summary.py BUILD... reads meson's log in each build folder.

A Criterion executable tells of many tests, as does TAP, where a test that has parts counts as these;
any other is one test. Names what failed, with what was said of it, and what was skipped, then prints "N passed, N failed" (and ", N skipped"). Returns 1 where any failed or
a log is missing.

Criterion calls disabled what a --filter leaves out. Another run of the same executable has it, so
that it was skipped only where every one left it out.
"""
import json
import os
import re
import sys

SYNTHESIS = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \|")
CRITERION_FAILED = re.compile(r"^\[FAIL\] (\S+):", re.MULTILINE)
CRITERION_SKIPPED = re.compile(r"^\[SKIP\] (?!.*: Test is disabled$)(.*)$", re.MULTILINE)
CRITERION_LEFT_OUT = re.compile(r"^\[SKIP\] (.*): Test is disabled$", re.MULTILINE)
TAP = re.compile(r"^(?P<indent> *)(?P<failed>not )?ok\b(?: \d+)?(?: -)? ?(?P<name>.*?)(?: # SKIP (?P<why>.*))?$")
TAP_PLAN = re.compile(r"^1\.\.\d+", re.MULTILINE)
CRITERION_SAID = re.compile(r"^\[----\] *(\S.*)$", re.MULTILINE)
YAML_ERROR = re.compile(r"^ *error: (?:\|-|(?P<quote>['\"]?)(?P<text>.+?)(?P=quote))$")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WORDS_MAX = 8  # lines of what was said of a failure


class Count:
    """What one of meson's tests said."""

    def __init__(self, test):
        said = COLOUR.sub("", test.get("stdout", "") + "\n" + test.get("stderr", ""))
        self.passed = self.failed = 0
        self.failures, self.skips = [], []  # (name, lines that tell why) each; a line each
        self.left_out = None  # by a filter; None: this is not Criterion's
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
            self.failures.append((test["result"], said.split("\n")))

    def count_criterion(self, said):
        for tested, passing in SYNTHESIS.findall(said):
            self.passed += int(passing)
            self.failed += int(tested) - int(passing)
        words = CRITERION_SAID.findall(said)  # not sorted by test
        for name in CRITERION_FAILED.findall(said):
            self.failures.append((name, words))
            words = []
        self.skips += CRITERION_SKIPPED.findall(said)
        self.left_out = set(CRITERION_LEFT_OUT.findall(said))

    def count_tap(self, said):
        lines = said.split("\n")
        parts = []  # how deep each result is that no result has taken for its part yet
        for number, line in enumerate(lines):
            result = TAP.match(line)
            if not result:
                continue
            depth = len(result["indent"])
            has_parts = has_failed = False
            while parts and parts[-1][0] > depth:
                has_parts, has_failed = True, parts.pop()[1] or has_failed
            parts.append((depth, bool(result["failed"])))
            if result["why"]:
                self.skips.append(f"{result['name']}: {result['why']}")
            elif result["failed"] and not has_failed:
                self.failed += 1
                self.failures.append((result["name"], self.why(lines, number + 1)))
            elif not result["failed"] and not has_parts:
                self.passed += 1

    @staticmethod
    def why(lines, start):
        """The error in the YAML block that follows a result."""
        words = None
        for line in lines[start:]:
            if words is None:
                found = YAML_ERROR.match(line)
                if found and found["text"]:
                    return [found["text"]]
                if found:
                    words, depth = [], len(line) - len(line.lstrip())
                elif TAP.match(line):
                    break
            elif line.strip() and len(line) - len(line.lstrip()) <= depth:
                break
            else:
                words.append(line[depth + 2:])
        return words or []


def read_log(folder):
    with open(os.path.join(folder, "meson-logs", "testlog.json"), encoding="utf-8",
              errors="replace") as log:
        return [json.loads(line) for line in log]


def never_run(counts):
    """What every run of an executable left out, by the executable's name: (build, test, count) each."""
    by_program = {}
    for _, test, count in counts:
        if count.left_out is not None:
            program = os.path.basename(test["command"][0])
            by_program[program] = by_program.get(program, count.left_out) & count.left_out
    return by_program


def main(folders):
    passed = failed = 0
    skips, counts = [], []
    for folder in folders:
        build = os.path.basename(folder)
        try:
            tests = read_log(folder)
        except OSError:
            tests = []
        if not tests:
            print(f"failed: {build}: the tests did not run")
            failed += 1
        counts += [(build, test, Count(test)) for test in tests]
    for build, test, count in counts:
        passed += count.passed
        failed += count.failed
        skips += [f"{build}: {test['name']}: {name}" for name in count.skips]
        for name, words in count.failures:
            print(f"failed: {build}: {test['name']}: {name}")
            for line in [line for line in words if line.strip()][:WORDS_MAX]:
                print("    " + line)
    skips += [f"{program}: {name}: left out by every filter"
              for program, names in never_run(counts).items() for name in sorted(names)]
    for skip in skips:
        print("skipped: " + skip)
    if failed:
        print("All that the tests said is in: " +
              ", ".join(os.path.join(folder, "meson-logs/testlog.txt") for folder in folders))
    print(f"{passed} passed, {failed} failed" + (f", {len(skips)} skipped" if skips else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
