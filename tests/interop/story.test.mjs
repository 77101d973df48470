// The client in JavaScript and its notifier against services that run: what is said, seen, refused and repeated.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ADMIN, Daemon, until } from '../web/support/daemon.mjs';
import { Router, client as ates, examples, follower as followers, wire } from './clients.mjs';

const { Client, NoReply } = ates;
const { Broken, Compacted, Follower, START, envelopeHash, loadCursor, saveCursor } = followers;
const PASSWORD = 'parrot-orbit-7';
const daemon = new Daemon();
const open = [];
let admin, ara, araId;

async function signedIn(login, password, options = {}) {
    const client = new Client({ runDir: daemon.run, timeoutMs: 60000, ...options });
    open.push(client);
    await client.signIn(login, password);
    return client;
}

const refused = (call, status, reason, field) => assert.rejects(call, (error) => {
    assert.deepEqual([error.status, error.reason, error.field], [status, reason, field]);
    return error.said.length > 0;
});

const create = (name) => until(() => admin.createTask(name).catch((error) => {
    if (error.reason !== 'NO_ASSIGNEES') throw error;
}), 'somebody to give it to');

before(async () => {
    await daemon.start('all');
    writeFileSync(join(daemon.folder, 'password'), `${ADMIN.password}\n`);
    admin = await signedIn(ADMIN.login, ADMIN.password);
    araId = await admin.registerUser('ara', 'ara@uberpopug.example', PASSWORD, 'developer');
    ara = await signedIn('ara', PASSWORD);
});

after(async () => {
    for (const one of open) one.close();
    await daemon.close();
});

test('a task from its creation to its reward, as a follower sees it', async () => {
    const follower = new Follower(admin, 'tasks', START);
    open.push(follower);
    const events = follower.follow();
    const next = async (isOne) => {
        for (;;) {
            const { value } = await events.next();
            if (isOne(value)) return value;
        }
    };
    const task = await create('Feed the parrots');
    const created = await next(({ data }) => data.task_id === task.id);
    assert.deepEqual([created.event_name, created.data.assigned_to], ['task_created', araId]);
    assert.equal((await ara.completeTask(task.id)).is_finished, true);
    await next(({ event_name, data }) => event_name === 'task_completed' && data.task_id === task.id);
    const balance = await until(async () => {
        const found = await ara.balance();
        return found.balance_cents > 0 && found;
    }, 'the reward');
    let sum = 0;
    for await (const { delta_cents } of ara.items('accounting.show_account_transfers', { limit: 1 })) sum += delta_cents;
    assert.equal(balance.balance_cents, sum);
});

test('refusals tell what is wrong', async () => {
    const task = await create('Once done, done');
    await refused(admin.completeTask(task.id), 'PERMISSION_DENIED', 'NOT_ASSIGNEE');
    await ara.completeTask(task.id);
    await refused(ara.completeTask(task.id), 'FAILED_PRECONDITION', 'ALREADY_FINISHED');
    await refused(ara.createTask(''), 'INVALID_ARGUMENT', 'FIELD_INVALID', 'name');
    await refused(ara.balance(1), 'PERMISSION_DENIED', 'ROLE_NOT_ALLOWED', 'user_id');
    await refused(signedIn('ara', 'abacus-orbit-7'), 'UNAUTHENTICATED', 'BAD_CREDENTIALS');
    const nobody = new Client({ runDir: daemon.run });
    open.push(nobody);
    await refused(nobody.createTask('a'), 'UNAUTHENTICATED', 'TOKEN_MISSING');
});

test('a repeated request id has one effect', async () => {
    await create('The first one');
    const body = { name: 'Once', description: '' };
    const first = await admin.call('tasks.create_task', body, { requestId: 'once-1' });
    const again = await admin.call('tasks.create_task', body, { requestId: 'once-1' });
    assert.deepEqual([first.replayed, again.replayed, again.requestId], [false, true, 'once-1']);
    assert.deepEqual(again.result, first.result);
    await refused(admin.call('tasks.create_task', { ...body, name: 'Twice' }, { requestId: 'once-1' }), 'FAILED_PRECONDITION', 'REQUEST_ID_REUSED');
});

test('many calls at once get each its own reply', async () => {
    await create('The first one');
    const names = Array.from({ length: 100 }, (_, i) => `task ${i}`);
    const tasks = await Promise.all(names.map((name) => admin.createTask(name)));
    assert.deepEqual(tasks.map(({ name }) => name), names);
});

test('a token is renewed, and silence is no failure', async () => {
    const own = await signedIn('ara', PASSWORD);
    const { token } = own;
    await own.renewToken();
    assert.notEqual(own.token, token);
    await own.balance();
    const lost = new Client({ runDir: join(daemon.folder, 'nowhere'), timeoutMs: 300 });
    open.push(lost);
    await assert.rejects(lost.call('tasks.health', {}, { requestId: 'asked-1' }), (error) => error instanceof NoReply && error.requestId === 'asked-1');
});

function notify(...options) {
    const made = spawnSync(process.execPath, [fileURLToPath(new URL('notify.mjs', examples)), '--run', daemon.run, '--login', ADMIN.login,
        '--password-file', join(daemon.folder, 'password'), ...options], { encoding: 'utf8' });
    return { code: made.status, out: made.stdout, said: made.stderr };
}

