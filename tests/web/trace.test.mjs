// A request's W3C traceparent: through its command into the events, into those that follow from them, and into the
// journal of every service on the way.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';

import { Client, contractOf, people } from './support/client.mjs';
import { Daemon, until } from './support/daemon.mjs';
import { missing } from './tools.mjs';

const skip = missing('ajv') || missing('ajv-formats');
const events = []; // all that was published, in order of arrival
let daemon, tail, all, nobody;

before(async () => {
    if (skip) return;
    daemon = await new Daemon().startApart();
    const contract = await contractOf(daemon.base);
    // Whoever has heard the heads of these has missed nothing that comes later.
    tail = spawn(process.env.ATESCTL, ['events', 'tail', '-o', 'json', '--run', daemon.run], { env: daemon.environment, stdio: ['ignore', 'pipe', 'ignore'] });
    let rest = '';
    tail.stdout.setEncoding('utf8').on('data', (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        events.push(...lines.map((line) => JSON.parse(line)));
    });
    all = await people(daemon.base, contract);
    nobody = new Client(daemon.base, contract);
    await until(async () => {
        await all.developer.request('POST', '/tasks', { name: 'first', description: '' });
        return events.some(({ topic }) => topic === 'accounting.transfer_recorded.v1');
    }, 'events');
});
after(async () => {
    tail?.kill();
    await daemon?.close();
});

function trace(flags = '01') {
    const id = randomBytes(16).toString('hex');
    return { id, headers: { traceparent: `00-${id}-${randomBytes(8).toString('hex')}-${flags}` } };
}

const of = ({ headers }) => events.filter(({ cause }) => cause?.traceparent === headers.traceparent).map(({ topic }) => topic);
const lines = (service, { id }) => daemon.log(service).split('\n').filter((line) => line.includes(id)).map((line) => JSON.parse(line));

test('a traced request is known by its trace in every event that comes of it', { skip }, async () => {
    const made = trace();
    const { status } = await all.developer.request('POST', '/tasks', { name: 'traced', description: '' }, made.headers);
    assert.equal(status, 201);
    await until(() => of(made).includes('accounting.transfer_recorded.v1'), 'the fee');
    assert.deepEqual(of(made).sort(), ['accounting.task_priced.v1', 'accounting.transfer_recorded.v1', 'tasks.task_created.v2']);
});

test('the journals tell of it, if its sender records it', { skip }, async () => {
    const made = trace(), silent = trace('00');
    for (const { headers } of [made, silent]) {
        await all.developer.request('POST', '/tasks', { name: 'told', description: '' }, headers);
    }
    await until(() => of(silent).length === 3 && lines('accounting', made).length > 0, 'the fees');
    await until(() => lines('tasks', made).length > 0, 'its line');
    const [told] = lines('tasks', made);
    assert.deepEqual({ ...told, time: 0, seq: 0, microseconds: 0 }, { time: 0, level: 'info', service: 'tasks',
        message: 'create_task: OK', command: 'create_task', status: 'OK', seq: 0, microseconds: 0, trace: made.id });
    assert.ok(told.seq > 0 && told.microseconds > 0);
    assert.equal(lines('accounting', made)[0].message, 'tasks.task_created is taken in');
    for (const service of ['tasks', 'accounting', 'analytics']) assert.deepEqual(lines(service, silent), []);
});

test('jobs keep the trace of who began them', { skip }, async () => {
    const dealt = trace();
    const { status, json: body } = await all.manager.request('POST', '/tasks/reassign', {}, dealt.headers);
    assert.equal(status, 200);
    assert.ok(body.reassigned > 0);
    await until(() => of(dealt).filter((topic) => topic === 'accounting.transfer_recorded.v1').length === body.reassigned, 'the fees');
    assert.equal(of(dealt).filter((topic) => topic === 'tasks.task_assigned.v1').length, body.reassigned);
    assert.ok(of(dealt).includes('tasks.reassignment_finished.v1'));

    const paid = trace();
    assert.equal((await all.accountant.request('POST', '/payment/run', {}, paid.headers)).status, 200);
    await until(() => ['accounting.payout_closed.v1', 'payment.payment_run.v1'].every((topic) => of(paid).includes(topic)), 'the payout');
    await until(() => lines('accounting', paid).some(({ command }) => command === 'pay_to_workers'), 'its line');
});

test('what is no traceparent is left out', { skip }, async () => {
    const before = events.length;
    for (const traceparent of ['00-zz', '', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, 'x'.repeat(300)]) {
        assert.equal((await all.developer.request('POST', '/tasks', { name: 'odd', description: '' }, { traceparent })).status, 201);
    }
    await until(() => events.slice(before).filter(({ topic }) => topic === 'accounting.task_priced.v1').length >= 4, 'the prices');
    assert.ok(events.slice(before).every(({ cause }) => cause.traceparent === undefined));
});

test('who is not signed in leaves only lines of the audit', { skip }, async () => {
    const made = trace();
    await nobody.request('POST', '/session', { login: 'nobody-is-called-so', password: 'a wrong guess' }, made.headers);
    await nobody.request('POST', '/users', { login: 'late', email: 'late@uberpopug.example', password: 'password-of-late', role: 'other' }, made.headers);
    await until(() => of(made).includes('auth.user_registered.v1'), 'the user');
    await until(() => lines('auth', made).length === 2, 'its lines');
    const told = lines('auth', made).map(({ message, client, user_id, reason }) => ({ message, client, user_id, reason }));
    assert.deepEqual(told[0], { message: 'auth_user: refused: BAD_CREDENTIALS', client: '127.0.0.1', user_id: undefined, reason: 'BAD_CREDENTIALS' });
    assert.equal(told[1].message, 'register_user: done');
    assert.ok(told[1].user_id > 0);
});

test('the journal tells who was let in and who was not', { skip }, async () => {
    const told = (service, { id }) => lines(service, { id }).map(({ status, user_id, client }) => ({ status, user_id, client }));
    const [right, wrong, other] = [trace('00'), trace('00'), trace('00')];
    const { json: { user } } = await nobody.request('POST', '/session', { login: 'manager', password: 'password-of-manager' }, right.headers);
    await nobody.request('POST', '/session', { login: 'manager', password: 'password-of-menager' }, wrong.headers);
    await all.developer.request('POST', '/tasks/reassign', {}, other.headers);
    await until(() => told('auth', wrong).length + told('tasks', other).length === 2, 'the lines');
    assert.deepEqual(told('auth', right), [{ status: 'OK', user_id: user.id, client: '127.0.0.1' }]);
    assert.deepEqual(told('auth', wrong), [{ status: 'UNAUTHENTICATED', user_id: user.id, client: '127.0.0.1' }]);
    assert.equal(told('tasks', other)[0].status, 'PERMISSION_DENIED');
    assert.ok(!['auth', 'tasks', 'web'].some((service) => daemon.log(service).includes('password-of')));
});
