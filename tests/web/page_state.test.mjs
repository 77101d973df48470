// The page's dealings with the service: requests, views, the event stream, names, lists.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApi, newKey, Problem, target } from '../../actors/web/page/api.js';
import { createNames } from '../../actors/web/page/names.js';
import { readPages } from '../../actors/web/page/paging.js';
import { createStore } from '../../actors/web/page/store.js';
import { Stream } from '../../actors/web/page/stream.js';
import { View } from '../../actors/web/page/view.js';

// Node 18 has no global Web Crypto without a flag.
if (!globalThis.crypto) globalThis.crypto = (await import('node:crypto')).webcrypto;

const answer = (status, body, headers = {}) => () =>
    new Response(status === 204 ? null : JSON.stringify(body), { status, headers });
const cut = () => { throw new TypeError('Failed to fetch'); };

// An api whose fetch gives one of the answers after the other, and what it was asked.
function scripted(...answers) {
    const asked = [], slept = [], ended = [];
    const api = createApi({
        fetch: async (path, options) => { asked.push({ path, ...options }); return answers.shift()(); },
        sleep: async (ms) => { slept.push(ms); },
        onUnauthenticated: (problem) => ended.push(problem.reason),
    });
    return { api, asked, slept, ended };
}

test('a change carries the header and one key, however often it is sent', async () => {
    const { api, asked, slept } = scripted(cut, answer(503, { reason: 'NO_REPLY', retry_after_ms: 1500 }),
                                           answer(503, {}, { 'Retry-After': '2' }), answer(200, { done: 1 }));
    assert.deepEqual(await api.post('/tasks', { name: 'x' }), { done: 1 });
    assert.equal(asked.length, 4);
    assert.equal(new Set(asked.map(({ headers }) => headers['Idempotency-Key'])).size, 1);
    assert.match(asked[0].headers['Idempotency-Key'], /^[0-9a-f]{32}$/);
    assert.equal(asked[3].headers['ATES-Session'], 'cookie');
    assert.equal(asked[3].headers['Content-Type'], 'application/json');
    assert.equal(asked[3].path, '/api/v1/tasks');
    assert.deepEqual(slept.slice(1), [1500, 2000]);
    assert.equal(api.trying.get(), null);
});

test('a caller may keep the key, and different changes have different ones', async () => {
    const { api, asked } = scripted(answer(204), answer(204), answer(204));
    await api.post('/a', {}, { key: 'k' });
    await api.post('/a', {});
    await api.post('/a', {});
    const keys = asked.map(({ headers }) => headers['Idempotency-Key']);
    assert.equal(keys[0], 'k');
    assert.equal(new Set(keys).size, 3);
    assert.equal(new Set(Array.from({ length: 1000 }, newKey)).size, 1000);
});

test('repeats are bounded and seen, refusals are not repeated', async () => {
    const tries = [];
    const first = scripted(...Array(9).fill(cut));
    first.api.trying.subscribe((value) => tries.push(value?.attempt));
    await assert.rejects(first.api.post('/x'), (problem) => problem instanceof Problem && problem.isUnknown);
    assert.equal(first.asked.length, 5);
    assert.deepEqual(tries, [2, 3, 4, 5, undefined]);

    const second = scripted(answer(409, { status: 409, reason: 'LOGIN_TAKEN', field: 'login', detail: 'd' }));
    await assert.rejects(second.api.post('/users', {}), (problem) => {
        assert.equal(problem.field, 'login');
        assert.equal(problem.status, 409);
        return problem.reason === 'LOGIN_TAKEN' && !problem.isUnknown;
    });
    assert.equal(second.asked.length, 1);

    const third = scripted(answer(429, { reason: 'TOO_MANY_ATTEMPTS', retry_after_ms: 20000 }));
    await assert.rejects(third.api.post('/session', {}), (problem) => problem.retryAfterMs === 20000);
});

