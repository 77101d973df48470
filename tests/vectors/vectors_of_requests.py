"""Commands, and how services answer them."""
from bytes_of import head, pack, text

INVALID, MISSING = 'INVALID_ARGUMENT', ('UNAUTHENTICATED', 'TOKEN_MISSING', None)
TOP = 2**53 - 1


def answer(status, reason=None, field=None):
    return {'status': status} if status == 'OK' else {'status': status, 'reason': reason, 'field': field}


def request(name, command, body, *expected, meta=b'\x80', version=b'ATES/1', service=None, **more):
    frames = [version, command.encode(), meta, body if isinstance(body, bytes) else pack(body)]
    is_valid = expected[0] not in (INVALID, 'UNIMPLEMENTED')
    vector = {'name': name, 'service': service or command.partition('.')[0], 'hex': [frame.hex() for frame in frames],
              'valid': is_valid, **answer(*expected), **more}
    if is_valid and not isinstance(body, bytes):
        vector['meaning'] = {'command': command, 'meta': {}, 'body': body}
    return vector


def requests():
    yield request('nobody is needed to ask for health', 'tasks.health', {}, 'OK', result={'status': 'serving'})
    yield from frames()
    yield from bodies()
    yield from values()
    yield from people()


def frames():
    good = request('', 'tasks.health', {}, 'OK')['hex']
    for name, taken in (('no frame', []), ('one frame', good[:1]), ('three frames', good[:3]), ('five frames', good + ['80'])):
        yield {'name': name, 'service': 'tasks', 'hex': taken, 'valid': False, **answer(INVALID, 'FRAMES_INVALID')}
    for version in (b'', b'ATES/2', b'ates/1', b'ATES/1 ', b'ATES/1\0'):
        yield request(f'version {version!r}', 'tasks.health', {}, 'UNIMPLEMENTED', 'VERSION_UNSUPPORTED', version=version)
    for command in ('', 'tasks', 'tasks.', 'tasks.sing', 'tasks.health\0', 'Tasks.health', 'health', 'auth.health', 'tasks.task.health'):
        yield request(f'command {command!r}', command, {}, 'UNIMPLEMENTED', 'COMMAND_UNKNOWN', service='tasks')
    yield request('the version is looked at before the command', 'tasks.sing', {}, 'UNIMPLEMENTED', 'VERSION_UNSUPPORTED', version=b'ATES/9')
    yield request('the command is looked at before meta', 'tasks.sing', b'', 'UNIMPLEMENTED', 'COMMAND_UNKNOWN', meta=b'')
    yield request('meta is looked at before the body', 'tasks.create_task', b'', INVALID, 'BODY_INVALID', 'meta', meta=b'')
    yield request('the body is looked at before the token', 'tasks.create_task', {}, INVALID, 'FIELD_MISSING', 'name',
                  meta=pack({'token': 'none'}))
    yield request('a token that is none', 'tasks.create_task', pack({'name': 'a', 'description': ''}), 'UNAUTHENTICATED',
                  'TOKEN_INVALID', None, meta=pack({'token': 'v4.public.none'}))


