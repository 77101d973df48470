// Many at once: streams, requests, and services that die under them. The figures are printed; ATES_LONG=1 has the memory
// watched for ten minutes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { Client, contractOf, people, signIn } from './support/client.mjs';
import { Daemon, until } from './support/daemon.mjs';
import { seeded } from './support/seed.mjs';
import { Stream } from './support/stream.mjs';
import { missing } from './tools.mjs';

const skip = missing('ajv') || missing('ajv-formats');
const SCALE = Number(process.env.ATES_TIME_SCALE ?? 1);
const isLong = process.env.ATES_LONG === '1';
const isSanitized = process.env.ATES_SANITIZED === '1'; // memory is told then, not judged
const STREAMS = 2000;
const BURST = 1000;
const STREAMS_PER_USER = 64; // the service's own limit
const PER_ADDRESS = 256; // web.connections_per_address, as it stands
const RING_BYTES = 8 << 20; // of events that the web service keeps for its streams
const MEBIBYTE = 1024; // in KiB
let daemon, base, contract, all;

before(async () => {
    if (skip) return;
    daemon = await new Daemon({ MALLOC_PERTURB_: '0' }).startApart(); // memory that is only reserved stays so
    base = daemon.base;
    contract = await contractOf(base);
    all = await people(base, contract);
    await until(async () => (await all.manager.request('POST', '/tasks', { name: 'first', description: '' })).status === 201, 'a task');
});
after(() => daemon?.close());

const residentKib = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const webKib = () => residentKib(daemon.pid('web'));
const mib = (kib) => `${(kib / MEBIBYTE).toFixed(1)} MiB`;

