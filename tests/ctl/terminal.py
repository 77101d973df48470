"""atesctl on a terminal, in tmux: tables fit and their columns line up, an interruption leaves the terminal as it was,
and escape sequences go to terminals that know them only. Where tmux is not installed, it says so."""
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import unicodedata

import ates

NAMES = ["Покормить попугаев в офисе и не забыть про воду", "漢字の看板を直す", "Write the report", "é́ twice", "x"]
MANY = 10000
PROMPT = "prompt>"


def width_of(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Screen:
    """A tmux server of its own with one pane, in which a shell runs lines one by one. It ends with its block."""

    def __init__(self, world, user, name, width):
        self.world = world
        self.socket = world.path("tmux-" + name)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", "60", "bash", "--norc", "--noprofile",
                  env=world.settings_of(user) | {"TERM": "xterm", "PS1": PROMPT + " ", "ATESCTL": ates.ATESCTL})

    def __enter__(self):
        self.tmux("set-option", "-g", "history-limit", "50")
        return self

    def __exit__(self, *_):
        """However the block ended: where the server is gone already, that is said by what failed before."""
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True,
                       timeout=ates.PATIENCE_S)

    def tmux(self, *words, **more):
        return subprocess.run(["tmux", "-u", "-S", self.socket, *words], check=True, capture_output=True, text=True,
                              encoding="utf-8", timeout=ates.PATIENCE_S, cwd=self.world.folder, **more).stdout

    def shown(self):
        return [line for line in self.tmux("capture-pane", "-p").split("\n") if line.strip()]

    def type(self, line):
        self.tmux("send-keys", "-l", line)
        self.tmux("send-keys", "Enter")

    def wait_for(self, words):
        self.world.until(lambda: any(words in line for line in self.shown()), "the screen shows " + words)

    def run(self, line):
        """Runs a line to its end. Returns the lines that the screen shows then."""
        self.type(f"clear; {line}; tmux -S {self.socket} wait-for -S ended")
        self.tmux("wait-for", "ended")
        self.wait_for(PROMPT)
        return [shown for shown in self.shown() if not shown.startswith(PROMPT)]

    def interrupt(self, line, words):
        """Runs a line, and types Ctrl-C when the screen shows the words. Returns the exit code, and whether the
        terminal's settings are as they were."""
        self.run("stty -g > before")
        self.type(f"clear; {line}")
        self.wait_for(words)
        self.tmux("send-keys", "C-c")
        self.world.until(lambda: self.shown()[-1:] == [PROMPT], "the prompt comes back")
        self.type(f"echo $? > code; tmux -S {self.socket} wait-for -S ended")
        self.tmux("wait-for", "ended")
        self.run("stty -g > after")
        with open(self.world.path("before")) as before, open(self.world.path("after")) as after, \
                open(self.world.path("code")) as code:
            return int(code.read()), before.read() == after.read()


def column_starts(lines, pattern):
    """Where the pattern begins in each line, in columns of the screen."""
    return {width_of(line[:match.start()]) for line in lines for match in [re.search(pattern, line)] if match}


def check_widths(tap, world, screen):
    for width in (40, 80, 200):
        screen.tmux("resize-window", "-x", str(width), "-y", "60")
        world.until(lambda width=width: screen.run("stty size") == [f"60 {width}"], "the terminal has its new size")
        lines = screen.run('"$ATESCTL" task mine 2>/dev/null')
        rows = [line for line in lines if re.match(r" *\d+ ", line)]
        starts = column_starts(rows, r"\b(yes|no)\b")
        problems = []
        if any(width_of(line.rstrip()) > width for line in lines):
            problems.append("a line is wider than the screen")
        if len(rows) != len(NAMES):
            problems.append(f"{len(rows)} rows, {len(NAMES)} tasks")
        if len(starts) != 1:
            problems.append(f"the column behind the names begins at {sorted(starts)}")
        if starts and "DONE" in lines[0] and width_of(lines[0][:lines[0].index("DONE")]) not in starts:
            problems.append("the heading does not stand above its column")
        if width == 200 and not any(NAMES[0] in row for row in rows):
            problems.append("a name was cut where there is room for it")
        if width == 40 and not any("…" in row for row in rows):
            problems.append("nothing shows that a name was cut")
        tap.check(f"a table on {width} columns fits, after a resize, and its columns line up",
                  "\n".join(problems + lines) if problems else None)


def check_interruptions(tap, world, screen):
    os.mkfifo(world.path("never"))
    for name, line, words in [
            ("a question", '"$ATESCTL" task reassign', "[y/N]"),
            ("an import's question", '"$ATESCTL" task import bar.csv --key again', "[y/N]"),
            ("a watch", '"$ATESCTL" task watch --all', "Ctrl-C ends"),
            ("a password", '"$ATESCTL" login mia', "Password"),
            ("a login", '"$ATESCTL" login', "Login"),
            ("a listing of what comes", '"$ATESCTL" events tail --topic tasks.head', "tasks.head.v1"),
            ("a long listing that its reader does not take",
             '(trap - INT; "$ATESCTL" task ls -o ndjson | (read -r row; echo has be""gun; read -r row < never); '
             'exit ${PIPESTATUS[0]})', "has begun")]:
        code, is_sane = screen.interrupt(line, words)
        tap.check(f"Ctrl-C at {name} ends it with 130 and leaves the terminal as it was",
                  None if code == 130 and is_sane else f"exit code {code}, terminal as before: {is_sane}")


