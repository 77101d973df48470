#!/usr/bin/python3
"""A real SMTP server on 127.0.0.1 whose behaviour is scripted, for tests of what sends mail.

Prints "READY PORT". Ends when its standard input does, and so with its test. FOLDER gets the
accepted messages (NNNNNN.eml: the bytes after DATA) and "log": a JSON object a line, written before
the client can have an answer:
  {"event": "connect", "connection": N}                also "disconnect"
  {"event": "command", "connection": N, "verb": V, "tls": bool}
  {"event": "message", "connection": N, "tls": bool, "user": U, "from": A, "to": [A], "stage": S,
   "outcome": O, "answer": the reply or null, "file": the message's or null}
  {"event": "close", "connection": N}                  by the script: an answer may be lost with it
  {"event": "fault", "words": ...}                     an exception that nobody awaited
Outcomes: accepted; refused; dropped; hung; lost (accepted, but the answer was never sent).

Lines on standard input, each answered by "OK" or "ERROR why" on standard output:
  all ACTION                      from now on, for every message (or connection)
  next ACTION                     once; several queue up, and go before the others
  mix SEED WEIGHT ACTION | WEIGHT ACTION ...    each message draws one; ended by "all"
  close [REPLY]                   closes the open connections, after these last words
ACTION: accept
        reply STAGE CODE WORDS    a \\n in words begins a new line of the reply
        hang STAGE                no answer ever
        drop STAGE                the connection is reset
        lose hang | lose drop     the message is accepted and stored, the answer never sent
STAGE: CONNECT EHLO STARTTLS AUTH QUIT of a connection; MAIL RCPT DATA END of a message, where END
       is the answer to the whole message.
"""
import argparse
import asyncio
import json
import logging
import os
import random
import re
import ssl
import subprocess
import sys
import warnings

try:
    from aiosmtpd.smtp import SMTP, AuthResult
except ImportError:
    sys.exit("smtp_server.py: python3-aiosmtpd is not installed; tools/setup --test installs it")

CONNECTION_STAGES = ("CONNECT", "EHLO", "STARTTLS", "AUTH", "QUIT")
MESSAGE_STAGES = ("MAIL", "RCPT", "DATA", "END")
LONG_S = 3600


class Action:
    def __init__(self, words):
        kind, _, rest = words.strip().partition(" ")
        self.kind, self.stage, self.reply, self.then = kind, None, None, None
        if kind == "reply":
            match = re.fullmatch(r"(\w+) (\d\d\d) (.*)", rest)
            if not match:
                raise ValueError("reply STAGE CODE WORDS")
            self.stage, code, text = match.groups()
            lines = text.split("\\n")
            marks = ["-"] * (len(lines) - 1) + [" "]
            self.reply = "\r\n".join(code + mark + line for mark, line in zip(marks, lines))
        elif kind in ("hang", "drop"):
            self.stage = rest
        elif kind == "lose" and rest in ("hang", "drop"):
            self.stage, self.then = "END", rest
        elif kind != "accept" or rest:
            raise ValueError("no such action: " + words)
        if kind != "accept" and self.stage not in CONNECTION_STAGES + MESSAGE_STAGES:
            raise ValueError("no such stage: " + str(self.stage))


class Script:
    def __init__(self):
        self.always, self.queue, self.mix = Action("accept"), [], None

    def at_connection(self, stage):
        """The action of a connection's stage; None: as usual."""
        if self.queue and self.queue[0].stage == stage:
            return self.queue.pop(0)
        return self.always if self.always.stage == stage else None

    def for_message(self):
        if self.queue and self.queue[0].stage not in CONNECTION_STAGES:
            return self.queue.pop(0)
        if self.mix:
            weights, actions = self.mix
            return self.random.choices(actions, weights)[0]
        return self.always

    def take(self, line):
        word, _, rest = line.partition(" ")
        if word == "all":
            self.always, self.mix = Action(rest), None
        elif word == "next":
            self.queue.append(Action(rest))
        elif word == "mix":
            seed, _, rest = rest.partition(" ")
            pairs = [item.strip().partition(" ") for item in rest.split("|")]
            self.random = random.Random(int(seed))
            self.mix = [int(pair[0]) for pair in pairs], [Action(pair[2]) for pair in pairs]
        else:
            raise ValueError("no such line: " + line)


