#!/usr/bin/env python3
"""Writes the files of vectors beside it, or with --check compares them. What is expected is said here by hand, from
PROTOCOL.md alone: no implementation is asked. The bytes are always the same."""
import hashlib
import json
import os
import sys

from bytes_of import binary, head, pack, text
from vectors_of_chains import chains
from vectors_of_requests import metas, requests

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = 2**53 - 1


def nested(depth, inner=b'\xc0'):
    return b'\x91' * depth + inner


def nested_maps(depth, inner=b'\xc0'):
    return b'\x81\xa1k' * depth + inner


def taken(name, data, value):
    return {'name': name, 'hex': data.hex(), 'valid': True, 'value': value}


def refused(name, data, reason):
    return {'name': name, 'hex': data.hex(), 'valid': False, 'reason': reason}


def msgpack():
    for number in (0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, TOP, -1, -32, -33, -128, -129, -32768, -32769,
                   -2**31, -2**31 - 1, -TOP):
        yield taken(f'integer {number}', pack(number), number)
    for kind, width in ((0xcc, 1), (0xcd, 2), (0xce, 4), (0xcf, 8), (0xd0, 1), (0xd1, 2), (0xd2, 4), (0xd3, 8)):
        yield taken(f'1 in {width} bytes, {kind:02x}: longer than need be is fine', head(kind, width, 1), 1)
    yield taken('-1 in 8 bytes', head(0xd3, 8, -1), -1)
    yield refused('2^53', head(0xcf, 8, TOP + 1), 'beyond 2^53-1')
    yield refused('-2^53', head(0xd3, 8, -TOP - 1), 'beyond 2^53-1')
    yield refused('2^64-1', head(0xcf, 8, 2**64 - 1), 'beyond 2^53-1')
    yield refused('-2^63', head(0xd3, 8, -2**63), 'beyond 2^53-1')
    yield from ((taken(word, data, value)) for word, data, value in (
        ('nil', b'\xc0', None), ('false', b'\xc2', False), ('true', b'\xc3', True)))
    yield refused('a float of 32 bits', bytes.fromhex('ca3f800000'), 'no floating-point numbers, 1.0 neither')
    yield refused('a float of 64 bits', bytes.fromhex('cb3ff8000000000000'), 'no floating-point numbers')
    yield refused('a float that is no number', bytes.fromhex('cb7ff8000000000000'), 'no floating-point numbers')
    yield refused('the byte that msgpack never uses', b'\xc1', 'not msgpack')
    for word, data in (('of 1 byte', 'd40100'), ('of 2 bytes', 'd5010000'), ('of 16 bytes', 'd801' + '00' * 16),
                       ('of any size', 'c70301000000'), ('of any size, empty', 'c70001'), ('a timestamp of 32 bits', 'd6ff00000000'),
                       ('a timestamp of 64 bits', 'd7ff' + '00' * 8), ('a timestamp of 96 bits', 'c70cff' + '00' * 12)):
        yield refused(f'an extension {word}', bytes.fromhex(data), 'no extension types')
    yield from texts()
    yield from containers()
    yield from cut()


def texts():
    for word, value in (('empty', ''), ('of 1 byte', 'a'), ('of 31 bytes', 'b' * 31), ('of 32', 'b' * 32), ('of 255', 'b' * 255),
                        ('of 256', 'b' * 256), ('in Cyrillic', 'Попуг'), ('with a parrot', '🦜'),
                        ('with a zero', 'a\0b'), ('that begins with U+FEFF', '\ufeffa'),
                        ('of 301 characters that begins with U+FEFF', '\ufeff' + 'a' * 300), ('with U+FFFD', '\ufffd'),
                        ('with U+10FFFF', '\U0010ffff'), ('with U+FFFF', '\uffff')):
        yield taken(f'a text {word}', text(value), value)
    for kind, width in ((0xd9, 1), (0xda, 2), (0xdb, 4)):
        yield taken(f'a text whose length takes {width} bytes', head(kind, width, 1) + b'a', 'a')
    for word, data in (('ff', 'ff'), ('a longer form than need be', 'c080'), ('a surrogate', 'eda080'),
                       ('a pair of surrogates', 'eda081edb080'), ('above U+10FFFF', 'f4908080'), ('cut off', 'e282'),
                       ('a continuation by itself', '80')):
        yield refused(f'a text that is not UTF-8: {word}', text(bytes.fromhex(data)), 'not UTF-8')
    yield refused('a long text that is not UTF-8', text(b'a' * 300 + b'\xff'), 'not UTF-8')
    for size in (0, 1, 32, 255, 256):
        yield taken(f'{size} bytes', binary(bytes(size)), {'$bin': '00' * size})
    yield taken('bytes that are no UTF-8', binary(b'\xff\xfe'), {'$bin': 'fffe'})
    yield taken('bytes whose length takes 4 bytes', head(0xc6, 4, 1) + b'\x07', {'$bin': '07'})


