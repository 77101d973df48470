"""What tools/test says at its end of what the tests said: summary.py TOOLS."""
import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, sys.argv.pop(1))
import test_summary  # noqa: E402: it is there


def said_by(name, words, result="OK", program="test_mail"):
    return {"name": name, "stdout": words, "result": result, "command": ["/build/tests/flow/" + program, "-j1"]}


def criterion(passed, failed=0, skipped=(), left_out=()):
    return "".join([f"\x1b[0;34m[SKIP]\x1b[0m {name}: no machine\n" for name in skipped] +
                   [f"[SKIP] {name}: Test is disabled\n" for name in left_out] +
                   ["[FAIL] mail::broken: (0.0s)\n" * failed,
                    f"[====] Synthesis: Tested: {passed + failed} | Passing: {passed} | Failing: {failed} | Crashing: 0"])


class Summary(unittest.TestCase):
    def summarise(self, *builds):
        """The lines, and the exit code."""
        with tempfile.TemporaryDirectory() as top, contextlib.redirect_stdout(io.StringIO()) as out:
            folders = []
            for number, tests in enumerate(builds):
                folders.append(os.path.join(top, f"build{number}"))
                os.makedirs(os.path.join(folders[-1], "meson-logs"))
                with open(os.path.join(folders[-1], "meson-logs", "testlog.json"), "w", encoding="utf-8") as log:
                    log.writelines(json.dumps(test) + "\n" for test in tests)
            code = test_summary.main(folders)
            return out.getvalue().splitlines(), code

    def test_counts_and_names(self):
        lines, code = self.summarise([
            said_by("mail", criterion(3, 1, skipped=["mail::on_a_machine"])),
            said_by("tap", "1..2\nok 1 - a\nnot ok 2 - b", "FAIL"),
            said_by("hangs", "", "TIMEOUT")])
        self.assertEqual(code, 1)
        self.assertEqual(lines[:4], ["failed: build0: mail: mail::broken", "failed: build0: tap: b",
                                     "failed: build0: hangs: TIMEOUT",
                                     "skipped: build0: mail: mail::on_a_machine: no machine"])
        self.assertEqual(lines[-1], "4 passed, 3 failed, 1 skipped")

    def test_parts_count_instead_of_the_whole(self):
        lines, _ = self.summarise([said_by("story", """TAP version 13
# Subtest: in English
    ok 1 - signs in
      ---
      duration_ms: 1
      ...
    not ok 2 - is paid
      ---
      location: 'story.mjs:3:121'
      error: |-
        Timeout 90000ms exceeded.
          - waiting for the balance

      code: 'ERR_TEST_FAILURE'
      ...
    ok 3 - signs out # SKIP no door
    1..3
not ok 1 - in English
  ---
  error: '1 subtest failed'
  ...
# Subtest: in Russian
    ok 1 - signs in
    1..1
ok 2 - in Russian
# Subtest: in Greek
    ok 1 - signs in
    1..1
not ok 3 - in Greek
  ---
  error: 'the door stays open'
  ...
1..3
""", "FAIL")])
        self.assertEqual(lines[:6], [
            "failed: build0: story: is paid", "    Timeout 90000ms exceeded.", "      - waiting for the balance",
            "failed: build0: story: in Greek", "    the door stays open",
            "skipped: build0: story: signs out: no door"])
        self.assertEqual(lines[-1], "3 passed, 2 failed, 1 skipped")

    def test_what_is_said_of_a_failure_is_told(self):
        lines, _ = self.summarise([
            said_by("mail", criterion(1, 1) + "\n[----] test_mail.c:7: Assertion Failed\n[----]   \n[----]   no letter", "FAIL"),
            said_by("check", "a line\nof a script", "ERROR")])
        self.assertEqual(lines[:6], ["failed: build0: mail: mail::broken", "    test_mail.c:7: Assertion Failed", "    no letter",
                                     "failed: build0: check: ERROR", "    a line", "    of a script"])

    def test_what_another_run_has_was_not_skipped(self):
        lines, code = self.summarise([
            said_by("mail", criterion(2, left_out=["mail::nobody_waits"])),
            said_by("mail_measured", criterion(1, left_out=["mail::a", "mail::b"]))])
        self.assertEqual((lines, code), (["3 passed, 0 failed"], 0))

    def test_nor_what_another_build_has(self):
        lines, _ = self.summarise([said_by("mail", criterion(3))],
                                  [said_by("mail", criterion(2, left_out=["mail::nobody_waits"]))])
        self.assertEqual(lines, ["5 passed, 0 failed"])

    def test_what_every_run_left_out_was_skipped(self):
        lines, code = self.summarise([
            said_by("mail", criterion(1, left_out=["mail::lost", "mail::b"])),
            said_by("mail_measured", criterion(1, left_out=["mail::lost", "mail::a"])),
            said_by("other", criterion(1), program="test_other")])
        self.assertEqual((lines, code), (["skipped: test_mail: mail::lost: left out by every filter",
                                          "3 passed, 0 failed, 1 skipped"], 0))

    def test_a_build_that_did_not_run_has_failed(self):
        lines, code = self.summarise([])
        self.assertEqual((lines[0], code), ("failed: build0: the tests did not run", 1))


unittest.main()