class Server:
    """What all connections share."""

    def __init__(self, folder):
        self.folder, self.script = folder, Script()
        self.file = open(os.path.join(folder, "log"), "a", encoding="utf-8")
        self.open, self.connections = set(), 0
        self.messages = sum(name.endswith(".eml") for name in os.listdir(folder))  # of earlier runs
        self.changed = asyncio.Event()

    def log(self, event, **values):
        self.file.write(json.dumps({"event": event, **values}) + "\n")
        self.file.flush()

    def store(self, content):
        self.messages += 1
        name = f"{self.messages:06}.eml"
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(content)
        return name

    async def close(self, words):
        closing = set(self.open)
        for connection in closing:
            self.log("close", connection=connection.number)
            if words:
                await SMTP.push(connection, words)
            connection.transport.close()
        while self.open & closing:  # new ones may come meanwhile
            self.changed.clear()
            await self.changed.wait()


class Connection(SMTP):
    def __init__(self, server, **options):
        super().__init__(self, timeout=LONG_S, hostname="test", ident="SMTP", **options)
        self.server, self.plan, self.number, self.recipients = server, None, 0, []

    # The life of a connection.

    def connection_made(self, transport):
        if self.number == 0:
            self.server.connections += 1
            self.number = self.server.connections
            self.server.open.add(self)
            self.server.log("connect", connection=self.number)
        super().connection_made(transport)

    def connection_lost(self, error):
        if self in self.server.open:
            self.server.open.remove(self)
            self.server.log("disconnect", connection=self.number)
            self.server.changed.set()
        super().connection_lost(error)

    greeted = False

    async def push(self, status):
        if not self.greeted:
            self.greeted = True
            action = self.server.script.at_connection("CONNECT")
            if action:
                await self.act(action)
                return
        await super().push(status)

    async def act(self, action):
        """Answers, or waits for the end of the connection."""
        if action.kind == "reply":
            await super().push(action.reply)
            return
        if "drop" in (action.kind, action.then):
            self.transport.abort()
        await asyncio.get_running_loop().create_future()

    @property
    def is_tls(self):
        return self._original_transport is not None or bool(
            self.transport.get_extra_info("sslcontext"))

    async def command(self, verb, arg, usual):
        self.server.log("command", connection=self.number, verb=verb, tls=self.is_tls)
        action = self.server.script.at_connection(verb)
        if action:
            await self.act(action)
        else:
            await usual(arg)

    async def smtp_EHLO(self, arg):
        await self.command("EHLO", arg, super().smtp_EHLO)

    async def smtp_HELO(self, arg):
        await self.command("HELO", arg, super().smtp_HELO)

    async def smtp_STARTTLS(self, arg):
        await self.command("STARTTLS", arg, super().smtp_STARTTLS)

    async def smtp_AUTH(self, arg):
        await self.command("AUTH", arg, super().smtp_AUTH)

    async def smtp_QUIT(self, arg):
        await self.command("QUIT", arg, super().smtp_QUIT)

    # A message.

    def log_message(self, stage, outcome, answer=None, file=None):
        self.server.log("message", connection=self.number, tls=self.is_tls,
                        user=self.session.auth_data, to=self.recipients, stage=stage,
                        outcome=outcome, answer=answer, file=file, **{"from": self.sender})

    async def step(self, verb, arg, usual):
        self.server.log("command", connection=self.number, verb=verb, tls=self.is_tls)
        if self.plan is None or self.plan.stage != verb:
            await usual(arg)
            return
        outcome = {"reply": "refused", "hang": "hung", "drop": "dropped"}[self.plan.kind]
        self.log_message(verb, outcome, self.plan.reply)
        await self.act(self.plan)

    @staticmethod
    def address(arg):
        match = re.search("<(.*?)>", arg or "")
        return match[1] if match else arg

    async def smtp_MAIL(self, arg):
        self.sender, self.recipients = self.address(arg), []
        self.plan = self.server.script.for_message()
        await self.step("MAIL", arg, super().smtp_MAIL)

    async def smtp_RCPT(self, arg):
        self.recipients.append(self.address(arg))
        await self.step("RCPT", arg, super().smtp_RCPT)

    async def smtp_DATA(self, arg):
        await self.step("DATA", arg, super().smtp_DATA)

    async def handle_DATA(self, _server, _session, envelope):
        plan = self.plan
        if plan.stage == "END" and plan.kind == "reply" and plan.reply[0] != "2":
            self.log_message("END", "refused", plan.reply)
            return plan.reply
        if plan.stage == "END" and plan.kind in ("hang", "drop"):
            self.log_message("END", "hung" if plan.kind == "hang" else "dropped")
            await self.act(plan)
        file = self.server.store(envelope.original_content)
        if plan.kind == "lose":
            self.log_message("END", "lost", file=file)
            await self.act(plan)
        answer = plan.reply if plan.stage == "END" else f"250 2.0.0 taken as {file}"
        self.log_message("END", "accepted", answer, file)
        return answer