def containers():
    yield taken('an empty list', b'\x90', [])
    yield taken('a list', pack([1, 'a', None, [True]]), [1, 'a', None, [True]])
    yield taken('a list of 16', pack(list(range(16))), list(range(16)))
    yield taken('a list whose count takes 2 bytes', b'\xdc\x00\x01\x05', [5])
    yield taken('a list whose count takes 4 bytes', b'\xdd\x00\x00\x00\x01\x05', [5])
    yield taken('an empty map', b'\x80', {})
    yield taken('a map', pack({'b': 1, 'a': {'c': []}}), {'b': 1, 'a': {'c': []}})
    yield taken('a map of 17', pack({f'k{i}': i for i in range(17)}), {f'k{i}': i for i in range(17)})
    yield taken('a map whose count takes 2 bytes', b'\xde\x00\x01\xa1k\x05', {'k': 5})
    yield taken('a map whose count takes 4 bytes', b'\xdf\x00\x00\x00\x01\xa1k\x05', {'k': 5})
    yield taken('a map with an empty key', b'\x81\xa0\x01', {'': 1})
    yield taken('keys are compared as bytes', pack({'é': 1, 'e\u0301': 2}), {'é': 1, 'e\u0301': 2})
    yield taken('a key that means something to JavaScript', pack({'__proto__': 1, 'constructor': 2}), {'__proto__': 1, 'constructor': 2})
    yield taken('8 lists within each other', nested(8), [[[[[[[[None]]]]]]]])
    yield taken('8 maps within each other', nested_maps(8), json.loads('{"k":' * 8 + 'null' + '}' * 8))
    yield taken('8 deep twice', b'\x92' + nested(7) * 2, [[[[[[[[None]]]]]]], [[[[[[[None]]]]]]]])
    yield refused('9 lists within each other', nested(9), 'nested more than 8 deep')
    yield refused('9 maps within each other', nested_maps(9), 'nested more than 8 deep')
    yield refused('an empty map within 8 lists', nested(8, b'\x80'), 'nested more than 8 deep')
    yield refused('a thousand lists within each other', nested(1000), 'nested more than 8 deep')
    yield refused('a key twice', b'\x82\xa1k\x01\xa1k\x01', 'a key twice')
    yield refused('a key twice, once with a longer head', b'\x82\xa1k\x01\xd9\x01k\x02', 'a key twice')
    yield refused('a key twice, far apart', b'\xde\x00\x15' + b''.join(text(f'k{i % 20}') + b'\x01' for i in range(21)), 'a key twice')
    yield refused('a key twice in an inner map', b'\x91\x82\xa0\x01\xa0\x02', 'a key twice')
    for word, key in (('an integer', b'\x01'), ('nil', b'\xc0'), ('bytes', b'\xc4\x01k'), ('a boolean', b'\xc3'), ('a list', b'\x90')):
        yield refused(f'a key that is {word}', b'\x81' + key + b'\x01', 'keys are texts')
    yield refused('a key that is not UTF-8', b'\x81\xa1\xff\x01', 'not UTF-8')