// {status, headers, text, ms}; from an address of this machine's own, on a connection of its own or the agent's.
function ask(client, method, path, { body, headers = {}, localAddress, agent = false } = {}) {
    const begun = performance.now();
    return new Promise((resolve, reject) => {
        const sent = { authorization: `Bearer ${client.token}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers };
        const asked = request(`${base}/api/v1${path}`, { method, headers: sent, localAddress, agent }, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (part) => { text += part; }).on('error', reject)
                .on('end', () => resolve({ status: response.statusCode, headers: response.headers, text, ms: performance.now() - begun }));
        });
        asked.on('error', reject).end(body ? JSON.stringify(body) : undefined);
    });
}

// Runs what jobs() gives, so many at once.
async function inParallel(width, jobs) {
    await Promise.all(Array.from({ length: width }, async () => {
        for (let job = jobs.shift(); job; job = jobs.shift()) await job();
    }));
}

const quantile = (sorted, part) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]);

test('two thousand streams, and a thousand requests at once', { skip }, async (t) => {
    const watchers = [];
    await inParallel(4, Array.from({ length: Math.ceil(STREAMS / STREAMS_PER_USER) }, (_, i) => async () => {
        const person = { login: `watcher${i}`, password: `password-of-${i}` };
        await all.administrator.post('/users', { ...person, email: `watcher${i}@uberpopug.example`, role: 'manager' });
        watchers.push(await signIn(base, contract, person));
    }));
    const before = webKib();
    let begun = performance.now();
    const streams = [];
    t.after(() => streams.forEach((stream) => stream.close()));
    await inParallel(50, Array.from({ length: STREAMS }, (_, i) => async () => {
        const stream = await Stream.open(watchers[i % watchers.length], { localAddress: `127.0.0.${2 + (i % 10)}` });
        await stream.hello();
        streams.push(stream);
    }));
    const full = webKib();
    t.diagnostic(`${STREAMS} streams opened in ${Math.round(performance.now() - begun)} ms; the web service has ${mib(before)}, then ${mib(full)}: ` +
        `${((full - before) / STREAMS).toFixed(1)} KiB each`);
    assert.ok(isSanitized || full - before < STREAMS * 40, 'at most 40 KiB for each stream');

    // One event to all of them.
    begun = performance.now();
    const { task } = await all.developer.post('/tasks', { name: 'to everybody', description: '' });
    const told = (stream) => stream.events.some(({ event_name: name, data }) => name === 'task_created' && data.task_id === task.id);
    await Promise.all(streams.map((stream) => stream.until(() => told(stream), 'the task')));
    t.diagnostic(`an event reached all of them in ${Math.round(performance.now() - begun)} ms`);

    // While they are open: everybody comes at once, each on a connection of their own.
    const calls = [['GET', '/tasks/mine'], ['GET', '/accounts/me'], ['GET', '/users/me'], ['GET', '/session'],
        ['POST', '/tasks', { name: 'in the burst', description: '' }]];
    begun = performance.now();
    const answers = await Promise.all(Array.from({ length: BURST }, (_, i) => {
        const [method, path, body] = calls[i % calls.length];
        return ask(all.developer, method, path, { body, localAddress: `127.0.1.${1 + (i % 5)}` });
    }));
    const took = performance.now() - begun;
    const statuses = new Map();
    for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const times = answers.map(({ ms }) => ms).sort((a, b) => a - b);
    t.diagnostic(`${BURST} requests at once: ${JSON.stringify([...statuses])}, all answered in ${Math.round(took)} ms, half of them in ${quantile(times, 0.5)} ms, ` +
        `99 of 100 in ${quantile(times, 0.99)} ms; the web service has ${mib(webKib())}`);
    assert.deepEqual(new Set(statuses.keys()), new Set([200, 201]));
    assert.equal(statuses.get(201), BURST / calls.length);

    const made = BURST / calls.length;
    await Promise.all(streams.map((stream) => stream.until(
        () => stream.events.filter(({ event_name: name, data }) => name === 'task_created' && data.title === 'in the burst').length >= made, 'all of the burst')));
    assert.ok(streams.every(({ isOver }) => !isOver), 'no stream was cut');
    assert.ok(streams.every((stream) => !stream.find('reset')));
    for (const service of ['tasks', 'accounting', 'web']) t.diagnostic(`${service} has ${mib(residentKib(daemon.pid(service)))}`);
});

test('an address has its share of connections, and others theirs', { skip }, async () => {
    const { hostname, port } = new URL(base);
    const open = (localAddress) => new Promise((resolve) => {
        const socket = connect({ host: hostname, port: Number(port), localAddress }, () => resolve(socket));
        socket.on('error', () => {}).on('close', () => { socket.isOver = true; }).resume();
    });
    const idle = [];
    for (let i = 0; i < PER_ADDRESS; i++) idle.push(await open('127.0.2.1'));
    // Taken in their order: an answer from elsewhere comes behind all of them.
    assert.equal((await ask(all.developer, 'GET', '/users/me', { localAddress: '127.0.2.2' })).status, 200);
    assert.equal(idle.filter(({ isOver }) => isOver).length, 0);
    const more = await open('127.0.2.1');
    await until(() => more.isOver, 'the end of one more');
    await assert.rejects(ask(all.developer, 'GET', '/users/me', { localAddress: '127.0.2.1' }));
    assert.equal((await ask(all.developer, 'GET', '/users/me', { localAddress: '127.0.2.2' })).status, 200);
    for (const socket of idle) socket.destroy();
    await until(() => ask(all.developer, 'GET', '/users/me', { localAddress: '127.0.2.1' }).catch(() => null), 'room again');
});

test('those who do not read what they asked for cost others nothing', { skip }, async (t) => {
    const { hostname, port } = new URL(base);
    const before = webKib();
    const deaf = Array.from({ length: 60 }, () => {
        const socket = connect({ host: hostname, port: Number(port), localAddress: '127.0.3.1' });
        socket.on('error', () => {}).pause();
        socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${all.administrator.token}\r\n\r\n`);
        return socket;
    });
    const stream = await Stream.open(all.manager);
    await stream.hello();
    const names = new Set();
    const times = [];
    await inParallel(8, Array.from({ length: 400 }, (_, i) => async () => {
        const answer = await ask(all.developer, 'POST', '/tasks', { body: { name: `loud ${i}`, description: 'x'.repeat(5000) }, localAddress: '127.0.3.2' });
        assert.equal(answer.status, 201, answer.text);
        names.add(`loud ${i}`);
        times.push(answer.ms);
    }));
    await stream.until(() => stream.events.filter(({ data }) => names.has(data.title)).length === names.size, 'all tasks');
    const grown = webKib() - before;
    times.sort((a, b) => a - b);
    t.diagnostic(`${deaf.length} deaf streams and 2 MB of events: 99 of 100 requests in ${quantile(times, 0.99)} ms, memory grew by ${mib(grown)}`);
    assert.ok(isSanitized || grown < 16 * MEBIBYTE, mib(grown));
    for (const socket of deaf) socket.destroy();
    stream.close();
});

test('services that are killed lose nothing and double nothing', { skip }, async (t) => {
    const agent = new Agent({ keepAlive: true });
    const port = new URL(base).port;
    daemon.environment.ATES_WEB_LISTEN = `127.0.0.1:${port}`;
    const tried = { answers: 0, unavailable: 0, cut: 0 };
    const done = [];
    let isOver = false;

    // One task by one key, again and again until it is there.
    async function create(name) {
        for (;;) {
            const answer = await ask(all.manager, 'POST', '/tasks', { body: { name, description: '' }, headers: { 'idempotency-key': name }, agent }).catch(() => null);
            if (!answer) {
                tried.cut++; // the web service itself is away
                await pause(20);
            } else if (answer.status === 201) {
                tried.answers++;
                done.push({ name, id: JSON.parse(answer.text).task.id });
                return;
            } else {
                assert.equal(answer.status, 503, answer.text);
                assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
                tried.unavailable++;
                await pause(50);
            }
        }
    }
    const load = Promise.all(Array.from({ length: 16 }, async (_, i) => {
        for (let n = 0; !isOver; n++) await create(`kept ${i} ${n}`);
    }));
    load.catch(() => {});
    const absences = [];
    for (const service of ['tasks', 'accounting', 'tasks', 'web', 'auth', 'tasks']) {
        const count = done.length;
        await until(() => done.length > count + 50, 'some more tasks');
        const begun = performance.now();
        await daemon.kill(service);
        daemon.spawn(service);
        await until(() => done.length > count + 100, `tasks after the end of ${service}`);
        absences.push(`${service} ${Math.round(performance.now() - begun)} ms`);
        await daemon.awaitAddress();
    }
    isOver = true;
    await load;
    t.diagnostic(`${done.length} tasks; ${JSON.stringify(tried)}; from a kill to 100 more tasks: ${absences.join(', ')}`);

    const there = new Map();
    for (let after = ''; after !== undefined;) {
        const { items, next } = await all.administrator.get(`/tasks?query=kept&limit=100${after && `&after=${encodeURIComponent(after)}`}`);
        for (const { id, name } of items) there.set(name, [...(there.get(name) ?? []), id]);
        after = next;
    }
    assert.equal(there.size, done.length);
    for (const { name, id } of done) assert.deepEqual(there.get(name), [id], name);
    // Each is paid for once.
    const ids = new Set(done.map(({ id }) => id));
    await until(async () => {
        const fees = new Map();
        for (let after = ''; after !== undefined;) {
            const { items, next } = await all.accountant.get(`/transfers?kind=assign_fee&limit=100${after && `&after=${encodeURIComponent(after)}`}`);
            for (const { task_id: task } of items) if (ids.has(task)) fees.set(task, (fees.get(task) ?? 0) + 1);
            after = next;
        }
        assert.ok([...fees.values()].every((count) => count === 1), 'no fee twice');
        return fees.size === ids.size;
    }, 'every fee');
    agent.destroy();
});