test('the end of a session is told, a wrong password is not one', async () => {
    const { api, ended } = scripted(answer(401, { reason: 'SESSION_UNKNOWN' }), answer(401, { reason: 'BAD_CREDENTIALS' }));
    await assert.rejects(api.get('/tasks'));
    await assert.rejects(api.post('/session', {}));
    assert.deepEqual(ended, ['SESSION_UNKNOWN']);
});

test('an answer that is no JSON still has a status', async () => {
    const { api } = scripted(() => new Response('<html>', { status: 500 }));
    await assert.rejects(api.get('/tasks'), (problem) => problem.reason === 'HTTP_500' && problem.status === 500);
});

test('a query leaves out what is empty', () => {
    assert.equal(target('/tasks', { status: 'open', query: '', after: undefined, limit: 0 }), '/tasks?status=open&limit=0');
    assert.equal(target('/tasks', {}), '/tasks');
});

// Timers by hand.
function clock() {
    const real = { set: globalThis.setTimeout, clear: globalThis.clearTimeout };
    const due = new Map();
    let now = 0, count = 0;
    globalThis.setTimeout = (work, ms = 0) => { due.set(++count, { work, at: now + ms }); return count; };
    globalThis.clearTimeout = (id) => due.delete(id);
    return {
        now: () => now,
        async tick(ms) {
            for (const end = now + ms; ;) {
                const [next] = [...due].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
                if (next === undefined) { now = end; break; }
                now = next[1].at;
                due.delete(next[0]);
                next[1].work();
                for (let i = 0; i < 20; i++) await null;
            }
            for (let i = 0; i < 20; i++) await null;
        },
        restore() { globalThis.setTimeout = real.set; globalThis.clearTimeout = real.clear; },
    };
}

test('a view reads once for many events, with one request in flight', async () => {
    const time = clock();
    try {
        let inFlight = 0, most = 0, reads = 0;
        const waiting = [];
        const view = new View({
            load: () => new Promise((resolve) => { reads++; most = Math.max(most, ++inFlight); waiting.push(() => { inFlight--; resolve(reads); }); }),
            changed: () => {}, now: time.now,
        });
        const settle = async () => { waiting.shift()(); await time.tick(0); };
        view.reload();
        for (let i = 0; i < 50; i++) { view.poke(); await time.tick(10); }
        assert.equal(reads, 1); // the first is still under way
        await settle();
        assert.equal(view.data, 1);
        await time.tick(5000);
        assert.equal(reads, 2); // what came meanwhile leads to one more
        await settle();
        for (let i = 0; i < 15; i++) { view.poke(); await time.tick(10); }
        assert.equal(reads, 2);
        await time.tick(30000);
        assert.equal(reads, 3);
        assert.equal(most, 1);
        view.close();
        view.poke();
        await time.tick(5000);
        assert.equal(reads, 3);
    } finally {
        time.restore();
    }
});

test('a view keeps its data when reading it anew fails, and follows slow services once more', async () => {
    const time = clock();
    try {
        let reads = 0;
        const view = new View({
            load: async () => { if (++reads === 2) throw new Problem({ reason: 'NETWORK' }); return reads; },
            changed: () => {}, now: time.now, settleMs: 1000,
        });
        view.reload();
        await time.tick(0);
        view.poke();
        await time.tick(300);
        assert.equal(view.data, 1);
        assert.equal(view.error.reason, 'NETWORK');
        await time.tick(2000);
        assert.equal(view.data, 3);
        assert.equal(view.error, undefined);
    } finally {
        time.restore();
    }
});

// An EventSource by hand.
function sources() {
    const made = [];
    class Fake {
        constructor(url) { this.url = url; this.readyState = 0; this.heard = {}; made.push(this); }
        addEventListener(name, take) { this.heard[name] = take; }
        send(name, data, lastEventId = '') { this.heard[name]({ data: JSON.stringify(data), lastEventId }); }
        fail(readyState) { this.readyState = readyState; this.onerror(); }
        close() { this.readyState = 2; }
    }
    return { made, Fake };
}

