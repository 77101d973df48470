"""Commands: PROTOCOL.md section 2. A client belongs to one thread."""
import time
import uuid
from dataclasses import dataclass, fields
from typing import Iterator, Optional

import zmq
import zmq.auth

from . import wire

PROTOCOL = b'ATES/1'
FIRST_ATTEMPT_S = 1.0  # each later one may take twice as long
RENEW_BEFORE_S = 60
STATUSES = frozenset(b'OK INVALID_ARGUMENT UNAUTHENTICATED PERMISSION_DENIED NOT_FOUND ALREADY_EXISTS FAILED_PRECONDITION '
                     b'RESOURCE_EXHAUSTED DEADLINE_EXCEEDED UNAVAILABLE UNIMPLEMENTED INTERNAL DATA_LOSS'.split())


class ProtocolError(Exception):
    """What came is no reply: the other side speaks something else."""


class NoReply(Exception):
    """Whether the command had its effect is unknown. Call again with request_id, and it has it once."""

    def __init__(self, name: str, request_id: str):
        super().__init__(f'{name}: no reply; request_id {request_id}')
        self.request_id = request_id


class Refused(Exception):
    """The service said no: status and reason are PROTOCOL.md section 4's, field names what is at fault."""

    def __init__(self, status: str, reason: str, message: str, field: Optional[str] = None,
                 retry_after_ms: Optional[int] = None):
        super().__init__(f'{status} / {reason}: {message}')
        self.status, self.reason, self.message = status, reason, message
        self.field, self.retry_after_ms = field, retry_after_ms


def is_of_one_send(refusal: Refused) -> bool:
    """Whether it came before the service looked what became of an earlier send: it says nothing of that. The two reasons
    are the commands' own."""
    return (refusal.status == 'UNAUTHENTICATED' or refusal.reason == 'ROLE_NOT_ALLOWED') \
        and refusal.reason not in ('BAD_CREDENTIALS', 'SESSION_EXPIRED')


@dataclass(frozen=True)
class Reply:
    result: dict
    seq: int  # of the service's log that this reply reflects
    replayed: bool = False  # the reply to an earlier call with this request_id
    request_id: Optional[str] = None


@dataclass(frozen=True)
class Task:
    id: int
    name: str
    description: str
    assigned_to: int
    created_by: int
    is_finished: bool
    created_at: int  # Unix ms
    finished_at: Optional[int] = None


@dataclass(frozen=True)
class Balance:
    user_id: int
    balance_cents: int
    today_cents: int


@dataclass(frozen=True)
class Transfer:
    id: int
    timestamp: int  # Unix ms
    user_id: int
    kind: str  # assign_fee, completion_reward or payout
    delta_cents: int
    balance_cents: int  # after it
    business_date: str
    description: str
    task_id: Optional[int] = None


@dataclass(frozen=True)
class Curve:
    """Keys for TCP, as 40 characters of Z85 each: the server's public one, and the client's own pair."""
    server_key: bytes
    public_key: bytes
    secret_key: bytes

    @classmethod
    def from_files(cls, server_file: str, own_file: str) -> 'Curve':
        """From certificate files as CZMQ's zcert writes them; own_file is the one with the secret key."""
        server_key, _ = zmq.auth.load_certificate(server_file)
        public_key, secret_key = zmq.auth.load_certificate(own_file)
        if secret_key is None:
            raise ValueError(f'{own_file} has no secret key')
        return cls(server_key, public_key, secret_key)


def known(kind, data: dict):
    """data as a dataclass: fields that it does not know are of a newer service, and left out."""
    return kind(**{field.name: data[field.name] for field in fields(kind) if field.name in data})


def read_reply(frames: list) -> Reply:
    """The reply in a message's last four frames. Raises Refused or ProtocolError."""
    if len(frames) != 4 or frames[0] != PROTOCOL or frames[1] not in STATUSES:
        raise ProtocolError('not a reply of ATES/1')
    try:
        meta, body = wire.decode(frames[2]), wire.decode(frames[3])
    except wire.WireError as error:
        raise ProtocolError(str(error)) from error
    if not isinstance(meta, dict) or not isinstance(body, dict) or not _is_count(meta.get('seq')) \
            or not isinstance(meta.get('replayed', False), bool) or not isinstance(meta.get('request_id', ''), str):
        raise ProtocolError('a frame is not what a reply has in its place')
    if frames[1] == b'OK':
        return Reply(body, meta['seq'], meta.get('replayed', False), meta.get('request_id'))
    if not all(isinstance(body.get(name), str) for name in ('reason', 'message')) \
            or not isinstance(body.get('field', ''), str) or not _is_count(body.get('retry_after_ms', 0)):
        raise ProtocolError('a refusal without its reason')
    raise Refused(frames[1].decode(), body['reason'], body['message'], body.get('field'), body.get('retry_after_ms'))


