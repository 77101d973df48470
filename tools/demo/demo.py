"""The demonstration of tools/run --demo: people, tasks, and who owes and earns what.

  demo.py people VAR                   draws the people's passwords into VAR/demo-passwords, once
  demo.py password VAR LOGIN           prints one of them
  demo.py play VAR RUN ATESCTL CSV     does the rest through atesctl
  demo.py accounts VAR                 prints who may sign in, and how

Each step looks first at what is there, so that any run goes on where the one before ended.
"""
import json
import os
import secrets
import subprocess
import sys
import time

# In the order in which they are registered.
PEOPLE = [("admin", "administrator"), ("marina", "manager"), ("boris", "accountant"),
          ("ara", "developer"), ("gosha", "developer"), ("kakadu", "developer"),
          ("kesha", "developer"), ("lori", "developer")]
DEVELOPERS = [login for login, role in PEOPLE if role == "developer"]
# None is taken for another.
ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
# How many of their tasks they complete on the first day: who does all of them earns.
DONE = {"ara": None, "gosha": None, "kakadu": 2, "kesha": 2, "lori": 1}
WAIT_S = 60
NOT_SIGNED_IN, CONFLICT = 4, 5


def say(words):
    print(words, file=sys.stderr, flush=True)


def fail(words):
    say("tools/run: " + words)
    sys.exit(1)


def password_file(var):
    return os.path.join(var, "demo-passwords")


def write_passwords(var, passwords):
    """Written whole or not at all."""
    fresh = password_file(var) + ".new"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
              encoding="ascii") as file:
        for login, role in PEOPLE:
            if login in passwords:
                file.write(f"{login} {role} {passwords[login]}\n")
        file.flush()
        os.fsync(file.fileno())
    os.rename(fresh, password_file(var))


def draw_passwords(var):
    """Before anybody has one of them: an interrupted run leaves nobody with an unknown one."""
    if not os.path.exists(password_file(var)):
        write_passwords(var, {login: "".join(secrets.choice(ALPHABET) for _ in range(20))
                              for login, _ in PEOPLE})


def read_passwords(var):
    with open(password_file(var), encoding="ascii") as file:
        return {fields[0]: fields[2] for fields in map(str.split, file) if len(fields) == 3}


def show_accounts(var):
    passwords = read_passwords(var)
    print(f"People and their passwords (kept in {password_file(var)}):")
    for login, role in PEOPLE:
        if login in passwords:
            print(f"  {login:8} {role:14} {passwords[login]}", flush=True)


class Failed(Exception):
    """atesctl's exit code, with its words."""

    def __init__(self, code, words):
        super().__init__(words)
        self.code = code
        self.words = words