def bodies():
    for name, body in (('is empty', b''), ('is a list', b'\x90'), ('is nil', b'\xc0'), ('is a text', text('{}')), ('is JSON', b'{}'),
                       ('goes on behind the map', pack({'task_id': 1}) + b'\xc0'), ('is cut off', b'\x81\xa7task_id'),
                       ('is a map of 2^32-1', b'\xdf\xff\xff\xff\xff'), ('has a key that is a number', b'\x81\x01\x01')):
        yield request(f'a body that {name}', 'tasks.complete_task', body, INVALID, 'BODY_INVALID')
    yield request('a field twice', 'tasks.complete_task', b'\x82' + (text('task_id') + b'\x01') * 2, INVALID, 'FIELD_DUPLICATE', 'task_id')
    yield request('a field that is none', 'tasks.complete_task', {'task_id': 1, 'taskid': 1}, INVALID, 'FIELD_UNKNOWN', 'taskid')
    yield request('a field in a body that has none', 'tasks.health', {'verbose': True}, INVALID, 'FIELD_UNKNOWN', 'verbose')
    yield request('a missing field', 'tasks.complete_task', {}, INVALID, 'FIELD_MISSING', 'task_id')
    yield request('a map and numbers longer than need be', 'tasks.complete_task',
                  b'\xdf\x00\x00\x00\x01' + head(0xdb, 4, 7) + b'task_id' + head(0xcf, 8, 1), *MISSING)
    for name, value in (('nil', None), ('0', 0), ('-1', -1), ('a text', '1'), ('true', True), ('bytes', b'\x01'), ('a list', [1]), ('a map', {})):
        yield request(f'an id that is {name}', 'tasks.complete_task', {'task_id': value}, INVALID, 'FIELD_INVALID', 'task_id')
    for name, value in (('2^53', head(0xcf, 8, TOP + 1)), ('2^64-1', head(0xcf, 8, 2**64 - 1)), ('1.0', bytes.fromhex('ca3f800000'))):
        yield request(f'an id that is {name}', 'tasks.complete_task', b'\x81' + text('task_id') + value, INVALID, 'FIELD_INVALID', 'task_id')
    yield request('the largest id', 'tasks.complete_task', {'task_id': TOP}, *MISSING)


def values():
    def task(name, description=''):
        return {'name': name, 'description': description}

    yield request('a task', 'tasks.create_task', task('Feed the parrots'), *MISSING)
    yield request('its fields in another order', 'tasks.create_task', {'description': '', 'name': 'Feed'}, *MISSING)
    yield request('a name of 200 characters', 'tasks.create_task', task('щ' * 200), *MISSING)
    yield request('a description of 10000 characters, newlines and tabs', 'tasks.create_task', task('a', '\n\t' + 'b' * 9998), *MISSING)
    for name, value in (('empty', ''), ('of 201 characters', 'a' * 201), ('with a control character', 'a\x07'), ('with a zero', 'a\0'),
                        ('that is a number', 7), ('that is bytes', b'name')):
        yield request(f'a name {name}', 'tasks.create_task', task(value), INVALID, 'FIELD_INVALID', 'name')
    yield request('a name that is not UTF-8', 'tasks.create_task', b'\x82' + text('name') + text(b'\xff') + text('description') + b'\xa0',
                  INVALID, 'FIELD_INVALID', 'name')
    yield request('a description of 10001 characters', 'tasks.create_task', task('a', 'b' * 10001), INVALID, 'FIELD_INVALID', 'description')
    mine = 'tasks.show_my_assigned_tasks'
    yield request('a list with all that may be asked', mine, {'status': 'all', 'query': 'feed', 'newest_first': True, 'after': '1', 'limit': 1000}, *MISSING)
    yield request('a list with nothing asked', mine, {}, *MISSING)
    for field, value in (('status', 'OPEN'), ('status', 0), ('limit', 0), ('limit', 1001), ('newest_first', 1), ('query', ''), ('query', 'q' * 201), ('after', '')):
        yield request(f'a list with {field} {str(value)[:9]!r}', mine, {field: value}, INVALID, 'FIELD_INVALID', field)
    logins = 'auth.show_logins'
    yield request('a list of ids', logins, {'user_ids': list(range(1, 101))}, *MISSING)
    yield request('an empty list of ids', logins, {'user_ids': []}, INVALID, 'FIELD_INVALID', 'user_ids')
    yield request('101 ids', logins, {'user_ids': [1] * 101}, INVALID, 'FIELD_INVALID', 'user_ids')
    yield request('an id in a list is at fault', logins, {'user_ids': [1, 2, -1]}, INVALID, 'FIELD_INVALID', 'user_ids[2]')
    yield request('a text in a list of ids', logins, {'user_ids': [1, 'a']}, INVALID, 'FIELD_INVALID', 'user_ids[1]')
    income = 'accounting.show_income'
    yield request('the 29th of February of a leap year', income, {'from_date': '2024-02-29'}, *MISSING)
    for date in ('2023-02-29', '2024-13-01', '2024-1-01', '2024-01-01T', '', '1969-12-31'):
        yield request(f'a date {date!r}', income, {'from_date': date}, INVALID, 'FIELD_INVALID', 'from_date')
    yield request('events after the first', 'accounting.read_events', {'after_seq': 1, 'limit': 1000}, *MISSING)
    yield request('events without a place', 'accounting.read_events', {'limit': 1}, INVALID, 'FIELD_MISSING', 'after_seq')
    yield request('more events than may be asked', 'accounting.read_events', {'after_seq': 0, 'limit': 1001}, INVALID, 'FIELD_INVALID', 'limit')


