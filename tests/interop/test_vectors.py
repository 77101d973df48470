"""The vectors of tests/vectors, by the Python client of examples/python, and against services that run."""
import hashlib
import json
import os
import unittest

import zmq

from support import PATIENCE_S, ROOT, Daemon

from ates import Broken, Chain, Cursor, Event, Gap, ProtocolError, Refused, wire  # noqa: E402 - support found it
from ates.client import read_reply
from ates.follower import envelope_hash

FOLDER = os.path.join(ROOT, 'tests', 'vectors')
FILES = {'chains.json', 'events.json', 'meta.json', 'msgpack.json', 'replies.json', 'requests.json'}


def vectors(name: str) -> list:
    with open(os.path.join(FOLDER, name), encoding='utf-8') as file:
        return json.load(file)['vectors']


def plain(value):
    """With bytes as the files have them."""
    if isinstance(value, bytes):
        return {'$bin': value.hex()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return {key: plain(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def from_plain(value):
    if isinstance(value, dict):
        return bytes.fromhex(value['$bin']) if set(value) == {'$bin'} else {key: from_plain(inner) for key, inner in value.items()}
    return [from_plain(inner) for inner in value] if isinstance(value, list) else value


def exact(value) -> str:
    """As text, in which true is not 1, nor are keys in any order."""
    return json.dumps(plain(value), sort_keys=True)


class Vectors(unittest.TestCase):
    def each(self, name: str, look, *keys):
        """Looks at every vector of the file, which has these keys at most and no others: none is passed over unseen."""
        found = vectors(name)
        self.assertGreater(len(found), 0)
        for vector in found:
            with self.subTest(file=name, vector=vector['name']):
                self.assertLessEqual(set(vector), {'name', 'valid', *keys})
                look(vector)
        print(f'{name}: {len(found)} vectors', flush=True)


class Files(Vectors):
    """Those that need no service."""

    def test_files(self):
        self.assertEqual({name for name in os.listdir(FOLDER) if name.endswith('.json')}, FILES)

    def test_msgpack(self):
        self.each('msgpack.json', self.look_at_msgpack, 'hex', 'value', 'reason')

    def look_at_msgpack(self, vector: dict) -> None:
        data = bytes.fromhex(vector['hex'])
        if vector['valid']:
            self.assertEqual(exact(wire.decode(data)), exact(from_plain(vector['value'])))
            self.assertEqual(exact(wire.decode(wire.encode(wire.decode(data)))), exact(from_plain(vector['value'])))
        else:
            self.assertRaises(wire.WireError, wire.decode, data)

    def test_replies(self):
        self.each('replies.json', self.look_at_replies, 'hex', 'meaning', 'reason')

    def look_at_replies(self, vector: dict) -> None:
        frames = [bytes.fromhex(frame) for frame in vector['hex']]
        if not vector['valid']:
            self.assertRaises(ProtocolError, read_reply, frames)
            return
        meaning = vector['meaning']
        if meaning['status'] == 'OK':
            reply = read_reply(frames)
            self.assertEqual((reply.seq, reply.replayed, reply.request_id, exact(reply.result)),
                             (meaning['seq'], meaning.get('replayed', False), meaning.get('request_id'), exact(meaning['result'])))
        else:
            with self.assertRaises(Refused) as caught:
                read_reply(frames)
            found = {name: getattr(caught.exception, name) for name in ('reason', 'message', 'field', 'retry_after_ms')}
            self.assertEqual(caught.exception.status, meaning['status'])
            self.assertEqual({name: value for name, value in found.items() if value is not None}, meaning['refusal'])

    def test_events(self):
        self.each('events.json', self.look_at_events, 'hex', 'meaning', 'hash', 'reason')

    def look_at_events(self, vector: dict) -> None:
        data = bytes.fromhex(vector['hex'])
        if not vector['valid']:
            self.assertRaises(wire.WireError, Event.read, data)
            return
        event, meaning = Event.read(data), from_plain(vector['meaning'])
        self.assertEqual(exact(wire.decode(data)), exact(meaning))
        for name, value in vars(event).items():
            self.assertEqual(value, meaning.get(name), name)
        self.assertEqual(envelope_hash(data).hex(), vector['hash'])
        self.assertEqual(hashlib.blake2b(data, digest_size=32).hexdigest(), vector['hash'])

    def test_chains(self):
        self.each('chains.json', self.look_at_chains, 'cursor', 'steps')

    def look_at_chains(self, vector: dict) -> None:
        cursor = vector.get('cursor')
        chain = Chain('tasks', Cursor(cursor['log_id'], cursor['seq'], bytes.fromhex(cursor['hash'])) if cursor else Cursor())
        outcomes = []
        for step in vector['steps']:
            before = chain.cursor
            outcomes.append(self.outcome(chain, step))
            self.assertEqual(outcomes[-1], step['must'])
            self.assertEqual(chain.cursor.seq, step['seq'])
            if step['must'] in ('drop', 'read'):
                self.assertEqual(chain.cursor, before)
        self.assertEqual(outcomes[-1] != 'stop', vector['valid'])

    def outcome(self, chain: Chain, step: dict) -> str:
        try:
            if 'event' in step:
                return 'drop' if chain.event(bytes.fromhex(step['event'])) is None else 'take'
            if 'head' in step:
                chain.head(bytes.fromhex(step['head']))
                return 'drop'
            self.assertEqual(step['ask'], {'after_seq': chain.cursor.seq})
            if 'refused' in step['reply']:
                self.assertEqual(step['reply']['refused'], 'EVENTS_COMPACTED')
                return 'stop'  # the follower raises Compacted: the story looks at it
            result = wire.decode(bytes.fromhex(step['reply']['hex']))
            for event in chain.page(result):
                self.assertEqual(event.seq, chain.cursor.seq)
            return 'take'
        except Gap:
            return 'read'
        except Broken:
            return 'stop'


class Services(Vectors):
    """Those about commands, sent to services that run."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.daemon.start('all')
        cls.context = zmq.Context()
        cls.sockets = {}

    @classmethod
    def tearDownClass(cls):
        cls.context.destroy(linger=0)
        cls.daemon.close()

    def ask(self, service: str, frames: list) -> list:
        if service not in self.sockets:
            self.sockets[service] = self.context.socket(zmq.DEALER)
            self.sockets[service].connect(f'ipc://{self.daemon.run}/{service}.sock')
        socket = self.sockets[service]
        socket.send_multipart([b'', *frames])
        self.assertTrue(socket.poll(int(PATIENCE_S * 1000)), 'no reply')
        delimiter, *reply = socket.recv_multipart()
        self.assertEqual(delimiter, b'')
        return reply

    def compare(self, vector: dict, frames: list) -> None:
        reply = self.ask(vector['service'], frames)
        try:
            result = read_reply(reply)
            found = ('OK', None, None)
            self.assertEqual(result.request_id, vector.get('request_id'))
            self.assertLessEqual(vector.get('result', {}).items(), result.result.items())
        except Refused as refusal:
            self.assertTrue(refusal.message)
            found = (refusal.status, refusal.reason, refusal.field)
        self.assertEqual(found, (vector['status'], vector.get('reason'), vector.get('field')))

    def test_requests(self):
        self.each('requests.json', self.look_at_requests, 'service', 'hex', 'status', 'reason', 'field', 'result', 'meaning')

    def look_at_requests(self, vector: dict) -> None:
        frames = [bytes.fromhex(frame) for frame in vector['hex']]
        if 'meaning' in vector:
            meaning = vector['meaning']
            self.assertEqual(frames[1].decode(), meaning['command'])
            for frame, value in zip(frames[2:], (meaning['meta'], meaning['body'])):
                self.assertEqual(exact(wire.decode(frame)), exact(value))
                self.assertEqual(wire.encode(value), frame)
        self.compare(vector, frames)

    def test_meta(self):
        self.each('meta.json', self.look_at_meta, 'service', 'hex', 'status', 'reason', 'field', 'request_id', 'meaning')

    def look_at_meta(self, vector: dict) -> None:
        data = bytes.fromhex(vector['hex'])
        if 'meaning' in vector:
            self.assertEqual(wire.encode(vector['meaning']), data)
        self.compare(vector, [b'ATES/1', f'{vector["service"]}.health'.encode(), data, b'\x80'])


if __name__ == '__main__':
    unittest.main()
