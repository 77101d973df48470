"""Events: PROTOCOL.md section 3. PUB/SUB may lose them; the producer's log, which read_events reads, has them all.

The caller keeps the cursor: written down after what an event led to, events may come twice after a crash but none is
missed; written down together with it, as in one transaction, each comes once."""
import hashlib
import json
import os
import time
from dataclasses import dataclass
from typing import Iterator, Optional

import zmq

from . import wire
from .client import Client, NoReply, Refused, known

READ_LIMIT = 1000
QUIET_MS = 3000  # without even the producer's head, which comes once a second
NO_HASH = bytes(32)
TRANSIENT = frozenset(('UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'DEADLINE_EXCEEDED', 'INTERNAL'))
PAUSE_MAX_S = 30.0


class Gap(Exception):
    """Events are missing before this one: read them from the cursor."""


class Broken(Exception):
    """This is not the log that was followed, or not all of it. Never skip it: somebody must look."""


class Compacted(Exception):
    """The events after the cursor were cut off the producer's log. From the very start, a snapshot stands for them."""


@dataclass(frozen=True)
class Cursor:
    """The last event taken: of which log, which one, and the hash of its envelope."""
    log_id: str = ''
    seq: int = 0
    hash: bytes = NO_HASH

    @classmethod
    def load(cls, path: str) -> 'Cursor':
        try:
            with open(path, encoding='utf-8') as file:
                kept = json.load(file)
        except FileNotFoundError:
            return cls()
        return cls(kept['log_id'], kept['seq'], bytes.fromhex(kept['hash']))

    def save(self, path: str) -> None:
        """Whole or not at all, whenever this process or the machine ends."""
        with open(path + '.new', 'w', encoding='utf-8') as file:
            json.dump({'log_id': self.log_id, 'seq': self.seq, 'hash': self.hash.hex()}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + '.new', path)


@dataclass(frozen=True)
class Event:
    event_id: str
    event_name: str
    event_version: int
    event_time: int  # Unix ms
    producer: str
    log_id: str
    seq: int
    prev: bytes  # the hash of the envelope before
    data: dict
    cause: Optional[dict] = None

    @classmethod
    def read(cls, data: bytes) -> 'Event':
        """Raises WireError where data is no envelope. Fields of data that are not known are to be ignored."""
        envelope = read_map(data, {'event_id': str, 'event_name': str, 'event_version': int, 'event_time': int,
                                   'producer': str, 'log_id': str, 'seq': int, 'prev': bytes, 'data': dict})
        if envelope['seq'] < 1 or len(envelope['prev']) != 32 or not isinstance(envelope.get('cause', {}), dict):
            raise wire.WireError('not an event')
        return known(cls, envelope)

    @property
    def topic(self) -> str:
        return f'{self.producer}.{self.event_name}.v{self.event_version}'


def read_map(data: bytes, kinds: dict) -> dict:
    """A map with at least these fields, of these types (bool is no int). Raises WireError."""
    made = wire.decode(data)
    if not isinstance(made, dict) or any(type(made.get(name)) is not kind for name, kind in kinds.items()):
        raise wire.WireError('a field is missing or of another type')
    return made


def envelope_hash(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


class Chain:
    """Says of each event whether it is the next one. Invariant: the cursor moves by one event, of one log, whose prev
    is the hash of the one before. Knows no sockets."""

    def __init__(self, producer: str, cursor: Cursor):
        self.producer, self.cursor = producer, cursor

    def event(self, data: bytes) -> Optional[Event]:
        """The event in data, where it is the next one; None where it was taken before. Raises Gap, Broken."""
        try:
            event = Event.read(data)
        except wire.WireError as error:
            raise Gap(str(error)) from error
        if event.producer != self.producer:
            raise Gap(f'an event of {event.producer}')
        self._check_log(event.log_id)
        own = envelope_hash(data)
        if event.seq == self.cursor.seq and own != self.cursor.hash:
            raise Broken(f'{self.producer} has another event {event.seq} now')
        if event.seq <= self.cursor.seq:
            return None
        if event.seq > self.cursor.seq + 1:
            raise Gap(f'{event.seq} after {self.cursor.seq}')
        if event.prev != self.cursor.hash:
            raise Broken(f'the hash chain of {self.producer} is broken before {event.seq}')
        self.cursor = Cursor(event.log_id, event.seq, own)
        return event

    def head(self, data: bytes) -> None:
        """What the producer announced. Raises Gap where the cursor is elsewhere, Broken."""
        try:
            head = read_map(data, {'log_id': str, 'seq': int, 'hash': bytes})
        except wire.WireError:
            return  # the next one will do
        self._check_log(head['log_id'])
        if head['seq'] != self.cursor.seq:
            raise Gap(f'the head is {head["seq"]}')
        if self.cursor.log_id and head['hash'] != self.cursor.hash:
            raise Broken(f"{self.producer}'s head is another event {self.cursor.seq}")

    def page(self, result: dict) -> Iterator[Event]:
        """The events of a reply to read_events, which must be the next ones. Raises Broken."""
        self._check_log(result['log_id'])
        if result['head_seq'] < self.cursor.seq:
            raise Broken(f'the log of {self.producer} ends before {self.cursor.seq}, which was taken')
        for data in result['events']:
            try:
                event = self.event(data)
            except Gap as gap:
                raise Broken(f'read_events of {self.producer} skipped an event: {gap}') from gap
            if event:
                yield event

    def _check_log(self, log_id: str) -> None:
        if self.cursor.log_id and log_id != self.cursor.log_id:
            raise Broken(f'another log_id: the log of {self.producer} is not the one followed before')


class Follower:
    """A producer's events, each once and in order. The client's user is an administrator or a service."""

    def __init__(self, client: Client, producer: str, cursor: Cursor):
        self._client, self._chain = client, Chain(producer, cursor)
        self._socket = client.connect(zmq.SUB, 'events')
        self._socket.setsockopt(zmq.SUBSCRIBE, f'{producer}.'.encode())

    def close(self) -> None:
        self._socket.close()

    @property
    def cursor(self) -> Cursor:
        """After the event that was given last."""
        return self._chain.cursor

    def follow(self) -> Iterator[Event]:
        """Events for ever, from the log as far as it goes and then as they happen. Raises Broken, Compacted."""
        head_topic = f'{self._chain.producer}.head.v1'.encode()
        yield from self.catch_up()
        while True:
            try:
                if not self._socket.poll(QUIET_MS):
                    raise Gap('nothing was heard')
                topic, data = self._socket.recv_multipart()
                event = self._chain.head(data) if topic == head_topic else self._chain.event(data)
            except Gap:
                yield from self.catch_up()
                continue
            if event:
                yield event

    def catch_up(self) -> Iterator[Event]:
        """The events up to the log's end. A service that does not answer, or cannot now, is asked again."""
        pause_s = 0.1
        while True:
            try:
                body = {'after_seq': self.cursor.seq, 'limit': READ_LIMIT}
                result = self._client.call(f'{self._chain.producer}.read_events', body).result
            except NoReply:
                continue
            except Refused as refusal:
                if refusal.reason == 'EVENTS_COMPACTED':
                    raise Compacted(refusal.message) from refusal
                if refusal.status not in TRANSIENT:
                    raise
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, PAUSE_MAX_S)
                continue
            yield from self._chain.page(result)
            if not result['events'] or self.cursor.seq >= result['head_seq']:
                return

    def snapshot(self) -> list:
        """The items that stand for the events which are no more; the events after them come next. Raises Compacted
        where events were taken already: nothing can stand for those in between."""
        if self.cursor.seq > 0:
            raise Compacted('a snapshot is for who has taken nothing yet')
        name = f'{self._chain.producer}.read_snapshot'
        while True:
            page = self._client.call(name).result
            first, items = page, list(page['items'])
            while 'next' in page:
                page = self._client.call(name, {'after': page['next']}).result
                if page['seq'] != first['seq']:
                    break  # compacted again meanwhile: all over
                items += page['items']
            else:
                self._chain.cursor = Cursor(first['log_id'], first['seq'], first['hash'])
                return items
