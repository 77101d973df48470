// The vectors of tests/vectors, by the client of examples/node, and against services that run.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Daemon } from '../web/support/daemon.mjs';
import { Dealer, client, follower, wire } from './clients.mjs';

const { ProtocolError, Refused, readReply } = client;
const { Broken, Chain, Gap, START, envelopeHash, readEvent } = follower;
const { WireError, decode, encode } = wire;
const folder = new URL('../vectors/', import.meta.url);
const bytes = (hex) => Buffer.from(hex, 'hex');

// As the files write it, keys in order; -0 is 0.
function plain(value) {
    if (value instanceof Uint8Array) return { $bin: Buffer.from(value).toString('hex') };
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== 'object') return value;
    return Object.keys(value).sort().map((key) => [key, plain(value[key])]);
}
const inOrder = (value) => JSON.stringify(plain(value), (key, inner) => inner);
// What a file's value stands for.
function meant(value) {
    if (Array.isArray(value)) return value.map(meant);
    if (value === null || typeof value !== 'object') return value;
    if (Object.keys(value).join() === '$bin') return bytes(value.$bin);
    return Object.assign(Object.create(null), Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, meant(inner)])));
}
const same = (found, expected) => assert.equal(inOrder(found), inOrder(expected));

// Looks at every vector of a file, which has these keys at most and no others: none is passed over unseen.
async function each(name, keys, look) {
    const { vectors } = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
    assert.ok(vectors.length > 0);
    const wrong = [];
    for (const vector of vectors) {
        try {
            const others = Object.keys(vector).filter((key) => !['name', 'valid', ...keys].includes(key));
            assert.deepEqual(others, [], 'nobody looks at these');
            await look(vector);
        } catch (error) {
            wrong.push(`${vector.name}: ${error.stack}`);
        }
    }
    console.log(`# ${name}: ${vectors.length} vectors`);
    assert.deepEqual(wrong, []);
}

test('every file is one that is looked at', () => {
    assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith('.json')).sort(),
        ['chains.json', 'events.json', 'meta.json', 'msgpack.json', 'replies.json', 'requests.json']);
});

test('msgpack', () => each('msgpack.json', ['hex', 'value', 'reason'], ({ hex, valid, value }) => {
    if (!valid) {
        assert.throws(() => decode(bytes(hex)), WireError);
        return;
    }
    same(decode(bytes(hex)), meant(value));
    // The library that writes refuses this key.
    if (!hex.includes('095f5f70726f746f5f5f') && !hex.includes('a95f5f70726f746f5f5f')) same(decode(encode(decode(bytes(hex)))), meant(value));
}));

test('replies', () => each('replies.json', ['hex', 'meaning', 'reason'], ({ hex, valid, meaning }) => {
    const frames = hex.map(bytes);
    if (!valid) {
        assert.throws(() => readReply(frames), ProtocolError);
    } else if (meaning.status === 'OK') {
        const reply = readReply(frames);
        assert.deepEqual([reply.seq, reply.replayed, reply.requestId], [meaning.seq, meaning.replayed ?? false, meaning.request_id]);
        same(reply.result, meaning.result);
    } else {
        assert.throws(() => readReply(frames), (error) => {
            assert.ok(error instanceof Refused);
            const { status, reason, said: message, field, retryAfterMs: retry_after_ms } = error;
            assert.equal(status, meaning.status);
            same(JSON.parse(JSON.stringify({ reason, message, field, retry_after_ms })), meaning.refusal);
            return true;
        });
    }
}));

test('events', () => each('events.json', ['hex', 'meaning', 'hash', 'reason'], ({ hex, valid, meaning, hash }) => {
    if (!valid) {
        assert.throws(() => readEvent(bytes(hex)), WireError);
        return;
    }
    same(readEvent(bytes(hex)), meant(meaning));
    assert.equal(envelopeHash(bytes(hex)), hash);
}));

function outcome(chain, { event, head, ask, reply }) {
    try {
        if (event !== undefined) return chain.event(bytes(event)) ? 'take' : 'drop';
        if (head !== undefined) {
            chain.head(bytes(head));
            return 'drop';
        }
        assert.deepEqual(ask, { after_seq: chain.cursor.seq });
        if (reply.refused) {
            assert.equal(reply.refused, 'EVENTS_COMPACTED');
            return 'stop'; // the follower throws Compacted: the story looks at it
        }
        for (const { seq } of chain.page(decode(bytes(reply.hex)))) assert.equal(seq, chain.cursor.seq);
        return 'take';
    } catch (error) {
        if (error instanceof Gap) return 'read';
        if (error instanceof Broken) return 'stop';
        throw error;
    }
}

test('chains', () => each('chains.json', ['cursor', 'steps'], ({ valid, cursor, steps }) => {
    const chain = new Chain('tasks', cursor ? { logId: cursor.log_id, seq: cursor.seq, hash: cursor.hash } : START);
    for (const step of steps) {
        const earlier = chain.cursor;
        assert.equal(outcome(chain, step), step.must);
        assert.equal(chain.cursor.seq, step.seq);
        if (step.must === 'drop' || step.must === 'read') assert.equal(chain.cursor, earlier);
    }
    assert.equal(steps.at(-1).must !== 'stop', valid);
}));

const daemon = new Daemon();
const sockets = new Map();

before(() => daemon.start('all'));
after(async () => {
    sockets.forEach((socket) => socket.close());
    await daemon.close();
});

async function compare(vector, frames) {
    const { service } = vector;
    if (!sockets.has(service)) {
        sockets.set(service, new Dealer({ linger: 0, receiveTimeout: 60000 }));
        sockets.get(service).connect(`ipc://${daemon.run}/${service}.sock`);
    }
    await sockets.get(service).send(['', ...frames]);
    const [delimiter, ...reply] = await sockets.get(service).receive();
    assert.equal(delimiter.length, 0);
    let found = { status: 'OK' };
    try {
        const { result, requestId } = readReply(reply);
        assert.equal(requestId, vector.request_id);
        for (const [key, value] of Object.entries(vector.result ?? {})) assert.equal(result[key], value);
    } catch (error) {
        if (!(error instanceof Refused)) throw error;
        assert.ok(error.said);
        found = { status: error.status, reason: error.reason, field: error.field ?? null };
    }
    const { status, reason, field } = vector;
    assert.deepEqual(found, status === 'OK' ? { status } : { status, reason, field });
}

test('requests', () => each('requests.json', ['service', 'hex', 'status', 'reason', 'field', 'result', 'meaning'], async (vector) => {
    const frames = vector.hex.map(bytes);
    const { meaning } = vector;
    if (meaning) {
        assert.equal(frames[1].toString(), meaning.command);
        assert.deepEqual(Buffer.from(encode(meaning.meta)), frames[2]);
        assert.deepEqual(Buffer.from(encode(meaning.body)), frames[3]);
        same(decode(frames[3]), meant(meaning.body));
    }
    await compare(vector, frames);
}));

test('meta', () => each('meta.json', ['service', 'hex', 'status', 'reason', 'field', 'request_id', 'meaning'], async (vector) => {
    if (vector.meaning) assert.deepEqual(Buffer.from(encode(vector.meaning)), bytes(vector.hex));
    await compare(vector, ['ATES/1', `${vector.service}.health`, bytes(vector.hex), bytes('80')]);
}));