def check_watch(tap, world, screen):
    """On few lines: the heading and the newest task are there, at once when there is one."""
    screen.tmux("resize-window", "-x", "80", "-y", "12")
    screen.run("stty size")
    screen.type('"$ATESCTL" task watch')
    screen.wait_for("Ctrl-C ends")
    world.must("mia", "task", "add", "The newest of all")
    screen.wait_for("The newest of all")
    lines = screen.shown()
    is_whole = re.match(r" *ID NAME", lines[0]) and "The newest of all" in lines[1] and "Ctrl-C ends" in lines[-1]
    tap.check("a watch on 12 lines shows its heading, the newest task and its footer, and says that there is more",
              None if is_whole and any("a taller terminal" in line for line in lines) else "\n".join(lines))
    screen.tmux("send-keys", "C-c")
    screen.wait_for(PROMPT)
    lines = screen.run('"$ATESCTL" task watch --all')
    tap.check("why a watch has ended is said when the screen is as it was",
              None if any("your role may not do this" in line for line in lines) else "\n".join(lines))


def check_stops(tap, world, screen):
    """Ctrl-Z gives the shell its own screen and the cursor; fg draws anew, at once."""
    def flags():
        return screen.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").strip()

    def type_key(key):
        screen.tmux("send-keys", key)
        world.until(lambda: screen.shown()[-1:] == [PROMPT], "the prompt comes back")

    for line in ('"$ATESCTL" task watch', '"$ATESCTL" admin top --interval 1'):
        screen.type(f"clear; {line}")
        screen.wait_for("Ctrl-C ends")
        seen = [flags()]
        type_key("C-z")
        seen.append(flags())
        screen.type("fg")
        screen.wait_for("Ctrl-C ends")
        seen.append(flags())
        type_key("C-c")
        seen.append(flags())
        tap.check(f"Ctrl-Z at {line} leaves the terminal as it was, and fg takes it again",
                  None if seen == ["1 0", "0 1", "1 0", "0 1"] else f"other screen, cursor: {seen}")


def on_terminal(world, user, words, **variables):
    """What a command writes to a terminal of its own."""
    parent, child = pty.openpty()
    process = subprocess.Popen([ates.ATESCTL, *words], env=world.settings_of(user) | variables, cwd=world.folder,
                               stdin=child, stdout=child, stderr=child, start_new_session=True)
    os.close(child)
    shown = b""
    try:
        while piece := os.read(parent, 4096):
            shown += piece
    except OSError:  # EIO: nobody has the other end any more
        pass
    os.close(parent)
    assert process.wait(ates.PATIENCE_S) == 0, shown
    return shown.decode()


def check_escapes(tap, world):
    def imported(name, **variables):
        world.write(name + ".csv", "name,description\n" + "".join(f"{name} {i},{'d' * 100}\n" for i in range(MANY)))
        return on_terminal(world, "ann", ["task", "import", name + ".csv", "--yes"], **variables)

    tap.check("an import draws a bar on a terminal", None if "\033[K" in imported("bar", TERM="xterm") else "it has not")
    tap.check("TERM=dumb has no escape sequences", None if "\033" not in imported("dumb", TERM="dumb") else "it has")
    piped = world.run("mia", "task", "ls", "--limit", "5")
    tap.check("a pipe has no escape sequences", None if "\033" not in piped.stdout + piped.stderr else piped.stdout)


def check_long(tap, world):
    """A reader that goes away is nobody to complain to, whether SIGPIPE is ignored or not."""
    for form in ("csv", "ndjson", "json", "table", "name"):
        for how, ends in [(signal.SIG_DFL, (-signal.SIGPIPE, 0)), (signal.SIG_IGN, (0,))]:
            lister = subprocess.Popen([ates.ATESCTL, "-o", form, "task", "ls"], env=world.settings_of("mia"),
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, restore_signals=False,
                                      preexec_fn=lambda how=how: signal.signal(signal.SIGPIPE, how) and None)
            head = subprocess.run(["head", "-n", "1"], stdin=lister.stdout, capture_output=True, check=True)
            lister.stdout.close()
            words = lister.stderr.read().decode()
            code = lister.wait(ates.PATIENCE_S)
            lister.stderr.close()
            tap.check(f"{MANY} rows of {form} into head end quietly"
                      + (", SIGPIPE ignored" if how == signal.SIG_IGN else ""),
                      None if code in ends and words == "" and head.stdout else f"exit code {code}: {words}")


def main():
    tap = ates.Tap()
    if shutil.which("tmux") is None:
        print("1..0 # SKIP tmux is not installed")
        return 0
    with ates.Ates() as world:
        world.found()
        world.add("mia", "manager")
        world.add("ann", "developer")
        for name in NAMES:
            world.until(lambda name=name: world.run("ann", "task", "add", name).returncode == 0, "a task is made")
        with Screen(world, "ann", "ann", 120) as screen:
            check_widths(tap, world, screen)
            check_escapes(tap, world)
            check_watch(tap, world, screen)
        check_long(tap, world)
        with Screen(world, "mia", "mia", 80) as screen:
            check_interruptions(tap, world, screen)
        with Screen(world, "root", "root", 100) as screen:
            check_stops(tap, world, screen)
    return tap.end()


sys.exit(main())