def cut():
    yield refused('nothing', b'', 'ends in the middle')
    for word, data in (('an integer', 'cd01'), ('a text', 'a2'), ("a text's length", 'da00'), ('bytes', 'c40200'), ('a list', '9201'),
                       ('a map', '82a16b01'), ('a map after its key', '81a16b'),
                       ('a list of 2^32-1', 'ddffffffff'), ('a map of 2^32-1', 'dfffffffff'), ('a text of 2^32-1', 'dbffffffff61'),
                       ('bytes of 2^32-1', 'c6ffffffff00'), ('lists of 2^32-1 within each other', 'ddffffffff' * 5)):
        yield refused(f'{word}, cut off', bytes.fromhex(data), 'ends in the middle')
    yield refused('a byte after the value', b'\x80\x00', 'trailing bytes')
    yield refused('two values', b'\x80\x80', 'trailing bytes')


def reply(name, status, meta, body, meaning=None, reason=None, version=b'ATES/1', more=()):
    frames = [version, status, meta if isinstance(meta, bytes) else pack(meta), body if isinstance(body, bytes) else pack(body), *more]
    vector = {'name': name, 'hex': [frame.hex() for frame in frames], 'valid': meaning is not None}
    return {**vector, **({'meaning': meaning} if meaning is not None else {'reason': reason})}


def replies():
    refusal = {'reason': 'NOT_ASSIGNEE', 'message': 'somebody else has it'}
    yield reply('a result', b'OK', {'seq': 7}, {'task_id': 3}, {'status': 'OK', 'seq': 7, 'result': {'task_id': 3}})
    yield reply('an empty result', b'OK', {'seq': 0}, {}, {'status': 'OK', 'seq': 0, 'result': {}})
    yield reply('a stored reply', b'OK', {'seq': 9, 'replayed': True, 'request_id': 'r-1'}, {'a': [1]},
                {'status': 'OK', 'seq': 9, 'replayed': True, 'request_id': 'r-1', 'result': {'a': [1]}})
    yield reply('the largest seq', b'OK', {'seq': TOP}, {}, {'status': 'OK', 'seq': TOP, 'result': {}})
    yield reply('what is new in meta is ignored', b'OK', {'seq': 1, 'news': {'x': 1}}, {}, {'status': 'OK', 'seq': 1, 'result': {}})
    yield reply('what is new in a result stays', b'OK', {'seq': 1}, {'news': 'x'}, {'status': 'OK', 'seq': 1, 'result': {'news': 'x'}})
    yield reply('longer encodings than need be', b'OK', b'\xdf\x00\x00\x00\x01\xd9\x03seq\xcf' + (5).to_bytes(8, 'big'), b'\xde\x00\x00',
                {'status': 'OK', 'seq': 5, 'result': {}})
    for status in ('INVALID_ARGUMENT', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND', 'ALREADY_EXISTS', 'FAILED_PRECONDITION',
                   'RESOURCE_EXHAUSTED', 'DEADLINE_EXCEEDED', 'UNAVAILABLE', 'UNIMPLEMENTED', 'INTERNAL', 'DATA_LOSS'):
        yield reply(f'a refusal: {status}', status.encode(), {'seq': 1}, refusal, {'status': status, 'seq': 1, 'refusal': refusal})
    for name, more in (('that names a field', {'field': 'items[3].name'}), ('that says when to ask again', {'retry_after_ms': 1000}),
                       ('with something new', {'news': 1})):
        meaning = {**refusal, **more}
        meaning.pop('news', None)
        yield reply(f'a refusal {name}', b'RESOURCE_EXHAUSTED', {'seq': 1}, {**refusal, **more},
                    {'status': 'RESOURCE_EXHAUSTED', 'seq': 1, 'refusal': meaning})
    yield reply('another version', b'OK', {'seq': 1}, {}, reason='version', version=b'ATES/2')
    yield reply('no version', b'OK', {'seq': 1}, {}, reason='version', version=b'')
    for status in (b'FINE', b'', b'ok', b'OK\0', b'NOT_FOUND '):
        yield reply(f'a status that is none: {status!r}', status, {'seq': 1}, {**refusal}, reason='status')
    yield reply('five frames', b'OK', {'seq': 1}, {}, reason='frames', more=[b''])
    short = reply('three frames', b'OK', {'seq': 1}, {}, reason='frames')
    short['hex'].pop()
    yield short
    for name, meta in (('is empty', b''), ('is a list', [1]), ('has no seq', {}), ('has a seq below 0', {'seq': -1}),
                       ('has a text as seq', {'seq': '1'}), ('has a boolean as seq', {'seq': True}), ('has a float as seq', b'\x81\xa3seq\xca\x00\x00\x00\x00'),
                       ('has a number as replayed', {'seq': 1, 'replayed': 1}), ('has a number as request_id', {'seq': 1, 'request_id': 1}),
                       ('goes on behind the map', pack({'seq': 1}) + b'\xc0'), ('has a key twice', b'\x82\xa3seq\x01\xa3seq\x01')):
        yield reply(f'meta {name}', b'OK', meta, {}, reason='meta')
    for name, body in (('is empty', b''), ('is a list', [1]), ('is nil', b'\xc0'), ('goes on behind the map', b'\x80\x80'),
                       ('has a float', b'\x81\xa1a\xca\x00\x00\x00\x00'), ('has a key twice', b'\x82\xa1a\x01\xa1a\x01'),
                       ('is nested 9 deep', nested_maps(9))):
        yield reply(f'a result that {name}', b'OK', {'seq': 1}, body, reason='body')
    for name, body in (('without reason', {'message': 'm'}), ('without message', {'reason': 'R'}), ('whose reason is a number', {'reason': 1, 'message': 'm'}),
                       ('whose field is bytes', {**refusal, 'field': b'f'}), ('that asks to retry before it was said', {**refusal, 'retry_after_ms': -1}),
                       ('that is a list', [])):
        yield reply(f'a refusal {name}', b'NOT_FOUND', {'seq': 1}, body, reason='body')