// Everything that clients do, right and wrong, for a while; returns how many things were done.
async function mix(below, until_ms) {
    const { hostname, port } = new URL(base);
    const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 20 }));
    const clients = [all.manager, all.developer, all.developer2, all.other, all.administrator];
    let count = 0;
    const raw = (text) => new Promise((resolve) => {
        const socket = connect({ host: hostname, port: Number(port), localAddress: '127.0.4.1' });
        socket.on('error', () => {}).on('close', resolve).on('data', () => socket.destroy());
        socket.write(text, () => { if (below(2) === 0) socket.destroy(); });
        socket.setTimeout(100, () => socket.destroy());
    });
    const doings = [
        (client, agent) => ask(client, 'GET', '/tasks/mine?limit=50', { agent }),
        (client, agent) => ask(client, 'GET', '/accounts/me/transfers?limit=50', { agent }),
        (client, agent) => ask(client, 'GET', '/users/me', { agent }),
        (client, agent) => ask(client, 'POST', '/tasks', { agent, body: { name: 'mixed', description: 'x'.repeat(below(2000)) } }),
        (client, agent) => ask(client, 'POST', '/tasks', { agent, body: { name: '', unknown: 'x'.repeat(below(100000)) } }),
        (client, agent) => ask(client, 'GET', '/nothing/here', { agent }),
        (client, agent) => ask({ token: 'x'.repeat(below(300) + 1) }, 'GET', '/tasks', { agent }),
        async (client) => {
            const stream = await new Stream(client, { localAddress: `127.0.4.${2 + below(4)}` }).opened;
            await pause(below(300));
            stream.close();
        },
        () => raw('GET / HTTP/1.1\r\n'),
        () => raw(`POST /api/v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50000\r\n\r\n${'x'.repeat(below(49000))}`),
        () => raw('GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
        () => raw(`GET /api/v1/tasks HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(below(30000))}\r\n\r\n`),
    ];
    await Promise.all(Array.from({ length: 24 }, async (_, i) => {
        while (Date.now() < until_ms) {
            await doings[below(doings.length)](clients[below(clients.length)], agents[i % agents.length]);
            count++;
        }
    }));
    for (const agent of agents) agent.destroy();
    return count;
}

test('memory stays what it is', { skip }, async (t) => {
    const { below } = seeded(t);
    // First what the service keeps on purpose: the latest events, eight megabytes of them.
    const large = { name: 'kept', description: 'x'.repeat(10000) };
    await inParallel(16, Array.from({ length: RING_BYTES / large.description.length + 100 }, () => () => ask(all.developer, 'POST', '/tasks', { body: large })));
    const duration = (isLong ? 600 : 20) * 1000 * (isLong ? 1 : Math.min(SCALE, 2));
    await mix(below, Date.now() + duration / 4); // pools and caches
    const start = webKib();
    const samples = [start];
    const timer = setInterval(() => samples.push(webKib()), 1000);
    const count = await mix(below, Date.now() + duration * 3 / 4);
    clearInterval(timer);
    // What was cut last is closed soon after; what leaks does not come back, however long it is looked at.
    if (!isSanitized) await until(() => webKib() - start < 4 * MEBIBYTE, 'the memory of the start').catch(() => {});
    const end = webKib();
    t.diagnostic(`${count} doings in ${duration * 3 / 4 / 1000} s: ${mib(start)} at the start, ${mib(end)} at the end, ${mib(Math.max(...samples))} at most`);
    assert.ok(isSanitized || end - start < 4 * MEBIBYTE, `${mib(start)}, then ${mib(end)}`);
    assert.ok(daemon.processes.get('web').isOver === undefined);
});