class Demo:
    def __init__(self, var, run, atesctl):
        self.var, self.run, self.atesctl = var, run, atesctl
        self.passwords = read_passwords(var)

    def environment(self, login):
        """Everybody has a session of their own, apart from that of whoever runs this."""
        return {**os.environ, "ATES_RUN": self.run,
                "XDG_STATE_HOME": os.path.join(self.var, "sessions", login)}

    def call(self, login, *arguments, given=None):
        """Runs atesctl as one of the people and returns what it printed."""
        done = subprocess.run([self.atesctl, "--no-input", *arguments], env=self.environment(login),
                              input=given or "", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)
        if done.returncode != 0:
            raise Failed(done.returncode, done.stderr.strip())
        return done.stdout

    def ask(self, login, *arguments):
        return json.loads(self.call(login, *arguments, "-o", "json"))

    def show(self, login, *arguments, data=None):
        """Runs atesctl as one of the people, for whoever watches. data: where it goes, if not to them."""
        if subprocess.run([self.atesctl, "--no-input", *arguments], check=False, stdout=data,
                          env=self.environment(login)).returncode != 0:
            fail("atesctl " + " ".join(arguments) + " did not do it")

    def sign_in(self, login):
        os.makedirs(os.path.join(self.var, "sessions"), mode=0o700, exist_ok=True)
        self.call(login, "login", login, "--password-file", "-", given=self.passwords[login] + "\n")

    def sign_in_administrator(self):
        """Where the data were begun without --demo, only a person knows the password."""
        if "admin" in self.passwords:
            try:
                self.sign_in("admin")
                return
            except Failed as failed:
                if failed.code != NOT_SIGNED_IN:
                    raise
        say("These data were begun without --demo: sign in as their administrator.")
        code = subprocess.run([self.atesctl, "login", "admin"], check=False,
                              env=self.environment("admin")).returncode
        if code != 0:
            fail("without its administrator these data cannot have the demonstration's people; "
                 "tools/run without --demo goes on with them")
        self.passwords.pop("admin", None)
        write_passwords(self.var, self.passwords)

    def register_people(self):
        known = {user["login"] for user in self.ask("admin", "user", "ls")}
        for login, role in PEOPLE[1:]:
            if login in known:
                continue
            try:
                self.call("admin", "user", "add", login, "--role", role, "--email",
                          f"{login}@uberpopug.example", "--password-file", "-",
                          given=self.passwords[login] + "\n")
            except Failed as failed:
                if failed.code != CONFLICT:
                    raise
        for login, _ in PEOPLE[1:]:
            self.sign_in(login)

    def wait_for(self, follower, producer):
        """Until the service has taken in all that the producer has published by now; its replies
        are the pace."""
        seq = json.loads(self.call("admin", "call", f"{producer}.health"))["seq"]
        labels = f'service="{follower}",producer="{producer}"'
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            metrics = json.loads(self.call("admin", "call", f"{follower}.metrics"))["items"]
            if any(metric["name"] == "ates_follower_position" and metric["value"] >= seq
                   and metric.get("labels") == labels for metric in metrics):
                return
        fail(f"{follower} does not follow {producer}; see the log")

    def import_tasks(self, tasks):
        """Requests are remembered for a day only: the mark says for ever that all of it was done."""
        mark = os.path.join(self.var, "demo-imported")
        if os.path.exists(mark):
            return
        say("Importing a list of tasks as marina, the manager ...")
        code = subprocess.run([self.atesctl, "--no-input", "--yes", "task", "import", tasks], check=False,
                              env=self.environment("marina")).returncode
        if code != 0:
            fail("the list could not be imported")
        with open(mark, "w", encoding="ascii"):
            pass

    def complete_tasks(self):
        for login in DEVELOPERS:
            if self.ask(login, "task", "mine", "--status", "finished"):
                continue
            mine = self.ask(login, "task", "mine", "--status", "open")
            mine = mine[:max(1, len(mine) - 1)][:DONE[login]]  # one is left to try
            if mine:
                self.call(login, "task", "done", *(str(task["id"]) for task in mine))
                say(f"{login} has completed {len(mine)} of their tasks")

    def show_money(self):
        users = self.ask("admin", "user", "ls")
        rows = [("LOGIN", "ROLE", "OPEN", "DONE", "BALANCE", "")]
        for user in sorted(users, key=lambda user: user["id"]):
            if user["role"] in ("administrator", "manager"):
                continue
            tasks = self.ask("marina", "task", "ls", "--assigned-to", str(user["id"]))
            done = sum(task["is_finished"] for task in tasks)
            cents = self.ask("boris", "account", "balance", str(user["id"]))["balance_cents"]
            sign = "-" if cents < 0 else ""
            rows.append((user["login"], user["role"], str(len(tasks) - done), str(done),
                         f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}",
                         "earns" if cents > 0 else "owes" if cents < 0 else ""))
        widths = [max(map(len, column)) for column in zip(*rows)]
        for row in rows:
            print("  ".join(cell.rjust(width) if 2 <= i <= 4 else cell.ljust(width)
                            for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
        sys.stdout.flush()

    def pay(self):
        """Closes the day up to now; closed once, it tells the same again."""
        say("Closing the day as boris, the accountant: who earns is paid, and gets a mail ...")
        self.show("boris", "account", "pay", "--yes", data=subprocess.DEVNULL)
        say("Today is closed with that: what is done from here on counts for tomorrow.")
        deadline = time.monotonic() + WAIT_S
        mails = self.ask("boris", "mail", "ls")
        while any(mail["state"] in ("queued", "sending") for mail in mails):
            if time.monotonic() > deadline:
                fail("the mails are not written; atesctl mail ls tells why")
            mails = self.ask("boris", "mail", "ls")
        self.show("boris", "mail", "ls")
        if mails:
            self.show("boris", "mail", "show", str(mails[-1]["id"]))
            say("With no mail server configured, mails are files in "
                + os.path.join(self.var, "data", "accounting", "mails"))

    def play(self, tasks):
        say("Signing in the administrator and registering people ...")
        self.sign_in_administrator()
        self.register_people()
        self.wait_for("tasks", "auth")
        self.import_tasks(tasks)
        self.complete_tasks()
        self.wait_for("accounting", "auth")
        self.wait_for("accounting", "tasks")
        say("Who owes and earns what:")
        self.show_money()
        self.pay()


def main(arguments):
    if arguments[0] == "people" and len(arguments) == 2:
        draw_passwords(arguments[1])
    elif arguments[0] == "password" and len(arguments) == 3:
        print(read_passwords(arguments[1]).get(arguments[2], ""))
    elif arguments[0] == "accounts" and len(arguments) == 2:
        show_accounts(arguments[1])
    elif arguments[0] == "play" and len(arguments) == 5:
        _, var, run, atesctl, tasks = arguments
        try:
            Demo(var, run, atesctl).play(tasks)
        except Failed as failed:
            fail(failed.words)
    else:
        sys.exit(__doc__)


try:
    main(sys.argv[1:] or [""])
except KeyboardInterrupt:
    sys.exit(130)