test('the stream is opened anew behind the last id, and asks for the session first', async () => {
    const time = clock();
    try {
        const { made, Fake } = sources();
        const told = [];
        let signedIn = true;
        const stream = new Stream({ tell: (message) => told.push(message), isSignedIn: async () => signedIn, EventSource: Fake, now: time.now, random: () => 1 });
        stream.start(7);
        assert.equal(made[0].url, '/api/v1/events');
        made[0].send('hello', { user_id: 7, role: 'boss' }, 'A,auth:1');
        made[0].send('message', { producer: 'tasks', seq: 3 }, 'A,auth:2');
        assert.deepEqual(told.map(({ type, state }) => state ?? type), ['connecting', 'live', 'hello', 'event']);
        stream.start(7); // another tab of the same user
        assert.equal(made.length, 1);

        made[0].fail(0); // EventSource itself comes back from this
        assert.equal(stream.state, 'broken');
        await time.tick(60000);
        assert.equal(made.length, 1);
        made[0].send('hello', { user_id: 7, role: 'boss' }, 'A,auth:3');
        assert.equal(stream.state, 'live');

        made[0].fail(2); // but not from this
        await time.tick(0);
        await time.tick(999);
        assert.equal(made.length, 1);
        await time.tick(1);
        assert.equal(made[1].url, '/api/v1/events?last_event_id=A%2Cauth%3A3');
        made[0].send('message', { stale: true }, 'old'); // nobody listens to the old one
        assert.notEqual(stream.lastId, 'old');

        made[1].send('hello', { user_id: 7, role: 'boss' }, 'A,auth:4');
        signedIn = false;
        made[1].send('bye', {});
        await time.tick(0);
        assert.equal(told.at(-1).type, 'ended');
        assert.equal(stream.state, 'off');
        await time.tick(60000);
        assert.equal(made.length, 2);
    } finally {
        time.restore();
    }
});

test('while nobody answers, the stream is tried ever more slowly', async () => {
    const time = clock();
    try {
        const { made, Fake } = sources();
        const stream = new Stream({ tell: () => {}, isSignedIn: async () => { throw new Error('503'); }, EventSource: Fake, now: time.now, random: () => 1 });
        stream.start(1);
        const at = [];
        for (let i = 0; i < 8; i++) {
            made.at(-1).fail(2);
            const count = made.length, from = time.now();
            while (made.length === count) await time.tick(100);
            at.push(Math.round((time.now() - from) / 1000));
        }
        assert.deepEqual(at, [1, 2, 4, 8, 16, 30, 30, 30]);
        const count = made.length;
        stream.wake();
        assert.equal(made.length, count + 1); // at once
        stream.stop();
    } finally {
        time.restore();
    }
});

test('a tab that stops does not end the stream that the worker has for the others', async (context) => {
    const sources = [];
    context.mock.method(globalThis, 'fetch', async () => new Response('{}')); // nobody is signed in any more
    globalThis.self = new EventTarget();
    globalThis.EventSource = class extends EventTarget {
        constructor() { super(); this.isOpen = true; sources.push(this); }
        close() { this.isOpen = false; }
    };
    await import('../../actors/web/page/events-worker.js');
    const open = () => {
        const port = { heard: [], postMessage: (message) => port.heard.push(message.state ?? message.type) };
        self.dispatchEvent(Object.assign(new Event('connect'), { ports: [port] }));
        return { port, say: (type) => port.onmessage({ data: { type, userId: 7 } }) };
    };
    const [one, two, three] = [open(), open(), open()];
    for (const tab of [one, two, three]) tab.say('start');
    one.say('stop'); // as where a request of its was refused
    three.say('leave');
    assert.deepEqual(sources.map(({ isOpen }) => isOpen), [true]);
    sources[0].dispatchEvent(new Event('bye'));
    for (let turn = 0; turn < 100 && !two.port.heard.includes('ended'); turn++) await new Promise(setImmediate);
    assert.deepEqual(two.port.heard.slice(-2), ['off', 'ended']);
    two.say('start');
    assert.equal(sources.length, 2);
    two.say('leave');
    assert.deepEqual(sources.map(({ isOpen }) => isOpen), [false, false]);
});

