"""What atesctl prints, command by command, against tests/ctl/golden/COMMAND.txt. golden.story beside this file says what
is run, in which order and formats, on a daemon that is new. ATES_GOLDEN_UPDATE=1 writes the files anew.

What no two runs have in common is masked: times, dates, amounts (prices are drawn), hashes, and in tables the blanks
that fill columns up to them. terminal.py looks at how columns stand."""
import csv
import difflib
import io
import os
import re
import shlex
import subprocess
import sys

import ates

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "golden")
FORMATS = {"t": "table", "w": "wide", "j": "json", "n": "ndjson", "c": "csv", "i": "name"}
Z85 = r"0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#"
MASKS = [
    # A key in Z85, told from a path by a character that no path here has.
    (f"(?<![{Z85}])(?=[{Z85}]{{0,39}}[+=^!*?&<>()\\[\\]{{}}@%$#])[{Z85}]{{40}}(?![{Z85}])", "CURVEKEY"),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(UTC|[+-]\d\d(:?\d\d)?|Z))?", "TIME"),
    (r"\b\d{4}-\d\d-\d\d\b", "DATE"),
    (r"\b\d\d-\d\d \d\d:\d\d\b", "TIME"),
    (r"Etc/(GMT[+-]\d+|UTC)", "ZONE"),
    (r"\bpid \d+", "pid N"),
    (r"\bk4\.pid\.[\w-]+", "KID"),
    (r"\b127\.0\.0\.1:\d{4,}", "ADDRESS"),
    (r"\bv4\.public\.[\w.-]+", "TOKEN"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
    (r"\b[0-9a-f]{64}\b", "HASH"),
    (r"token-[0-9a-f]{32}", "token-HASH"),
    (r"\b1[6-9]\d{11}\b|\b2\d{12}\b", "MS"),
    (r'("(\w+_)?cents":) ?-?\d+', r"\1CENTS"),
    (r'("(records|kept|bytes\w*)":)\d+', r"\1N"),  # how many steps followers take depends on their pace
    (r'("prev":) ?"[^"]*"', r'\1"HASH"'),
    (r"-?\b\d+\.\d\d\b(?! ?(s|MB)\b)", "AMOUNT"),
    (r"\b\d+ ms\b", "N ms"),
    (r"there is \w+ in it", "there is NAME in it"),  # whichever the folder tells first
]


def mask_csv(text):
    """Amounts are numbers like others there: their columns are known by their heads."""
    rows = list(csv.reader(io.StringIO(text)))
    for row in rows[1:]:
        for i, head in enumerate(rows[0][:len(row)]):
            if head.endswith("_cents") and row[i]:
                row[i] = "CENTS"
            elif re.fullmatch(r"records|kept|bytes\w*", head) and row[i]:
                row[i] = "N"
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def mask(text, form, folder):
    if form == "csv" and text:
        text = mask_csv(text)
    text = text.replace(folder, "FOLDER")
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    text = re.sub(r" {2,}(\+?AMOUNT)", r"  \1", text)  # in a mail they stand in a column
    if form in ("table", "wide"):
        text = re.sub(r"^(auth|tasks|accounting|analytics|payment) .*$",
                      lambda line: re.sub(r"(?<= )\d+(?= |$)", "N", line[0]), text, flags=re.M)
        text = "\n".join(re.sub(r" +", " ", line).rstrip() for line in text.split("\n"))
    return text.replace("\r\n", "\n")


def mask_figures(text):
    """What was measured: every number, in whichever unit."""
    return re.sub(r"\bN ?(ns|us|µs|ms|s)\b", "N UNIT", re.sub(r"\d+(\.\d+)?", "N", text))


def section(words, form, done, folder):
    shown = words if form == "table" else ["-o", form] + words
    lines = ["$ atesctl " + mask(shlex.join(shown), "", folder)]
    lines += ["! " + line for line in mask(done.stderr, "table", folder).splitlines()]
    lines += ["  " + line if line else "" for line in mask(done.stdout, form, folder).splitlines()]
    if words[0] == "bench" or words[:2] == ["admin", "top"]:
        lines[1:] = [mask_figures(line).rstrip(",") for line in lines[1:]]
    if words[:2] == ["admin", "top"]:  # which commands were asked meanwhile is chance
        lines = [line for line in lines if not re.search(r"(auth|tasks|accounting|analytics|payment)\.\w", line)]
    if done.returncode != 0:
        lines.append(f"exit code {done.returncode}")
    return "\n".join(lines) + "\n"


def known_commands():
    """By the help's own list, as "task ls"."""
    text = subprocess.run([ates.ATESCTL, "help", "--markdown"], capture_output=True, text=True, check=True).stdout
    return [line[4:].replace("\\", "") for line in text.splitlines() if line.startswith("### ")]


class Story:
    def __init__(self, world):
        self.world = world
        self.commands = known_commands()
        self.found = {}  # command: its sections
        self.forms = {}  # command: the formats in which it was run

    def command_of(self, words):
        bare = [word for word in words if not word.startswith("-")]
        for size in (2, 1):
            if " ".join(bare[:size]) in self.commands:
                return " ".join(bare[:size])
        return "atesctl"

    def output(self, user, words):
        done = self.world.run(user, *words)
        return done.stdout + done.stderr

    def case(self, user, letters, words, run=None):
        command = self.command_of(words)
        for letter in letters:
            form = FORMATS[letter]
            given = words if form == "table" else ["-o", form] + words
            done = (run or self.world.run)(user, "--no-input", *given)
            self.found.setdefault(command, []).append(section(words, form, done, self.world.folder))
            self.forms.setdefault(command, set()).add(letter)

    def step(self, line):
        verb, _, rest = line.partition(" ")
        if verb == "start":
            self.world.start()
        elif verb == "stop":
            self.world.stop()
        elif verb == "write":
            name, _, text = rest.partition(" ")
            self.world.write(name, text.encode().decode("unicode_escape").encode("latin-1").decode())
        elif verb == "must":
            user, *words = shlex.split(rest)
            self.world.must(user, *words)
        elif verb == "until":
            user, pattern, *words = shlex.split(rest)
            user = None if user == "-" else user
            self.world.until(lambda: re.search(pattern, self.output(user, words)), line)
        elif verb == "interrupt":
            pattern, user, letters, *words = shlex.split(rest)
            self.case(user, letters, words, lambda *given: self.world.interrupt(pattern, *given))
        else:
            words = shlex.split(rest)
            self.case(None if verb == "-" else verb, words[0], words[1:])


def compare(tap, command, text):
    path = os.path.join(GOLDEN, command.replace(" ", "-") + ".txt")
    if os.environ.get("ATES_GOLDEN_UPDATE") == "1":
        os.makedirs(GOLDEN, exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    wanted = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            wanted = file.read()
    tap.check(f"{command} prints what it should",
              "\n".join(difflib.unified_diff(wanted.splitlines(), text.splitlines(), path, "this run", lineterm="")))


def main():
    tap = ates.Tap()
    with ates.Ates() as world, open(os.path.join(HERE, "golden.story"), encoding="utf-8") as file:
        story = Story(world)
        for line in file:
            line = line.strip().replace("FOLDER", world.folder)
            if line and not line.startswith("#"):
                story.step(line)
    for command in sorted(story.found):
        compare(tap, command, "\n".join(story.found[command]))
    missing = [command for command in story.commands if not {"t", "j", "c"} <= story.forms.get(command, set())]
    tap.check("every command is run in table, json and csv", "not so: " + ", ".join(missing) if missing else None)
    return tap.end()


sys.exit(main())
