// Requests that are wrong in every way that came to mind, some at random: each is answered by a refusal, or its
// connection is ended; nothing is changed by any of them, and the daemon goes on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Client, contractOf, people } from './support/client.mjs';
import { Daemon, until } from './support/daemon.mjs';
import { bodies, cuts, heads, request, sizes, smuggled, targets, TASK, types } from './support/malformed.mjs';
import { ask, Raw } from './support/raw.mjs';
import { seeded } from './support/seed.mjs';
import { missing } from './tools.mjs';

const skip = missing('ajv') || missing('ajv-formats');
let daemon, base, contract, all, state;

// Each service's number of the last event: what changes anything moves one of them.
async function positions() {
    const asked = [[all.administrator, '/users/me'], [all.manager, '/tasks?limit=1'], [all.accountant, '/accounts/me'], [all.accountant, '/payment/schedule']];
    const answers = await Promise.all(asked.map(([client, path]) => client.request('GET', path)));
    return answers.map(({ status, headers, text }, i) => {
        assert.equal(status, 200, `${asked[i][1]}: ${text}`);
        return headers.get('ates-seq');
    }).join();
}

before(async () => {
    if (skip) return;
    daemon = await new Daemon().start();
    base = daemon.base;
    contract = await contractOf(base);
    all = await people(base, contract);
    await until(async () => (await all.manager.request('POST', '/tasks', { name: 'first', description: '' })).status === 201, 'a task');
    // Prices and fees follow by themselves.
    await until(async () => (await all.accountant.get('/transfers')).items.length === 1, 'the fee');
    state = await positions();
});
after(() => daemon?.close());

// The answer's status, or null; told with all that it says where it is another one than expected.
function assertAnswer(name, answer, expect) {
    const status = answer?.status ?? null;
    assert.ok(expect.includes(status), `${name}: ${status}, not ${expect}: ${answer?.body.toString('latin1').slice(0, 500)}`);
    // The library itself refuses what it cannot read, in its own words.
    if (answer?.headers.get('content-type') === 'application/problem+json') {
        const valid = contract.validator(contract.document.components.schemas.problem);
        assert.ok(valid(JSON.parse(answer.body)), `${name}: ${answer.body}`);
    }
}

async function assertUnharmed(name) {
    assert.equal(await positions(), state, `${name}: something was changed`);
}

async function send({ name, bytes, expect, isLast, cut }) {
    const raw = new Raw(base);
    try {
        await raw.send(bytes);
        if (cut === 'close') return;
        if (cut === 'end') raw.end();
        assertAnswer(name, cut ? await raw.answerIfAny() : await raw.answer(), expect);
        if (isLast) assert.ok(!(await raw.closed()).includes('HTTP/1.'), `${name}: what stands behind it was heard: ${raw.bytes}`);
    } finally {
        raw.close();
    }
}

async function sendAll(t, rows) {
    for (const row of rows) {
        await send(row);
        await assertUnharmed(row.name);
    }
    t.diagnostic(`${rows.length} requests`);
}

const token = () => all.manager.token;

test('bodies', { skip }, (t) => sendAll(t, bodies(token())));
test('types of bodies', { skip }, (t) => sendAll(t, types(token())));
test('targets', { skip }, (t) => sendAll(t, targets(token())));
test('heads', { skip }, (t) => sendAll(t, heads(token())));
test('lengths that can be read in two ways', { skip }, (t) => sendAll(t, smuggled(token())));
test('sizes', { skip }, (t) => sendAll(t, sizes(token())));
test('cut connections', { skip }, (t) => sendAll(t, cuts(token())));

// Values of every kind: those that a field's schema refuses are wrong in its place.
const VALUES = [null, true, false, 0, -1, 1.5, 1e300, 2 ** 53, -(2 ** 53), '', ' ', 'x', 'x'.repeat(20000), '1', 'true', '\u0000', '\u0007', '\u0085', '2026-02-30', '2026-13-01', '26-1-1', '2026-01-01T00:00:00Z',
    'administrator ', 'ADMINISTRATOR', [], [1], ['x'], {}, { x: 1 }, [[[[[[]]]]]]];
const GOOD = { login: 'nobody-yet', email: 'nobody@uberpopug.example', password: 'long enough', role: 'developer', name: 'smuggled', description: '', old_password: 'the old one',
    new_password: 'the new one' };