def _is_count(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


class Client:
    """Calls the services below run_dir, or at endpoints (by service; 'events' is the broker's), then with curve."""

    def __init__(self, run_dir: Optional[str] = None, endpoints: Optional[dict] = None, curve: Optional[Curve] = None,
                 timeout_s: float = 5.0):
        self._run_dir, self._endpoints, self._curve = run_dir, endpoints or {}, curve
        self._context = zmq.Context()
        self._sockets: dict = {}
        self._calls = 0
        self.timeout_s = timeout_s
        self.token: Optional[str] = None
        self.token_expires_at = 0  # Unix ms

    def __enter__(self) -> 'Client':
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self._context.destroy(linger=0)

    def connect(self, kind: int, name: str) -> zmq.Socket:
        """A socket to a service, or to 'events'. It is the caller's to close."""
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, wire.FRAME_MAX)
        if self._curve:
            socket.curve_serverkey = self._curve.server_key
            socket.curve_publickey = self._curve.public_key
            socket.curve_secretkey = self._curve.secret_key
        socket.connect(self._endpoints.get(name) or f'ipc://{self._run_dir}/{name}.sock')
        return socket

    def call(self, name: str, body: Optional[dict] = None, request_id: Optional[str] = None,
             timeout_s: Optional[float] = None) -> Reply:
        """Calls SERVICE.COMMAND and waits. Where no reply comes, or one that says when to ask again, it asks again
        with the same request id, so that the command has its effect once. Raises Refused, NoReply, ProtocolError."""
        request_id = request_id or str(uuid.uuid4())
        timeout_s = timeout_s or self.timeout_s
        deadline = time.monotonic() + timeout_s
        self._renew_in_time()
        is_renewed, is_unknown, attempt_s = False, False, FIRST_ATTEMPT_S
        while True:
            patience_s, attempt_s = min(attempt_s, deadline - time.monotonic()), 2 * attempt_s
            if patience_s <= 0:
                raise NoReply(name, request_id)
            try:
                frames = self._attempt(name, body or {}, request_id, patience_s)
                if frames is not None:
                    return read_reply(frames)
                is_unknown = True
            except Refused as refusal:
                pause_s = (refusal.retry_after_ms or 0) / 1000
                if refusal.reason == 'TOKEN_EXPIRED' and name != 'auth.renew_token' and not is_renewed:
                    self.renew_token()
                    is_renewed = True
                elif refusal.retry_after_ms is not None and time.monotonic() + pause_s < deadline:
                    time.sleep(pause_s)
                elif is_unknown and is_of_one_send(refusal):
                    raise NoReply(name, request_id) from refusal
                else:
                    raise

    def _renew_in_time(self) -> None:
        if self.token and self.token_expires_at / 1000 - time.time() < RENEW_BEFORE_S:
            try:
                self.renew_token()
            except NoReply:
                pass  # the token may do a while longer

    def _attempt(self, name: str, body: dict, request_id: str, patience_s: float) -> Optional[list]:
        service = name.partition('.')[0]
        socket = self._sockets.get(service) or self.connect(zmq.DEALER, service)
        self._sockets[service] = socket
        self._calls += 1
        tag = self._calls.to_bytes(8, 'big')  # comes back before the reply: that of another attempt is not taken for it
        meta: dict = {'request_id': request_id, 'timeout_ms': max(1, int(patience_s * 1000))}
        if self.token:
            meta['token'] = self.token
        end = time.monotonic() + patience_s
        if socket.poll(int(patience_s * 1000), zmq.POLLOUT):
            socket.send_multipart([tag, b'', PROTOCOL, name.encode(), wire.encode(meta), wire.encode(body)])
            while socket.poll(max(0, int((end - time.monotonic()) * 1000))):
                frames = socket.recv_multipart()
                if frames[:2] == [tag, b'']:
                    return frames[2:]
        self._sockets.pop(service).close()  # the next attempt connects anew
        return None

    def renew_token(self) -> None:
        # Set first, so that the call itself does not come here; a token that is over serves to renew it.
        self.token_expires_at = int((time.time() + 2 * RENEW_BEFORE_S) * 1000)
        result = self.call('auth.renew_token').result
        self.token, self.token_expires_at = result['token'], result['expires_at']

    # The commands that these examples use; call() takes every other.

    def sign_in(self, login: str, password: str) -> int:
        """The user's id; calls are this user's from now on."""
        self.token = None
        result = self.call('auth.auth_user', {'login': login, 'password': password}).result
        self.token, self.token_expires_at = result['token'], result['expires_at']
        return result['user']['id']

    def register_user(self, login: str, email: str, password: str, role: str) -> int:
        body = {'login': login, 'email': email, 'password': password, 'role': role}
        return self.call('auth.register_user', body).result['user_id']

    def logins(self, user_ids: list) -> dict:
        """Logins by id, of any number of users."""
        found = {}
        for first in range(0, len(user_ids), 100):
            items = self.call('auth.show_logins', {'user_ids': user_ids[first:first + 100]}).result['items']
            found.update((item['id'], item['login']) for item in items)
        return found

    def create_task(self, name: str, description: str = '', request_id: Optional[str] = None) -> Task:
        body = {'name': name, 'description': description}
        return known(Task, self.call('tasks.create_task', body, request_id).result['task'])

    def complete_task(self, task_id: int, request_id: Optional[str] = None) -> Task:
        return known(Task, self.call('tasks.complete_task', {'task_id': task_id}, request_id).result['task'])

    def balance(self, user_id: Optional[int] = None) -> Balance:
        body = {} if user_id is None else {'user_id': user_id}
        return known(Balance, self.call('accounting.show_balance', body).result)

    def transfers(self, **filters) -> Iterator[Transfer]:
        """Everybody's, for accountants: filters are those of accounting.show_all_account_transfers."""
        return (known(Transfer, item) for item in self.items('accounting.show_all_account_transfers', **filters))

    def items(self, name: str, **body) -> Iterator[dict]:
        """The items of a list, page after page."""
        while True:
            page = self.call(name, body).result
            yield from page['items']
            if 'next' not in page:
                return
            body['after'] = page['next']
