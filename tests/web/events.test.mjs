// Live events: who is sent what, and that nothing is lost or told twice whatever breaks in between. What an administrator
// is sent on a connection that nothing happens to is what all others are held against. ATES_SEED has a run again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { Client, contractOf, people, signIn, signInByCookie } from './support/client.mjs';
import { ADMIN, Daemon, until } from './support/daemon.mjs';
import { seeded } from './support/seed.mjs';
import { covers, placeOf, Stream } from './support/stream.mjs';
import { missing } from './tools.mjs';

const skip = missing('ajv') || missing('ajv-formats');
const BEAT_MS = 20000 * Number(process.env.ATES_TIME_SCALE ?? 1); // heartbeats come every 15 s
let daemon, base, contract, all;

before(async () => {
    if (skip) return;
    daemon = await new Daemon().startApart();
    base = daemon.base;
    contract = await contractOf(base);
    all = await people(base, contract);
    await follows();
});
after(() => daemon?.close());

// Until the services know each other's users, as a task for one of them tells.
async function follows() {
    await until(async () => (await all.manager.request('POST', '/tasks', { name: 'first', description: '' })).status === 201, 'a task');
}

// PROTOCOL.md, section 9.
const OVER_TASKS = ['administrator', 'manager'];
const OVER_MONEY = ['administrator', 'accountant'];
function sees({ id, role }, { producer, event_name: name, data }) {
    if (producer === 'auth') return OVER_TASKS.includes(role) || (name === 'user_changed' && data.user_id === id);
    if (producer === 'tasks') {
        if (OVER_TASKS.includes(role)) return true;
        return { task_created: [data.assigned_to, data.created_by], task_assigned: [data.from_user_id, data.assigned_to],
            task_completed: [data.completed_by] }[name]?.includes(id) ?? false;
    }
    return OVER_MONEY.includes(role) || (name === 'transfer_recorded' && data.transfer.user_id === id);
}

const keyOf = ({ producer, seq }) => `${producer}:${seq}`;

// What the user was sent is what they see of the reference's events, up to its place. Each producer's are in order, but not
// how those of different ones mix.
function assertSame(user, sent, { events, lastId }) {
    const place = placeOf(lastId);
    for (const producer of ['auth', 'tasks', 'accounting', 'payment']) {
        const expected = events.filter((event) => event.producer === producer && sees(user, event));
        const got = sent.filter((event) => event.producer === producer && event.seq <= place[producer]);
        assert.deepEqual(got.map(keyOf), expected.map(keyOf), `${user.login}'s events of ${producer}`);
        assert.deepEqual(got, expected);
    }
}

// Until the stream of an administrator has told of these tasks, and of a transfer for all that it told of tasks.
async function settle(reference, tasks) {
    const kinds = { task_created: 'assign_fee', task_assigned: 'assign_fee', task_completed: 'completion_reward' };
    const whose = ({ event_name: name, data }) => (name === 'task_completed' ? data.completed_by : data.assigned_to);
    await reference.until(() => {
        const created = new Set();
        const owed = new Map();
        const count = (key, change) => owed.set(key, (owed.get(key) ?? 0) + change);
        for (const event of reference.events) {
            const { event_name: name, data } = event;
            if (name === 'task_created' && created.has(data.task_id)) continue; // another version of it
            if (name === 'task_created') created.add(data.task_id);
            if (kinds[name]) count(`${kinds[name]} ${data.task_id} ${whose(event)}`, 1);
            if (name === 'transfer_recorded') count(`${data.transfer.kind} ${data.transfer.task_id} ${data.transfer.user_id}`, -1);
        }
        return tasks.every((id) => created.has(id)) && [...owed.values()].every((left) => left <= 0);
    }, 'the transfers of all tasks');
}

