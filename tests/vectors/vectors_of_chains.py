"""Events as they come, and what a follower must do with them."""
import hashlib

from bytes_of import head as number
from bytes_of import pack, text

LOG, OTHER_LOG = '01890a5d-ac96-774b-bcce-b302099a8057', '01890a5d-ac96-774b-bcce-b302099a8058'
NOTHING = bytes(32)


def hash_of(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def envelope(seq, prev, log_id=LOG, producer='tasks', name='task_completed', **data):
    return {'event_id': f'018bcfe5-687b-7fff-bfff-{seq:012x}', 'event_name': name, 'event_version': 1,
            'event_time': 1700000000000 + seq, 'producer': producer, 'log_id': log_id, 'seq': seq, 'prev': prev, 'data': data or {'task_id': seq, 'completed_by': 1}}


def log_of(count, log_id=LOG, prev=NOTHING, first=1, **more):
    made = []
    for seq in range(first, first + count):
        made.append(pack(envelope(seq, prev, log_id, **more)))
        prev = hash_of(made[-1])
    return made


GOOD = log_of(6)
OTHER = log_of(6, task_id=99, completed_by=9)  # of the same log_id, but not the same events
FOREIGN = log_of(6, OTHER_LOG)


def ask(after_seq, events, head_seq, must='take', log_id=LOG):
    seq = after_seq + len(events) if must == 'take' else None
    result = {'log_id': log_id, 'head_seq': head_seq, 'events': events}
    return {'ask': {'after_seq': after_seq}, 'reply': {'hex': pack(result).hex()}, 'must': must, 'seq': seq}


def live(data, must, seq):
    return {'event': data.hex(), 'must': must, 'seq': seq}


def heads(seq, own, must, at, log_id=LOG):
    return {'head': pack({'log_id': log_id, 'seq': seq, 'hash': own}).hex(), 'must': must, 'seq': at}


def chain(name, *steps, cursor=None):
    steps = [dict(step) for step in steps]
    at = cursor['seq'] if cursor else 0
    for step in steps:
        if step['seq'] is None:
            step['seq'] = at
        at = step['seq']
    vector = {'name': name, 'valid': steps[-1]['must'] != 'stop', 'steps': steps}
    return {**vector, 'cursor': cursor} if cursor else vector


def chains():
    begun = ask(0, GOOD[:3], 3)
    yield chain('from the start, then as it happens', begun, live(GOOD[3], 'take', 4), live(GOOD[4], 'take', 5))
    yield chain('an empty log', ask(0, [], 0), live(GOOD[0], 'take', 1))
    yield chain('page after page', ask(0, GOOD[:2], 5), ask(2, GOOD[2:4], 5), ask(4, GOOD[4:5], 5), live(GOOD[5], 'take', 6))
    yield chain('on from a cursor', ask(3, GOOD[3:5], 5), live(GOOD[5], 'take', 6), cursor={'log_id': LOG, 'seq': 3, 'hash': hash_of(GOOD[2]).hex()})
    yield chain('what was taken comes again', begun, live(GOOD[2], 'drop', 3), live(GOOD[0], 'drop', 3), live(GOOD[3], 'take', 4), live(GOOD[3], 'drop', 4))
    yield chain('one event is lost', begun, live(GOOD[4], 'read', 3), ask(3, GOOD[3:5], 5), live(GOOD[5], 'take', 6))
    yield chain('the head tells of a lost event', begun, heads(4, hash_of(GOOD[3]), 'read', 3), ask(3, GOOD[3:4], 4))
    yield chain('the head is where the cursor is', begun, heads(3, hash_of(GOOD[2]), 'drop', 3), live(GOOD[3], 'take', 4))
    yield chain('the head of an empty log', ask(0, [], 0), heads(0, NOTHING, 'drop', 0), live(GOOD[0], 'take', 1))
    yield chain('an older head comes late: the log tells', begun, heads(2, hash_of(GOOD[1]), 'read', 3), ask(3, [], 3), live(GOOD[3], 'take', 4))
    yield chain('bytes that are no event: the log has it', begun, live(b'\xc1', 'read', 3), ask(3, GOOD[3:4], 4))
    yield chain('an event of somebody else under this topic', begun, live(pack(envelope(4, hash_of(GOOD[2]), producer='auth')), 'read', 3), ask(3, GOOD[3:4], 4))
    yield chain('a head that is none', begun, {'head': 'c1', 'must': 'drop', 'seq': 3}, live(GOOD[3], 'take', 4))
    unknown = pack({**envelope(4, hash_of(GOOD[2]), name='task_sung', song='la'), 'event_version': 7, 'news': 1})
    yield chain('an event that nobody knows is a link of the chain', begun, live(unknown, 'take', 4), live(log_of(1, prev=hash_of(unknown), first=5)[0], 'take', 5))
    fields = envelope(4, hash_of(GOOD[2]))
    long = b'\xde\x00\x09' + b''.join(text(key) + (number(0xcf, 8, value) if isinstance(value, int) else pack(value)) for key, value in fields.items())
    yield chain('the hash is of the bytes as they came', begun, live(long, 'take', 4), live(log_of(1, prev=hash_of(long), first=5)[0], 'take', 5))
    yield chain('the hash is not of what they mean', begun, live(long, 'take', 4), live(log_of(1, prev=hash_of(pack(fields)), first=5)[0], 'stop', 4))
    yield chain('prev is another hash', begun, live(OTHER[3], 'stop', 3))
    yield chain('prev is another hash, in a page', ask(0, [GOOD[0], OTHER[1]], 2, 'stop') | {'seq': 1})
    yield chain('the first event has a prev', ask(0, log_of(1, prev=hash_of(b'')), 1, 'stop'))
    yield chain('another event in the place of the last one', begun, live(OTHER[2], 'stop', 3))
    yield chain('another event in the place of the last one, by the head', begun, heads(3, hash_of(OTHER[2]), 'stop', 3))
    yield chain('an event of another log', begun, live(FOREIGN[3], 'stop', 3))
    yield chain('an older event of another log', begun, live(FOREIGN[0], 'stop', 3))
    yield chain('the head of another log', begun, heads(3, hash_of(GOOD[2]), 'stop', 3, OTHER_LOG))
    yield chain('a page of another log', begun, live(GOOD[4], 'read', 3), ask(3, FOREIGN[3:5], 5, 'stop', OTHER_LOG))
    yield chain('a page of another log that is empty', begun, live(GOOD[4], 'read', 3), ask(3, [], 5, 'stop', OTHER_LOG))
    yield chain('an event of another log in a page', ask(0, [GOOD[0], FOREIGN[1]], 2, 'stop') | {'seq': 1})
    yield chain('a page that skips an event', ask(0, [GOOD[0], GOOD[2]], 3, 'stop') | {'seq': 1})
    yield chain('a page with bytes that are no event', ask(0, [GOOD[0], b'\xc1'], 2, 'stop') | {'seq': 1})
    yield chain('a log that ends before the cursor', begun, heads(2, hash_of(GOOD[1]), 'read', 3), ask(3, [], 2, 'stop'))
    yield chain('events after the cursor were cut off', {'ask': {'after_seq': 2}, 'reply': {'refused': 'EVENTS_COMPACTED'}, 'must': 'stop', 'seq': 2},
                cursor={'log_id': LOG, 'seq': 2, 'hash': hash_of(GOOD[1]).hex()})
