"""PROTOCOL.md's grammar is one, every rule of it is used, and what services and their clients say on real sockets is in it,
while damaged messages are not."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ctl"))
try:
    import msgpack
    import zmq
except ImportError as missing:
    print(f"1..0 # SKIP {missing}: python3-zmq and python3-msgpack are not installed")
    sys.exit(0)

from abnf import Grammar, GrammarError
from ates import PASSWORD, PATIENCE_S, Ates, Tap

ROOTS = {"request", "reply", "event", "head"}
FRAME_END = "\u0100"


def read_grammar():
    with open(os.path.join(os.environ["ATES_SOURCE_ROOT"], "PROTOCOL.md"), encoding="utf-8") as file:
        return "".join(re.findall(r"^```abnf\n(.*?)^```", file.read(), re.DOTALL | re.MULTILINE))


def symbols(frames):
    return "".join(frame.decode("latin-1") + FRAME_END for frame in frames)


def refused_grammars():
    """Texts that are no grammar, and that the parser would have to let pass to be useless."""
    bad = ['a = b', 'a = "x"\na = "y"', 'a = a', 'a = ( "x"', 'a = "x" )', 'a = ', 'a = "x" / ', 'a = b\nb = [a]',
           'a = %xZZ', 'octet = "x"', '"x"']
    return [text for text in bad if is_grammar(text)]


def is_grammar(text):
    try:
        Grammar(text)
    except GrammarError:
        return False
    return True


def command(name, meta, body, route=(), version=b"ATES/1"):
    return [*route, b"", version, name.encode(), msgpack.packb(meta), msgpack.packb(body)]


class Wire:
    """Sockets of a client; what was sent and what came."""

    def __init__(self, run):
        self.run, self.context = run, zmq.Context()
        self.requests, self.replies, self.published = [], [], []

    def socket(self, kind, name):
        socket = self.context.socket(kind)
        socket.set(zmq.LINGER, 0)
        socket.set(zmq.RCVTIMEO, PATIENCE_S * 1000)
        socket.connect(f"ipc://{self.run}/{name}.sock")
        return socket

    def call(self, frames):
        service = frames[frames.index(b"") + 2].decode().split(".")[0]
        with self.socket(zmq.DEALER, service) as socket:
            socket.send_multipart(frames)
            self.requests.append(frames)
            self.replies.append(socket.recv_multipart())
        return self.replies[-1]

    def hear(self, subscriber, topic):
        """Takes what is published until this topic comes."""
        while not self.published or self.published[-1][0] != topic:
            self.published.append(subscriber.recv_multipart())


def talk(wire):
    ann = {"login": "ann", "email": "ann@example.com", "password": PASSWORD, "role": "developer"}
    with wire.socket(zmq.SUB, "events") as subscriber:
        subscriber.subscribe(b"auth.")
        wire.hear(subscriber, b"auth.head.v1")
        wire.call(command("tasks.health", {}, {}))
        wire.call(command("auth.describe", {"timeout_ms": 5000}, {"limit": 2}))
        register = command("auth.register_user", {"request_id": "r1", "client": "browser"}, ann, route=[b"\0\x01", b"tag"])
        wire.call(register)
        wire.call(register)
        wire.call(command("tasks.create_task", {}, {"name": "n", "description": ""}))
        wire.call(command("tasks.no_such_command", {}, {}))
        wire.hear(subscriber, b"auth.user_registered.v1")


def read_contract(wire, service):
    """What the service describes, page by page; and the largest page's bytes."""
    items, after, largest = [], {}, 0
    while True:
        body = wire.call(command(service + ".describe", {}, after))[-1]
        page = msgpack.unpackb(body)
        items += page["items"]
        largest = max(largest, len(body))
        if "next" not in page:
            return items, largest
        after = {"after": page["next"]}