test('logins are asked for together, at most 100 at once, and once', async () => {
    const asked = [], work = [];
    const names = createNames({
        ask: async (ids) => { asked.push(ids); return ids.filter((id) => id !== 5).map((id) => ({ id, login: `u${id}`, role: 'boss' })); },
        changed: () => {}, later: (flush) => work.push(flush),
    });
    for (let id = 1; id <= 250; id++) assert.equal(names.look(id), undefined);
    assert.equal(work.length, 1);
    await work.shift()();
    assert.deepEqual(asked.map((ids) => ids.length), [100, 100, 50]);
    assert.equal(names.look(250).login, 'u250');
    assert.equal(names.look(5).login, undefined); // nobody's, and not asked for again
    assert.equal(work.length, 0);
    names.forget();
    assert.equal(names.look(1), undefined);
    assert.equal(work.length, 1);
    await names.ready([300, 301]);
    assert.equal(names.look(300).login, 'u300');
});

test('names that could not be had are asked for again', async () => {
    const work = [];
    let fails = true;
    const names = createNames({ ask: async (ids) => { if (fails) throw new Error(); return ids.map((id) => ({ id, login: 'x' })); }, changed: () => {}, later: (flush) => work.push(flush) });
    names.look(1);
    await work.shift()();
    fails = false;
    assert.equal(names.look(1), undefined);
    await work.shift()();
    assert.equal(names.look(1).login, 'x');
});

// A list of these items as the service gives it, in pages of at most `most`, the one after `gap` empty.
function service(items, { most, gap }) {
    const asked = [];
    const page = async ({ after, limit }) => {
        asked.push(limit);
        const begin = after === undefined ? 0 : Number(after.slice(1));
        if (begin === gap && after[0] === '@') return { items: [], next: `+${begin}`, count: items.length };
        const end = Math.min(begin + Math.min(limit, most), items.length);
        return { items: items.slice(begin, end), next: end < items.length ? `@${end}` : undefined, count: items.length };
    };
    return { page, asked };
}

test('a list is read on page by page, over short and empty ones, until enough is there', async () => {
    const items = Array.from({ length: 130 }, (_, i) => 130 - i);
    const { page, asked } = service(items, { most: 20, gap: 40 });
    const first = await readPages(page, { items: [] }, 50);
    assert.deepEqual(first.items, items.slice(0, 50));
    assert.deepEqual(asked, [50, 30, 10, 10]); // never more than what is wanted
    assert.equal(first.count, 130);
    const second = await readPages(page, first, 100);
    assert.deepEqual(second.items, items.slice(0, 100));
    const last = await readPages(page, second, 150);
    assert.deepEqual(last.items, items);
    assert.equal(last.next, undefined);
});

test('a list asks for no more than a page may have', async () => {
    const items = Array.from({ length: 2500 }, (_, i) => i);
    const { page, asked } = service(items, { most: Infinity });
    assert.deepEqual((await readPages(page, { items: [] }, 2200)).items, items.slice(0, 2200));
    assert.deepEqual(asked, [1000, 1000, 200]);
    assert.deepEqual(await readPages(service([], { most: 10 }).page, { items: [] }, 50), { items: [], next: undefined, count: 0 });
});

test('a store tells what changed, to who listens', () => {
    const store = createStore(1);
    const heard = [];
    const stop = store.subscribe((value) => heard.push(value));
    store.set(1);
    store.set(2);
    stop();
    store.set(3);
    assert.deepEqual(heard, [2]);
    assert.equal(store.get(), 3);
});