test('everybody is sent what they may see, and nothing else', { skip }, async () => {
    const streams = new Map();
    const reference = await Stream.open(all.administrator);
    const { id: begin } = await reference.hello();
    for (const client of Object.values(all)) {
        streams.set(client, client === all.administrator ? reference : await Stream.open(client, { lastId: begin }));
    }
    for (const [client, stream] of streams) {
        assert.deepEqual((await stream.hello()).data, { user_id: client.user.id, role: client.user.role });
    }
    await all.administrator.post('/users', { login: 'newcomer', password: 'a password', email: 'n@uberpopug.example', role: 'developer' });
    const tasks = [];
    for (let round = 0; round < 4; round++) {
        for (const client of Object.values(all)) {
            tasks.push((await client.post('/tasks', { name: `of ${client.user.login}`, description: 'told only to some' })).task.id);
        }
    }
    for (const client of [all.developer, all.developer2, all.boss]) {
        for (const { id } of (await client.get('/tasks/mine')).items.slice(0, 2)) await client.post(`/tasks/${id}/complete`);
    }
    await all.manager.post('/tasks/reassign');
    await settle(reference, tasks);
    await reference.until(() => reference.events.some(({ event_name: name }) => name === 'reassignment_finished'), 'its end');
    const truth = reference.events;
    const { lastId } = reference;
    for (const client of Object.keys(all)) await all[client].post('/tasks', { name: 'the last one', description: '' });
    for (const [client, stream] of streams) {
        await stream.until(() => covers(stream.lastId, lastId), `${client.user.login}'s place`, BEAT_MS);
        stream.close();
    }
    const isEvent = contract.validator({ $ref: '#/components/schemas/web_event' });
    for (const event of truth) assert.ok(isEvent(event), `${JSON.stringify(event)}: ${JSON.stringify(isEvent.errors)}`);
    for (const change of [{ event_name: 'other' }, { data: undefined }, { data: { ...truth[0].data, [Object.keys(truth[0].data)[0]]: [] } },
        { producer: 'web' }, { seq: 'first' }]) {
        assert.ok(!isEvent(JSON.parse(JSON.stringify({ ...truth[0], ...change }))), `${JSON.stringify(change)} is taken`);
    }
    const names = new Set(truth.map(({ event_name: name }) => name));
    for (const name of ['user_registered', 'task_created', 'task_assigned', 'task_completed', 'reassignment_started', 'task_priced',
        'transfer_recorded']) assert.ok(names.has(name), `${name} came`);
    for (const [{ user }, stream] of streams) {
        assertSame(user, stream.events, { events: truth, lastId });
        assert.ok(!stream.find('reset'));
    }
    assert.doesNotMatch(JSON.stringify(truth), /password|token_secret|\$argon2/);
    // What was told of money is what the accounts say.
    for (const client of [all.developer, all.developer2]) {
        const told = streams.get(client).events.filter(({ producer }) => producer === 'accounting').map(({ data }) => data.transfer.id);
        const { items } = await client.get('/accounts/me/transfers?limit=100');
        const ids = new Set(items.map(({ id }) => id));
        assert.ok(told.length > 0 && told.every((id) => ids.has(id)));
    }
});

// A client that loses its connection again and again, after a few messages or a few milliseconds, and goes on.
class Flaky {
    constructor(client, below, { isCalm = () => false, lastId } = {}) {
        Object.assign(this, { client, below, isCalm, lastId, messages: [], connections: 0, resets: [] });
        this.over = this.run();
        this.over.catch(() => {});
    }

    async run() {
        while (!this.isStopped) {
            const left = this.below(40);
            let taken = 0;
            this.connections++;
            const stream = new Stream(this.client, { lastId: this.lastId, asParameter: this.below(2) === 0,
                onMessage: (message, self) => {
                    if (message.event === 'reset') this.resets.push(`behind ${this.lastId}, to ${message.id}`);
                    if (message.event === 'message') this.messages.push(message.data);
                    this.lastId = self.lastId;
                    if (++taken > left && !this.isCalm()) self.close();
                } });
            this.stream = stream;
            const timer = this.below(3) === 0 ? setTimeout(() => this.isCalm() || stream.close(), this.below(60)) : undefined;
            const opened = await stream.opened.catch(() => null);
            if (opened && !this.isStopped) await stream.ended(2 ** 30).catch(() => {});
            clearTimeout(timer);
            this.lastId = stream.lastId || this.lastId; // a heartbeat's too
            if (!opened || stream.status !== 200) await pause(50); // the web service is away, or is told that auth is
        }
    }

    get place() {
        return this.stream.lastId || this.lastId || '';
    }

    async stop() {
        this.isStopped = true;
        this.stream.close();
        await this.over;
    }
}

// Creates tasks until it is stopped; each is there once it returns, whatever broke.
async function create(client, count, made, name) {
    for (let i = 0; i < count; i++) {
        const key = { 'idempotency-key': `${name}-${i}` };
        await until(async () => {
            const answer = await client.request('POST', '/tasks', { name: `${name} ${i}`, description: '' }, key).catch(() => null);
            if (answer?.status === 201) made.push(answer.json.task.id);
            else if (answer) assert.equal(answer.status, 503, answer.text);
            return answer?.status === 201;
        }, 'a task');
    }
}