// Who may call an operation, so that its fields are looked at.
function caller({ operationId, path }) {
    return /^\/(payouts|transfers|payment|income|mails)/.test(path) || operationId === 'pay_to_workers' ? all.accountant : all.administrator;
}

const path = (operation, id = '999999') => `/api/v1${operation.path.replace(/\{\w+\}/, id)}`;

test('fields of bodies', { skip }, async (t) => {
    let count = 0;
    for (const operation of contract.operations.filter(({ requestBody }) => requestBody)) {
        const { schema } = operation.requestBody.content['application/json'];
        const required = schema.required ?? [];
        const good = Object.fromEntries(required.map((field) => [field, GOOD[field]]));
        assert.ok(contract.validator(schema)(good), `${operation.operationId}: ${JSON.stringify(good)}`);
        const wrong = [...required.map((field) => ({ ...good, [field]: undefined })), { ...good, unknown: 1 }, { ...good, '': 1 }, { ...good, user_id: 1, task_id: 1 },
            ...Object.keys(schema.properties).flatMap((field) => VALUES.map((value) => ({ ...good, [field]: value })))];
        for (const body of wrong.map((value) => JSON.parse(JSON.stringify(value))).filter((value) => !contract.validator(schema)(value))) {
            const { status, text } = await caller(operation).request(operation.method, path(operation), body);
            assert.equal(status, 400, `${operation.operationId} ${JSON.stringify(body).slice(0, 300)}: ${text}`);
            count++;
        }
        await assertUnharmed(operation.operationId);
    }
    assert.ok(count > 100);
    t.diagnostic(`${count} requests`);
});

