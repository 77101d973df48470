"""A producer whose log was compacted, and is again while its snapshot is read: as no real one can be made to be in time."""
import os
import threading
from typing import Optional

import zmq

import support  # noqa: F401 - finds what comes next
from ates import wire
from ates.follower import envelope_hash

LOG_ID = '01890a5d-ac96-774b-bcce-b302099a8057'


def envelope(seq: int, prev: bytes) -> bytes:
    return wire.encode({'event_id': f'018bcfe5-687b-7fff-bfff-{seq:012x}', 'event_name': 'task_completed', 'event_version': 1,
                        'event_time': 1700000000000, 'producer': 'tasks', 'log_id': LOG_ID, 'seq': seq, 'prev': prev,
                        'data': {'task_id': seq, 'completed_by': 1}})


class FakeProducer:
    """Of six events, those up to base are gone. While cut_once is given, the snapshot becomes one up to it after a page."""

    def __init__(self, folder: str, base: int, cut_once: int):
        self.endpoint = f'ipc://{folder}/fake.sock'
        self.asked: list = []
        self._base, self._cut_once = base, cut_once
        self._hashes, self._events = [bytes(32)], []
        for seq in range(1, 7):
            self._events.append(envelope(seq, self._hashes[-1]))
            self._hashes.append(envelope_hash(self._events[-1]))
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._router.bind(self.endpoint)
        self._end = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        os.close(self._end[1])
        self._thread.join()
        self._router.close(linger=0)
        self._context.term()
        os.close(self._end[0])

    def _serve(self) -> None:
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._end[0], zmq.POLLIN)
        while True:
            ready = dict(poller.poll())
            if self._end[0] in ready:
                return
            frames = self._router.recv_multipart()
            answer = self._answer(frames[-3].decode(), wire.decode(frames[-1]))
            if answer is None:
                continue
            status, body = answer
            self._router.send_multipart([*frames[:-4], b'ATES/1', status, wire.encode({'seq': 6}), wire.encode(body)])

    def _answer(self, command: str, body: dict) -> Optional[tuple]:
        self.asked.append((command, body))
        if command == 'tasks.complete_task':  # no reply to the first one; then, by its id, a refusal
            if self.asked.count((command, body)) == 1:
                return None
            status, reason = {1: (b'UNAUTHENTICATED', 'TOKEN_REVOKED'), 2: (b'FAILED_PRECONDITION', 'ALREADY_FINISHED'),
                              3: (b'UNAUTHENTICATED', 'BAD_CREDENTIALS')}[body['task_id']]
            return status, {'reason': reason, 'message': 'as the test wants it'}
        if command == 'tasks.read_events' and self.asked.count((command, body)) == 1:  # it is busy the first time
            return b'RESOURCE_EXHAUSTED', {'reason': 'STORE_FULL', 'message': 'as the test wants it'}
        if command == 'tasks.read_events':
            after = body['after_seq']
            if after < self._base:
                return b'FAILED_PRECONDITION', {'reason': 'EVENTS_COMPACTED', 'message': 'they were cut off'}
            return b'OK', {'log_id': LOG_ID, 'head_seq': 6, 'events': self._events[after:]}
        page = {'log_id': LOG_ID, 'seq': self._base, 'hash': self._hashes[self._base],
                'items': [{'event_name': 'task_snapshot', 'event_version': 1,
                           'data': {'id': self._base, 'page': 2 if 'after' in body else 1}}]}
        if 'after' not in body:
            page['next'] = 'more'
            self._base, self._cut_once = self._cut_once or self._base, 0
        return b'OK', page