def people():
    def user(**changes):
        return {'login': 'ara', 'email': 'ara@uberpopug.example', 'password': 'parrot-orbit-7', 'role': 'developer', **changes}

    name = 'auth.register_user'
    yield request('a role that is not open', name, user(role='accountant'), 'PERMISSION_DENIED', 'ROLE_NOT_ALLOWED', 'role')
    for field, value in (('login', ''), ('login', 'a b'), ('login', 'ара'), ('login', 'a' * 65), ('email', 'ara'), ('email', 'a@@b'), ('email', 'a@b\n'),
                         ('password', 'seven77'), ('password', 'p' * 257), ('role', 'king'), ('role', 'Developer')):
        yield request(f'{field} {value[:9]!r}', name, user(**{field: value}), INVALID, 'FIELD_INVALID', field)
    yield request('a login that nobody has', 'auth.auth_user', {'login': 'nobody', 'password': 'parrot-orbit-7'}, 'UNAUTHENTICATED', 'BAD_CREDENTIALS')


def meta(name, data, *expected, **more):
    value = None if isinstance(data, bytes) else data
    data = data if isinstance(data, bytes) else pack(data)
    is_valid = expected[0] != INVALID
    vector = {'name': name, 'service': 'tasks', 'hex': data.hex(), 'valid': is_valid, **answer(*expected), **more}
    return {**vector, 'meaning': value} if is_valid and value is not None else vector


def metas():
    trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    yield meta('empty', {}, 'OK')
    yield meta('all but a token', {'request_id': 'r', 'timeout_ms': 5000, 'traceparent': trace, 'client': '192.0.2.7'}, 'OK', request_id='r')
    yield meta('a request_id of 64 characters', {'request_id': ' ~' * 32}, 'OK', request_id=' ~' * 32)
    yield meta('a traceparent that is none is ignored', {'traceparent': 'yesterday'}, 'OK')
    yield meta('a timeout of 0', {'timeout_ms': 0}, 'OK')
    yield meta('a token is checked where none is needed', {'token': 'v4.public.none'}, 'UNAUTHENTICATED', 'TOKEN_INVALID')
    for field, values in (('request_id', ('', 'a' * 65, 'a\n', 'щ', 1, None, b'a')), ('timeout_ms', (-1, '1', True)),
                          ('client', ('', 'a' * 65, '\t', 1)), ('token', (1, b'v4')), ('traceparent', (1, 'щ'))):
        for value in values:
            yield meta(f'{field} {str(value)[:9]!r}', {field: value}, INVALID, 'FIELD_INVALID', f'meta.{field}')
    yield meta('timeout_ms 1.0', b'\x81' + text('timeout_ms') + bytes.fromhex('ca3f800000'), INVALID, 'FIELD_INVALID', 'meta.timeout_ms')
    yield meta('a key that is none', {'requestid': 'r'}, INVALID, 'FIELD_UNKNOWN', 'meta.requestid')
    yield meta('a key twice', b'\x82' + (text('client') + text('c')) * 2, INVALID, 'FIELD_DUPLICATE', 'meta.client')
    for name, data in (('no bytes', b''), ('a list', b'\x90'), ('nil', b'\xc0'), ('a byte behind the map', b'\x80\xc0'), ('cut off', b'\x81'),
                       ('a key that is bytes', b'\x81\xc4\x01k\x01')):
        yield meta(name, data, INVALID, 'BODY_INVALID', 'meta')