def check_contract(tap, wire):
    """Services describe what lies in schemas/."""
    folder = os.path.join(os.environ["ATES_SOURCE_ROOT"], "schemas")
    told, largest, wrong = set(), 0, []
    for service in ("auth", "tasks", "accounting", "analytics", "payment"):
        items, size = read_contract(wire, service)
        largest = max(largest, size)
        for item in items:
            for key in ("schema", "result_schema"):
                if key in item:
                    schema = json.loads(item[key])
                    name = schema["$id"].removeprefix("urn:ates:1:") + ".json"
                    told.add(name)
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        wrong += [] if json.load(file) == schema else [name]
    missing = {name for name in os.listdir(folder) if "." in name.removesuffix(".json")} - told
    tap.check("services describe what lies in schemas/", " ".join(wrong + sorted(missing)))
    tap.check("pages stay about 64 KiB", None if 32768 < largest < 66 * 1024 else largest)


def damaged(frames):
    """This message with one frame too few, too many or changed."""
    at = frames.index(b"")
    yield frames[:-1]
    yield frames + [b"\x80"]
    yield frames[:at] + frames[at + 1:]
    for i, wrong in ((1, b"ATES/2"), (1, b"ates/1"), (2, b"tasks"), (2, b"Tasks.health"), (2, b""), (3, b"\x90"), (4, b"")):
        yield frames[:at + i] + [wrong] + frames[at + i + 1:]
    yield [b"tag"] * 11 + frames[at:]


def outside(grammar, rule, messages):
    matches = grammar.matcher(rule)
    return [f"no {rule}: {message}" for message in messages if not matches(symbols(message))]


def inside(grammar, rule, messages):
    matches = grammar.matcher(rule)
    return [f"a {rule}: {message}" for message in messages if matches(symbols(message))]


def check_wire(tap, grammar, wire):
    statuses = {reply[reply.index(b"") + 2].decode() for reply in wire.replies}
    heads = [message for message in wire.published if message[0].endswith(b".head.v1")]
    events = [message for message in wire.published if message not in heads]
    tap.check("what was said is worth looking at", None if statuses == {"OK", "UNAUTHENTICATED", "UNIMPLEMENTED"} and
              heads and events else f"{statuses}, {len(heads)} heads, {len(events)} events")
    tap.check("requests are in the grammar", "\n".join(outside(grammar, "request", wire.requests)))
    tap.check("replies are in the grammar", "\n".join(outside(grammar, "reply", wire.replies)))
    tap.check("a correlation frame comes back", None if wire.replies[2][:3] == [b"\0\x01", b"tag", b""] else wire.replies[2])
    tap.check("events are in the grammar", "\n".join(outside(grammar, "event", events)))
    tap.check("heads are in the grammar", "\n".join(outside(grammar, "head", heads)))
    wrong = [message for frames in wire.requests for message in damaged(frames)]
    tap.check("damaged requests are not", "\n".join(inside(grammar, "request", wrong)))
    wrong = [message for frames in wire.replies for message in damaged(frames)]
    tap.check("damaged replies are not", "\n".join(inside(grammar, "reply", wrong)))
    wrong = [[topic, *events[0][1:]] for topic in (b"auth", b"auth.user_registered", b"auth.user_registered.v0", b"auth.x.v01",
                                                  b"Auth.x.v1", b"auth.x.v1.", b"")]
    wrong += [events[0][:1], events[0] + [b"\x80"], [events[0][0], b"\x90"]]
    tap.check("damaged events are not", "\n".join(inside(grammar, "event", wrong)))


def main():
    tap = Tap()
    tap.check("what is no grammar is refused", "\n".join(refused_grammars()))
    try:
        grammar = Grammar(read_grammar())
    except GrammarError as error:
        tap.check("PROTOCOL.md has a grammar", error)
        return tap.end()
    tap.check("PROTOCOL.md has a grammar")
    tap.check("every rule is used", " ".join(grammar.unused() ^ ROOTS))
    with Ates() as ates:
        ates.found()
        wire = Wire(ates.path("run"))
        talk(wire)
        check_contract(tap, wire)
        wire.context.term()
    check_wire(tap, grammar, wire)
    return tap.end()


sys.exit(main())