def openssl(folder, *words):
    try:
        subprocess.run(("openssl",) + words, cwd=folder, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        sys.exit("smtp_server.py: openssl is not installed; tools/setup --test installs it")
    except subprocess.CalledProcessError as error:
        sys.exit("smtp_server.py: openssl " + " ".join(words) + ":\n" + error.stdout)


def make_certificate(folder, kind):
    """Makes ca.pem, server.pem and server.key; the server's is good, or wrong in one way."""
    names = "DNS:example.org" if kind == "other-name" else "DNS:localhost,IP:127.0.0.1"
    with open(os.path.join(folder, "names"), "w", encoding="ascii") as file:
        file.write("subjectAltName=" + names + "\n")
    for key in ("ca.key", "server.key"):
        openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    openssl(folder, "req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=test authority",
            "-days", "2", "-out", "ca.pem")
    openssl(folder, "req", "-new", "-key", "server.key", "-subj", "/CN=test server",
            "-out", "server.csr")
    signer = ["-signkey", "server.key"] if kind == "self-signed" else \
             ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
    openssl(folder, "x509", "-req", "-in", "server.csr", *signer, "-extfile", "names",
            "-days", "-1" if kind == "expired" else "2", "-out", "server.pem")


def arguments():
    parser = argparse.ArgumentParser(description="a scripted SMTP server for tests")
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=("good", "other-name", "expired", "self-signed"),
                        help="offer STARTTLS with a certificate of this kind")
    parser.add_argument("--smtps", action="store_true", help="TLS from the first byte")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="require AUTH, over TLS only")
    parser.add_argument("--smtputf8", action="store_true")
    return parser.parse_args()


def options_of(given):
    options = {"enable_SMTPUTF8": given.smtputf8}
    context = None
    if given.tls:
        make_certificate(given.folder, given.tls)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(os.path.join(given.folder, "server.pem"),
                                os.path.join(given.folder, "server.key"))
    if context and not given.smtps:
        options["tls_context"] = context
    if given.auth:
        user, _, password = given.auth.partition(":")

        def authenticate(_server, _session, _envelope, _mechanism, data):
            good = data.login == user.encode() and data.password == password.encode()
            return AuthResult(success=good, handled=False, auth_data=user if good else None)
        options.update(auth_required=True, auth_require_tls=True, authenticator=authenticate)
    return options, context


async def serve(given):
    loop = asyncio.get_running_loop()
    server = Server(given.folder)
    options, context = options_of(given)
    loop.set_exception_handler(lambda _loop, about: server.log(
        "fault", words=repr(about.get("exception") or about["message"])))
    listener = await loop.create_server(lambda: Connection(server, **options), "127.0.0.1",
                                        given.port, ssl=context if given.smtps else None)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("READY", listener.sockets[0].getsockname()[1], flush=True)
    while line := (await lines.readline()).decode().strip():
        try:
            if line.split()[0] == "close":
                await server.close(line[len("close"):].strip())
            else:
                server.script.take(line)
            print("OK", flush=True)
        except ValueError as error:
            print("ERROR", error, flush=True)
    os._exit(0)  # connections that hang would hold up an orderly end


logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
asyncio.run(serve(arguments()))
