"""A daemon with data of its own, and atesctl against it: what the tests beside this file share. Invariants: the
daemon ends with the test, the folder too, and nothing of the user's home is read or written."""
import datetime
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ATESCTL = os.environ["ATESCTL"]
PATIENCE_S = 30 * int(os.environ.get("ATES_TIME_SCALE", "1"))
PASSWORD = "correct horse battery"


def time_zone():
    """One in which it is early in the afternoon: the end of the business day is hours away."""
    ahead = 13 - datetime.datetime.now(datetime.timezone.utc).hour
    return "Etc/GMT%+d" % -ahead if ahead != 0 else "Etc/UTC"


class Ates:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="ates-ctl-")
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": self.folder, "LANG": "C.UTF-8", "ATES_TIME_ZONE": time_zone(),
            "ATES_CONFIG": "/dev/null", "ATES_RUN": self.folder + "/run", "ATES_DATA": self.folder + "/data", "ATES_WEB_LISTEN": "127.0.0.1:0",
            "ATES_AUTH_SESSION_HOURS": "12"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        self.daemon = None
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        """Starts the daemon and waits until it takes commands."""
        self.daemon = subprocess.Popen([os.environ["ATESD"], "all"], env=self.environment, cwd=self.folder,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=open(self.path("log"), "wb"))
        services = ["auth", "tasks", "accounting", "analytics", "payment"]
        self.until(lambda: all(self.run(None, "call", name + ".health").returncode == 0 for name in services),
                   "the daemon answers")

    def stop(self):
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGTERM)
            code = self.daemon.wait(PATIENCE_S)
            self.daemon = None
            assert code == 0, f"the daemon ended with {code}"

    def until(self, condition, words):
        """Waits for a condition, which asks a service anew each time: its reply is the pace."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "this never came: " + words
            assert self.daemon is None or self.daemon.poll() is None, "the daemon has ended"

    def settings_of(self, user):
        """The environment in which this user is signed in (None: nobody); home has contexts instead of variables."""
        if user == "home":
            return {name: value for name, value in self.environment.items()
                    if name == "ATES_CONFIG" or not name.startswith("ATES_")}
        return self.environment | {"ATES_TOKEN_FILE": self.path(f"token-{user}")}

    def run(self, user, *words, **more):
        return subprocess.run([ATESCTL, *words], env=self.settings_of(user), cwd=self.folder, capture_output=True,
                              stdin=subprocess.DEVNULL, text=True, encoding="utf-8", timeout=PATIENCE_S, **more)

    def interrupt(self, pattern, user, *words):
        """Runs what goes on for ever until its stdout has the pattern, and interrupts it, as Ctrl-C does."""
        process = subprocess.Popen([ATESCTL, *words], env=self.settings_of(user), cwd=self.folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        late = threading.Timer(PATIENCE_S, process.kill)
        late.start()
        said = b""
        while not re.search(pattern, said.decode(errors="ignore")) and (piece := os.read(process.stdout.fileno(), 65536)):
            said += piece
        process.send_signal(signal.SIGINT)
        rest, words_said = process.communicate()
        late.cancel()
        assert process.returncode != -signal.SIGKILL, f"{words}: {pattern!r} never came: {said.decode()}"
        return subprocess.CompletedProcess(words, process.returncode, (said + rest).decode(), words_said.decode())

    def must(self, user, *words):
        done = self.run(user, *words)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def found(self):
        """The data folder with its administrator, root; the daemon runs, and root is signed in."""
        self.write("password", PASSWORD + "\n")
        self.must(None, "admin", "init", "--login", "root", "--email", "root@example.com", "--password-file", "password")
        self.start()
        self.must("root", "login", "root", "--password-file", "password")

    def add(self, login, role):
        self.must("root", "user", "add", login, "--email", login + "@example.com", "--role", role,
                  "--password-file", "password")
        self.must(login, "login", login, "--password-file", "password")


class Tap:
    def __init__(self):
        self.number = 0
        self.failed = 0

    def check(self, name, problem=None):
        """The check holds where there is no problem, which is told otherwise."""
        self.number += 1
        if problem:
            self.failed += 1
            for line in str(problem).splitlines():
                print("#", line)
        print(f"{'not ok' if problem else 'ok'} {self.number} - {name}", flush=True)

    def end(self):
        print(f"1..{self.number}")
        return 1 if self.failed else 0