// All hold what they may see of what the reference was told so far, once their place is where its is. A task of their own
// moves it: else a heartbeat would.
async function compare({ lastId, events }, flaky) {
    for (const { client } of flaky) await client.post('/tasks', { name: 'the last one', description: '' });
    for (const one of flaky) {
        await until(() => covers(one.place, lastId), `${one.client.user.login}'s place`, BEAT_MS * 2);
        assert.deepEqual(one.resets, [], `${one.client.user.login} was reset; the web service says: ${daemon.log('web')}`);
        assertSame(one.client.user, one.messages, { events, lastId });
    }
}

test('whoever goes on behind an id misses nothing and is told nothing twice', { skip }, async (t) => {
    const { below } = seeded(t);
    let calm = false;
    const stream = await Stream.open(all.administrator);
    await stream.hello();
    const calmest = await Stream.open(all.other); // nothing happens to it but heartbeats
    const flaky = [];
    t.after(() => Promise.all(flaky.map((one) => one.stop())));
    for (const client of [...Object.values(all), all.administrator]) {
        const one = new Flaky(client, below, { isCalm: () => calm });
        flaky.push(one);
        await until(() => one.lastId, 'its first id');
    }
    const before = flaky.map(({ messages }) => messages.length);
    assert.ok(before.every((count) => count === 0), 'nothing happens yet');
    const made = [];
    await Promise.all([all.manager, all.developer, all.developer2, all.other].map((client, i) => create(client, 60, made, `load ${i}`)));
    await settle(stream, made);
    calm = true;
    await compare(stream, flaky);
    await calmest.until(() => calmest.comments > 0, 'a heartbeat', BEAT_MS);
    assert.ok(covers(calmest.lastId, calmest.find('hello').id));
    const connections = flaky.reduce((sum, one) => sum + one.connections, 0);
    t.diagnostic(`${stream.events.length} events, ${flaky.length} clients, ${connections} connections`);
    assert.ok(stream.events.length >= 3 * made.length && connections > 5 * flaky.length);
    stream.close();
    calmest.close();
});

test('streams go on over restarts of the web and of services', { skip }, async (t) => {
    const { below } = seeded(t);
    const first = await Stream.open(all.administrator);
    const { id: begin } = await first.hello();
    first.close();
    let calm = false;
    const flaky = Object.values(all).map((client) => new Flaky(client, below, { isCalm: () => calm, lastId: begin }));
    t.after(() => Promise.all(flaky.map((one) => one.stop())));
    const made = [];
    let isOver = false;
    const load = Promise.all([0, 1, 2].map(async (i) => {
        for (let n = 0; !isOver || n === 0; n++) await create(all.manager, 5, made, `restart ${i} ${n}`);
    }));
    load.catch(() => {});
    const port = new URL(base).port;
    daemon.environment.ATES_WEB_LISTEN = `127.0.0.1:${port}`; // where its clients look for it
    for (const service of ['web', 'tasks', 'accounting', 'broker', 'auth', 'web']) {
        const count = made.length;
        await until(() => made.length > count + 5, 'some more tasks');
        await (below(2) === 0 ? daemon.kill(service) : daemon.stop(service));
        await daemon.start(service);
    }
    isOver = true;
    await load;
    // Nothing happens to this one, but it began before all of that: it is told from the logs.
    const stream = await Stream.open(all.administrator, { lastId: begin });
    await settle(stream, made);
    calm = true;
    await compare(stream, flaky);
    t.diagnostic(`${stream.events.length} events, ${flaky.reduce((sum, one) => sum + one.connections, 0)} connections`);
    stream.close();
});