test('the notifier goes on where it was, and stops at a log that is another', async () => {
    const cursor = join(daemon.folder, 'cursor');
    const task = await create('Somebody is told');
    const { code, out } = notify('--cursor', cursor, '--once');
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^\\d+ @ara: you have a new task ${task.id}: Somebody is told$`, 'm'));
    const { seq } = loadCursor(cursor);
    await ara.completeTask(task.id);
    assert.equal(notify('--cursor', cursor, '--once').out, `${seq + 1} @ara: task ${task.id} is done, well done\n`);
    assert.equal(notify('--cursor', cursor, '--once').out, '');
    saveCursor(cursor, { ...loadCursor(cursor), hash: '11'.repeat(32) });
    await create('And another');
    const broken = notify('--cursor', cursor, '--once');
    assert.equal(broken.code, 3, broken.said);
    assert.match(broken.said, /hash chain/);
    assert.equal(broken.out, '');
});

// A producer of six events, those up to base gone; while its snapshot is read it is compacted once more.
async function serve(router, log, asked) {
    let base = 3, cutOnce = 4;
    for await (const frames of router) {
        const command = frames.at(-3).toString(), body = wire.decode(frames.at(-1));
        asked.push([command, body.after_seq, body.task_id]);
        let status = 'OK', reply;
        if (command === 'tasks.complete_task') { // no reply to the first one; then, by its id, a refusal
            if (asked.filter(([name, , id]) => name === command && id === body.task_id).length === 1) continue;
            const [word, reason] = [['UNAUTHENTICATED', 'TOKEN_REVOKED'], ['FAILED_PRECONDITION', 'ALREADY_FINISHED'],
                ['UNAUTHENTICATED', 'BAD_CREDENTIALS']][body.task_id - 1];
            await router.send([...frames.slice(0, -4), 'ATES/1', word, wire.encode({ seq: 6 }), wire.encode({ reason, message: 'so' })]);
            continue;
        }
        if (command === 'tasks.read_events' && asked.filter(([name, seq]) => name === command && seq === body.after_seq).length === 1) {
            [status, reply] = ['RESOURCE_EXHAUSTED', { reason: 'STORE_FULL', message: 'the first time' }];
        } else if (command === 'tasks.read_events' && body.after_seq < base) {
            [status, reply] = ['FAILED_PRECONDITION', { reason: 'EVENTS_COMPACTED', message: 'they were cut off' }];
        } else if (command === 'tasks.read_events') {
            reply = { log_id: log.id, head_seq: 6, events: log.events.slice(body.after_seq) };
        } else {
            reply = { log_id: log.id, seq: base, hash: log.hashes[base], items: [{ event_name: 'task_snapshot', event_version: 1, data: { base } }] };
            if (!body.after) [reply.next, base, cutOnce] = ['more', cutOnce || base, 0];
        }
        await router.send([...frames.slice(0, -4), 'ATES/1', status, wire.encode({ seq: 6 }), wire.encode(reply)]);
    }
}

test('what was compacted is told from what is broken, and a second refusal from the first silence', async () => {
    const log = { id: '01890a5d-ac96-774b-bcce-b302099a8057', events: [], hashes: [new Uint8Array(32)] };
    for (let seq = 1; seq <= 6; seq++) {
        log.events.push(wire.encode({ event_id: 'e', event_name: 'task_completed', event_version: 1, event_time: 1, producer: 'tasks', log_id: log.id,
            seq, prev: log.hashes.at(-1), data: { task_id: seq, completed_by: araId } }));
        log.hashes.push(Buffer.from(envelopeHash(log.events.at(-1)), 'hex'));
    }
    const asked = [], router = new Router({ linger: 0 });
    open.push(router);
    await router.bind(`ipc://${daemon.folder}/fake.sock`);
    serve(router, log, asked).catch(() => {});
    const client = new Client({ runDir: daemon.run, endpoints: { tasks: `ipc://${daemon.folder}/fake.sock` } });
    open.push(client);
    const late = new Follower(client, 'tasks', { logId: log.id, seq: 2, hash: '00'.repeat(32) });
    const anew = new Follower(client, 'tasks', START);
    open.push(late, anew);
    await assert.rejects(late.catchUp().next(), Compacted);
    await assert.rejects(late.snapshot(), Compacted);
    assert.deepEqual((await anew.snapshot()).map(({ data }) => data.base), [4, 4], 'the one up to 3 was thrown away');
    const seen = [];
    for await (const { seq } of anew.catchUp()) seen.push(seq);
    assert.deepEqual(seen, [5, 6]);
    assert.deepEqual(asked.at(-1).slice(0, 2), ['tasks.read_events', 4]);
    await assert.rejects(client.completeTask(1, { requestId: 'done-1' }), (error) => error instanceof NoReply && error.requestId === 'done-1');
    await refused(client.completeTask(2), 'FAILED_PRECONDITION', 'ALREADY_FINISHED');
    await refused(client.completeTask(3), 'UNAUTHENTICATED', 'BAD_CREDENTIALS');
    log.events[5] = log.events[4].slice(); // seq 5 again, in the place of 6
    log.events[4] = log.events[3];
    const broken = new Follower(client, 'tasks', { logId: log.id, seq: 4, hash: '11'.repeat(32) });
    open.push(broken);
    await assert.rejects(broken.catchUp().next(), Broken);
    // The notifier's user signs in with the real auth, and the producer is this test: it must not be blocked meanwhile.
    const path = fileURLToPath(new URL('notify.mjs', examples));
    const told = await promisify(execFile)(process.execPath, [path, '--run', daemon.run, '--login', ADMIN.login, '--password-file',
        join(daemon.folder, 'password'), '--endpoint', `tasks=ipc://${daemon.folder}/fake.sock`, '--cursor', join(daemon.folder, 'no-cursor'), '--once'])
        .catch((error) => error);
    assert.equal(told.code, 4, told.stderr);
});