ENVELOPE = {'event_id': '018bcfe5-687b-7fff-bfff-ffffffffffff', 'event_name': 'task_completed', 'event_version': 1,
            'event_time': 1700000000000, 'producer': 'tasks', 'log_id': '01890a5d-ac96-774b-bcce-b302099a8057', 'seq': 1,
            'prev': bytes(32), 'data': {'task_id': 12, 'completed_by': 3}}


def event(name, changes, is_valid=True, drop=None, data=None, reason=None):
    envelope = {**ENVELOPE, **changes}
    envelope.pop(drop, None)
    data = data or pack(envelope)
    vector = {'name': name, 'hex': data.hex(), 'valid': is_valid}
    if not is_valid:
        return {**vector, 'reason': reason or 'no envelope'}
    meaning = {**envelope, 'prev': {'$bin': envelope['prev'].hex()}}
    return {**vector, 'meaning': meaning, 'hash': hashlib.blake2b(data, digest_size=32).hexdigest()}


def events():
    yield event('the first of a log', {})
    yield event('with a cause', {'cause': {'command': 'complete_task', 'request_id': 'r-1', 'user_id': 3}})
    yield event('of a followed event', {'cause': {'producer': 'auth', 'seq': 7, 'traceparent': '00-' + 'ab' * 16 + '-' + 'cd' * 8 + '-01'}})
    yield event('what is new in the envelope is ignored', {'news': [1, {'a': None}]})
    yield event('what is new in data is ignored', {'data': {'task_id': 12, 'completed_by': 3, 'news': {'$': True}}})
    yield event('of a name and version that nobody knows', {'event_name': 'task_sung', 'event_version': 99, 'data': {}})
    yield event('the largest seq', {'seq': TOP, 'prev': bytes(range(32))})
    yield event('in another order', dict(reversed(ENVELOPE.items())), data=pack(dict(reversed(ENVELOPE.items()))))
    yield event('with empty data', {'data': {}})
    long = b'\xde\x00\x09' + b''.join(text(key) + (head(0xcf, 8, value) if isinstance(value, int) else pack(value))
                                      for key, value in ENVELOPE.items())
    yield event('its hash is of the bytes as they came, longer than need be', {}, data=long)
    for field in ENVELOPE:
        yield event(f'without {field}', {}, False, drop=field)
    for name, changes in (('seq 0', {'seq': 0}), ('a seq below 0', {'seq': -1}), ('a text as seq', {'seq': '1'}), ('a boolean as seq', {'seq': True}),
                          ('prev of 31 bytes', {'prev': bytes(31)}), ('prev of 33 bytes', {'prev': bytes(33)}), ('prev as text', {'prev': '0' * 32}),
                          ('data as list', {'data': []}), ('data as text', {'data': ''}), ('producer as number', {'producer': 1}),
                          ('log_id as bytes', {'log_id': b'0' * 36}), ('event_time as text', {'event_time': 'now'}), ('cause as list', {'cause': []})):
        yield event(f'with {name}', changes, False)
    good = pack(ENVELOPE)
    yield event('with a byte behind it', {}, False, data=good + b'\xc0')
    yield event('cut off', {}, False, data=good[:-1])
    yield event('a list', {}, False, data=b'\x91' + good)
    yield event('with a key twice', {}, False, data=b'\x8a' + good[1:] + text('seq') + b'\x01')
    deep = good[:good.index(text('data'))] + text('data') + nested_maps(8)
    yield event('with data nested 8 deep, 9 with the envelope', {}, False, data=deep)
    yield event('with a float in data', {}, False, data=good[:good.index(text('data'))] + text('data') + b'\x81\xa1a\xca\x00\x00\x00\x00')