test('an id of other logs, or of none, is told from one of these', { skip }, async () => {
    const first = await Stream.open(all.developer);
    const { id } = await first.hello();
    first.close();
    const place = placeOf(id);
    assert.match(place.tag, /^[0-9a-f]{8}$/);
    const other = place.tag === '00000000' ? '11111111' : '00000000';
    // One that is ahead of its logs is waited for: a moment ago the service may not have been this one.
    const foreign = [id.replace(place.tag, other), `${place.tag},auth:1,tasks:9007199254740991,accounting:1,payment:1`, `${place.tag},auth:1`, place.tag];
    await Promise.all(foreign.flatMap((lastId) => [false, true].map(async (asParameter) => {
        const stream = await Stream.open(all.developer, { lastId, asParameter });
        const reset = await stream.until(() => stream.find('reset'), `a reset behind ${lastId}`);
        assert.deepEqual(reset.data, {});
        assert.ok(covers(reset.id, id), 'and it goes on from now');
        assert.equal(stream.events.length, 0);
        stream.close();
    })));
    for (const wrong of ['x', '1', '1234567', `${id},`, `${id},tasks:1`, `${place.tag},tasks:-1`, `${place.tag},tasks:01`, `${place.tag},tasks:9007199254740992`,
        `${place.tag};tasks:1`, 'g'.repeat(8), 'a'.repeat(4000)]) {
        const { status, json } = await all.developer.request('GET', '/events', undefined, { 'last-event-id': wrong });
        assert.equal(status, 400, wrong);
        assert.equal(json.field, 'Last-Event-ID');
        const again = await all.developer.request('GET', `/events?last_event_id=${encodeURIComponent(wrong)}`);
        assert.equal(again.status, 400, wrong);
        assert.equal(again.json.field, 'last_event_id');
    }
    assert.equal((await all.developer.request('GET', '/events?user_id=1')).status, 400);
});

test('a stream ends with its user\'s right to it', { skip }, async () => {
    const { administrator } = all;
    assert.equal((await new Client(base, contract).request('GET', '/events')).status, 401);
    assert.equal((await new Client(base, contract, { token: 'made.up' }).request('GET', '/events')).status, 401);
    assert.equal((await new Client(base, contract, { cookie: `ates=${'A'.repeat(22)}` }).request('GET', '/events')).status, 401);
    const person = { login: 'leaver', password: 'password-of-leaver' };
    const { user_id: id } = await administrator.post('/users', { ...person, email: 'l@uberpopug.example', role: 'manager' });

    // Signed out: that session's streams, and no other's.
    const [page, elsewhere] = [await signInByCookie(base, contract, person), await signInByCookie(base, contract, person)];
    const [mine, other] = [await Stream.open(page), await Stream.open(elsewhere)];
    await mine.hello();
    await other.hello();
    assert.equal((await page.request('DELETE', '/session')).status, 204);
    await mine.ended();
    assert.equal(mine.find('bye').data.reason, 'SESSION_OVER');
    await administrator.post('/tasks', { name: 'still told', description: '' });
    await other.until(() => other.events.some(({ data }) => data.title === 'still told'), 'an event for the other session');
    other.close();

    // What an administrator does ends all of them, of cookies and of tokens; what comes after is not told.
    const ways = [[`/users/${id}/revoke`, {}], [`/users/${id}/role`, { role: 'other' }], [`/users/${id}/disable`, {}]];
    for (const [path, body] of ways) {
        const streams = [await Stream.open(await signInByCookie(base, contract, person)), await Stream.open(await signIn(base, contract, person))];
        for (const stream of streams) await stream.hello();
        await administrator.post(path, body);
        await administrator.post('/tasks', { name: `after ${path}`, description: '' });
        for (const stream of streams) {
            await stream.ended();
            assert.equal(stream.messages.at(-1).event, 'bye', path);
            assert.doesNotMatch(JSON.stringify(stream.messages), /after/, path);
        }
    }
});

// What ended on the client's side is noticed when something is sent to it, as it is where somebody is refused.
const openWhereThereIsRoom = (client) => until(async () => {
    const stream = await new Stream(client).opened;
    if (stream.status === 200) return stream;
    stream.close();
    return null;
}, 'room for a stream');

test('a user has 64 streams at most, and those who are gone give way', { skip }, async () => {
    const streams = [];
    for (let i = 0; i < 64; i++) streams.push(await openWhereThereIsRoom(all.boss));
    const refused = await all.boss.request('GET', '/events');
    assert.equal(refused.status, 429);
    assert.equal(refused.json.reason, 'TOO_MANY_STREAMS');
    assert.match(refused.headers.get('retry-after'), /^\d+$/);
    const other = await Stream.open(all.accountant);
    await other.hello();
    other.close();
    for (const stream of streams) stream.close();
    (await openWhereThereIsRoom(all.boss)).close();
    const head = await all.boss.request('HEAD', '/events');
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('content-type'), 'text/event-stream');
});