// As texts: wrong for anything but a text.
const TEXTS = ['', '+', 'x', '-1', '0x1', '1e3', '1.0', '%2B1', '+1', '1+', '01x', '1,', ',1', ',', '1;2', '99999999999999999999', '-99999999999999999999', '9007199254740992', '%D9%A1', 'null', 'TRUE', '1%E2%80%8B',
    '[]', '[1]', '"1"', '2026-02-30', '2026-2-3', '2026-01-01+', 'x'.repeat(5000)].filter((text) => !/["[\]]/.test(text));
// What of it is right for a number: the schema says from where to where.
const isNumber = (text, { type, minimum, maximum }) => type === 'integer' && /^-?\d+$/.test(text) && Number(text) >= minimum && Number(text) <= maximum;
const kind = ({ type, enum: words, format }) => (words ? 'word' : format === 'date' ? 'date' : type);

test('parameters', { skip }, async (t) => {
    let count = 0;
    for (const operation of contract.operations.filter(({ method, base: at, operationId }) => method === 'GET' && at !== '/' && operationId !== 'show_openapi')) {
        const fields = (operation.parameters ?? []).map((one) => contract.resolve(one)).filter((field) => field.in === 'query');
        const needed = fields.filter(({ required }) => required).map(({ name, schema }) => `${name}=${kind(schema) === 'date' ? '2026-01-01' : '1'}`);
        const queries = ['unknown=1', 'user_id[]=1', '__proto__=1'].map((text) => [...needed, text].join('&'));
        for (const { name, schema } of fields.filter(({ schema: one }) => kind(one) !== 'string')) {
            const others = needed.filter((text) => !text.startsWith(`${name}=`));
            queries.push(...TEXTS.filter((text) => !isNumber(text, schema)).map((text) => [...others, `${name}=${text}`].join('&')), [...others, name].join('&'), [...others, `${name}=1`, `${name}=1`].join('&'));
        }
        if (needed.length > 0) queries.push('');
        for (const query of queries) {
            const { status, text } = await caller(operation).request('GET', `${path(operation)}?${query}`);
            assert.equal(status, 400, `${operation.operationId}?${query}: ${text}`);
            count++;
        }
    }
    await assertUnharmed('parameters');
    assert.ok(count > 100);
    t.diagnostic(`${count} requests`);
});

test('ids in paths', { skip }, async (t) => {
    const ids = ['0', '-1', '+1', '1.0', '1e0', '0x1', 'x', '%20', '1%20', '%201', '9007199254740992', '99999999999999999999', '9'.repeat(3000), '1,2', '%D9%A1', 'null', '*', '..;', '1;x=y', '%F0%9F%A6%9C'];
    let count = 0;
    for (const operation of contract.operations.filter((one) => one.path.includes('{'))) {
        const required = operation.requestBody?.content['application/json'].schema.required ?? [];
        const body = operation.method === 'GET' ? undefined : JSON.stringify(Object.fromEntries(required.map((field) => [field, GOOD[field]])));
        for (const id of ids) {
            const { status, text } = await caller(operation).request(operation.method, path(operation, id), body);
            assert.equal(status, 400, `${operation.method} ${path(operation, id)}: ${text}`);
            count++;
        }
    }
    await assertUnharmed('ids');
    t.diagnostic(`${count} requests`);
});

// Bytes changed, put in, left out and cut off at random, of requests that could do no harm if they were let pass. No
// more comes behind, so that what is not whole ends.
test('changed at random', { skip }, async (t) => {
    const random = seeded(t);
    const originals = [request('POST', '/api/v1/tasks', { body: TASK }), request('GET', '/api/v1/tasks/mine?limit=5&status=open', { token: token() }),
        request('POST', '/api/v1/tasks/999999/complete', { token: token(), body: '{}' }), request('GET', '/', { headers: { 'Accept-Encoding': 'gzip;q=0.5, *', 'If-None-Match': '"x", W/"y"' } }),
        request('GET', '/api/v1/users/me', { headers: { Cookie: 'ates=AAAAAAAAAAAAAAAAAAAAAA; x=y' } }),
        `POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n{"nam\r\n3\r\ne":\r\n0\r\nX: y\r\n\r\n`];
    const byte = () => String.fromCharCode(random.pick([random.below(256), random.below(128), 0, 10, 13, 32, 37, 58, 47]));
    const rounds = 300;
    for (let i = 0; i < rounds; i++) {
        let bytes = random.pick(originals);
        for (let left = 1 + random.below(4); left > 0; left--) {
            const at = random.below(bytes.length + 1);
            const size = random.below(20);
            bytes = random.pick([() => bytes.slice(0, at) + byte() + bytes.slice(at + 1), () => bytes.slice(0, at) + byte().repeat(1 + size) + bytes.slice(at), () => bytes.slice(0, at) + bytes.slice(at + size),
                () => bytes.slice(0, at) + bytes.slice(at - size), () => bytes.slice(0, at)])();
        }
        const raw = new Raw(base);
        await raw.send(bytes);
        raw.end();
        const answer = await raw.answerIfAny({ isHead: bytes.startsWith('HEAD') });
        raw.close();
        assert.ok(!answer || answer.status < 500 || [501, 505].includes(answer.status), `${answer?.status}: ${answer?.body} for ${JSON.stringify(bytes)}`);
        if (i % 10 === 9) await assertUnharmed(`round ${i}: ${JSON.stringify(bytes)}`);
    }
});

// One byte at a time, and many who never get to the end: who is quick is answered as ever.
test('slow clients', { skip }, async () => {
    const bytes = request('POST', '/api/v1/tasks', { token: token(), body: '{"name":1}' });
    const slow = Array.from({ length: 30 }, () => new Raw(base));
    for (const [i, raw] of slow.entries()) await raw.send(bytes.slice(0, 1 + ((i * 37) % (bytes.length - 1))));
    const answer = await ask(base, [...bytes]);
    assert.equal(answer.status, 400, `${answer.body}`);
    assert.equal(JSON.parse(answer.body).field, 'name');
    const begun = Date.now();
    for (let i = 0; i < 20; i++) assert.equal((await new Client(base, contract).request('GET', '/healthz')).status, 200);
    assert.ok(Date.now() - begun < 5000, `${Date.now() - begun} ms for 20 requests`);
    assert.ok(slow.every(({ isOver }) => !isOver), 'they still have time');
    for (const raw of slow) raw.close();
    await assertUnharmed('slow');
});

test('after all of it', { skip }, async () => {
    const { status } = await all.manager.request('POST', '/tasks', { name: 'after all', description: '' });
    assert.equal(status, 201);
    assert.deepEqual((await all.manager.get('/tasks')).items.map(({ name }) => name), ['first', 'after all']);
    await daemon.stop();
});