BYTES = 'Bytes are in hexadecimal; in values, {"$bin": HEX} stands for msgpack bytes, everything else for itself.'
FILES = {
    'msgpack.json': ('1', 'One msgpack value each, within the limits or not. hex: all of the bytes. value: what they are. reason: why they are refused.', msgpack),
    'requests.json': ('2, 4', 'A command sent to the service, and how it answers. hex: the frames after the empty delimiter. valid: whether frames, meta and '
                      'body are taken. status, and for a refusal reason and field (null: none); result: what is in the result among other things. meaning: of a valid one. '
                      'Nobody is signed in: a valid command that needs a token is refused UNAUTHENTICATED / TOKEN_MISSING.', requests),
    'meta.json': ('2', 'The third frame of a command that is else SERVICE.health with an empty body. hex: that frame. The rest as in requests.json; request_id: what '
                  'comes back in the reply.', metas),
    'replies.json': ('2, 4', 'A reply\'s frames after the empty delimiter. valid: whether it is a reply; one that is not counts as none. meaning: status, seq, replayed and '
                     'request_id where they are there; result or refusal, without the fields of a refusal that are not known. reason: which frame is wrong.', replies),
    'events.json': ('3', 'The second frame of an event. meaning: the envelope, with what is not known. hash: BLAKE2b-256 of the bytes, prev of the next one.', events),
    'chains.json': ('3', 'What a follower of the service tasks must do. cursor: where it begins (absent: it has taken nothing). steps come in order. ask: it asks read_events for '
                    'the events after after_seq, and gets reply: hex, the result, or refused, a reason. event, head: the second frame of what SUB brings. must: take (its events, '
                    'all those in a page), drop (nothing happens), read (an ask comes next), stop (with an alarm; this is the last step). seq: where the cursor is then. '
                    'valid: whether it is still following at the end.', chains),
}


def lines(section, form, vectors):
    """A vector a line, so that a difference shows which one it is."""
    heading = json.dumps({'section': f'PROTOCOL.md section {section}', 'form': form, 'values': BYTES}, indent=1, ensure_ascii=False)
    rows = ',\n'.join('  ' + json.dumps(vector, ensure_ascii=False) for vector in vectors)
    return f'{heading[:-2]},\n "vectors": [\n{rows}\n ]\n}}\n'


def main():
    wrong = []
    for name, (section, form, vectors) in FILES.items():
        made = list(vectors())
        assert len({vector['name'] for vector in made}) == len(made), f'{name}: a name twice'
        content = lines(section, form, made)
        path = os.path.join(HERE, name)
        if '--check' not in sys.argv:
            with open(path, 'w', encoding='utf-8') as file:
                file.write(content)
        else:
            with open(path, encoding='utf-8') as file:
                if file.read() != content:
                    wrong.append(name)
        print(f'{name}: {len(made)} vectors')
    extra = {name for name in os.listdir(HERE) if name.endswith('.json')} - set(FILES)
    for name in sorted(extra):
        wrong.append(f'{name}, which is not made here')
    if wrong:
        sys.exit(f'not what tests/vectors/make.py writes: {", ".join(wrong)}; try: python3 tests/vectors/make.py')


if __name__ == '__main__':
    main()
