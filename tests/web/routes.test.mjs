// Every operation of the API by every role, as PROTOCOL.md section 7 has it; sessions, other sites' requests, repeats,
// and other people's data behind other ids. Every answer is held against the OpenAPI document.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Client, contractOf, people, ROLES, signIn, signInByCookie } from './support/client.mjs';
import { ADMIN, Daemon, until } from './support/daemon.mjs';
import { missing } from './tools.mjs';

const skip = missing('ajv') || missing('ajv-formats');
let daemon, base, contract, all, nobody;

before(async () => {
    if (skip) return;
    daemon = await new Daemon().start();
    base = daemon.base;
    contract = await contractOf(base);
    all = await people(base, contract);
    nobody = new Client(base, contract);
    await until(async () => (await all.manager.request('POST', '/tasks', { name: 'first', description: '' })).status === 201, 'a task');
});
after(() => daemon?.close());

// Who may: e everybody, nobody signed in too; u every user; else the roles' first letters. What an allowed one is answered.
const MAY = {
    show_session: ['e', 'GET /session', 200], auth_user: ['e', 'POST /session', 400], renew_token: ['u', 'PUT /session', 200],
    sign_out: ['e', 'DELETE /session', [204, 409]], change_password: ['u', 'POST /session/password', 400],
    show_settings: ['e', 'GET /settings', 200],
    register_user: ['e', 'POST /users', 400], show_all_users: ['am', 'GET /users', 200], show_me: ['u', 'GET /users/me', 200],
    find_logins: ['amc', 'GET /users/find?prefix=A', 200],
    show_logins: ['u', 'GET /users/logins?user_ids=1,2', 200], show_user: ['am', 'GET /users/1', 200],
    change_role: ['a', 'POST /users/999/role {"role":"boss"}', 404], disable_user: ['a', 'POST /users/999/disable', 404],
    enable_user: ['a', 'POST /users/999/enable', 404], reset_password: ['a', 'POST /users/999/password {"new_password":"a new word"}', 404],
    revoke_sessions: ['a', 'POST /users/999/revoke', 404],
    create_task: ['u', 'POST /tasks {"name":"x","description":""}', 201], show_all_assigned_tasks: ['am', 'GET /tasks', 200],
    show_my_assigned_tasks: ['u', 'GET /tasks/mine', 200], reassign_tasks: ['am', 'POST /tasks/reassign {"dry_run":true}', 200],
    show_task: ['u', 'GET /tasks/999999', 404], show_task_log: ['u', 'GET /tasks/999999/log', 404],
    complete_task: ['u', 'POST /tasks/999999/complete', 404],
    show_my_balance: ['u', 'GET /accounts/me', 200], show_my_transfers: ['u', 'GET /accounts/me/transfers', 200],
    show_balance: ['ac', 'GET /accounts/1', 200], show_account_transfers: ['ac', 'GET /accounts/1/transfers', 200],
    show_all_account_transfers: ['c', 'GET /transfers', 200], pay_to_workers: ['c', 'POST /payouts {"dry_run":true}', [200, 409, 503]],
    show_income: ['ac', 'GET /income', 200], show_mails: ['ac', 'GET /mails', 200], show_mail: ['ac', 'GET /mails/999', 404],
    retry_mail: ['ac', 'POST /mails/999/retry', 404],
    today_income: ['a', 'GET /analytics/income/today', 200],
    show_analytics_income: ['a', 'GET /analytics/income?from_date=2026-01-01&to_date=2026-01-02', 200],
    negative_balances: ['a', 'GET /analytics/negative-balances', 200],
    show_the_most_expensive_task: ['a', 'GET /analytics/most-expensive-task?period=week', 200],
    show_schedule: ['ac', 'GET /payment/schedule', 200], run_payment: ['ac', 'POST /payment/run {"business_date":"2999-01-01"}', 400],
};
const LETTERS = { administrator: 'a', manager: 'm', developer: 'd', boss: 'b', accountant: 'c', other: 'o' };
// By other ways: probes, and a stream that lasts (events.test.mjs); my own sessions end last of all.
const APART = ['follow_events', 'revoke_my_sessions', 'show_openapi'];

test('every operation by every role', { skip }, async (t) => {
    const known = contract.operations.filter(({ base }) => base !== '/').map(({ operationId }) => operationId);
    assert.deepEqual(known.filter((id) => !MAY[id] && !APART.includes(id)), [], 'an operation without a row here');
    assert.deepEqual(Object.keys(MAY).filter((id) => !known.includes(id)), [], 'a row here without an operation');
    let cells = 0;
    for (const [id, [who, call, expected]] of Object.entries(MAY)) {
        const [method, path, ...rest] = call.split(' ');
        const body = rest.length > 0 ? rest.join(' ') : undefined;
        assert.equal(contract.find(method, `/api/v1${path}`).operationId, id);
        for (const role of [...Object.keys(LETTERS), 'nobody']) {
            const client = role === 'nobody' ? nobody : all[role];
            const may = who === 'e' || (role !== 'nobody' && (who === 'u' || who.includes(LETTERS[role])));
            const { status, json, text } = await client.request(method, path, body);
            const name = `${role}: ${call}: ${status} ${text}`;
            cells++;
            if (may) {
                assert.ok([expected].flat().includes(status), name);
            } else if (role === 'nobody') {
                assert.equal(status, 401, name);
                assert.match(json.reason, /^TOKEN_MISSING$/, name);
            } else {
                assert.equal(status, 403, name);
                assert.equal(json.reason, 'ROLE_NOT_ALLOWED', name);
            }
        }
    }
    t.diagnostic(`${cells} cells`);
});

test('another user\'s data cannot be reached by changing an id', { skip }, async () => {
    const { developer, developer2, administrator, accountant } = all;
    const ids = new Map(Object.values(all).map((client) => [client.user.id, client]));
    // Tasks of everybody, until each of the two has one that the other has nothing to do with.
    const own = {};
    await until(async () => {
        const { task } = await administrator.post('/tasks', { name: 'private matters', description: 'only for one' });
        own[task.assigned_to] = task.id;
        return own[developer.user.id] && own[developer2.user.id];
    }, 'a task for each developer');
    for (const [one, other] of [[developer, developer2], [developer2, developer]]) {
        const task = own[other.user.id];
        for (const [method, path] of [['GET', `/tasks/${task}`], ['GET', `/tasks/${task}/log`], ['POST', `/tasks/${task}/complete`]]) {
            const { status, text } = await one.request(method, path);
            assert.equal(status, 403, `${method} ${path}: ${text}`);
            assert.doesNotMatch(text, /private matters/);
        }
        for (const path of [`/users/${other.user.id}`, `/accounts/${other.user.id}`, `/accounts/${other.user.id}/transfers`,
            '/transfers', '/mails', '/mails/1', '/users', '/tasks']) {
            assert.equal((await one.request('GET', path)).status, 403, path);
        }
        for (const path of [`/tasks/mine?assigned_to=${other.user.id}`, `/accounts/me?user_id=${other.user.id}`,
            `/accounts/me/transfers?user_id=${other.user.id}`, `/users/me?user_id=${other.user.id}`]) {
            const { status, json } = await one.request('GET', path);
            assert.equal(status, 400, path);
            assert.equal(json.reason, 'FIELD_UNKNOWN', path);
        }
        const revoke = await one.request('POST', '/users/me/revoke', { user_id: other.user.id });
        assert.equal(revoke.status, 400, revoke.text);
        assert.equal((await one.request('POST', `/users/${other.user.id}/revoke`)).status, 403);
        const mine = await one.get('/tasks/mine?status=all');
        assert.ok(mine.items.every(({ assigned_to }) => assigned_to === one.user.id));
        const ledger = await one.get('/accounts/me/transfers');
        assert.ok(ledger.items.every(({ user_id }) => user_id === one.user.id));
    }
    assert.equal((await accountant.request('GET', `/accounts/${developer.user.id}`)).status, 200);
    assert.ok(ids.size > 5);
});

test('requests of other sites are refused', { skip }, async () => {
    const page = await signInByCookie(base, contract, { login: 'developer', password: all.developer.password });
    const task = { name: 'from elsewhere', description: '' };
    const host = new URL(base).host;
    const port = Number(host.split(':')[1]);
    const before = (await all.administrator.get('/tasks?query=elsewhere')).items.length;
    const elsewhere = [
        { 'ates-session': null }, { 'ates-session': 'yes' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' },
        { 'sec-fetch-site': 'none' }, { origin: 'https://evil.example' }, { origin: 'null' }, { origin: `https://${host}` },
        { origin: `http://127.0.0.1:${port + 1}` }, { origin: `http://localhost:${port}` }, { origin: `${base}.evil.example` },
        { origin: `${base}/` },
    ];
    for (const headers of elsewhere) {
        for (const [method, path, body] of [['POST', '/tasks', task], ['DELETE', '/session'], ['PUT', '/session'], ['POST', '/users/me/revoke']]) {
            const { status, json, text } = await page.request(method, path, body, headers);
            assert.equal(status, 403, `${JSON.stringify(headers)} ${method} ${path}: ${text}`);
            assert.equal(json.reason, 'CROSS_SITE');
        }
        if (headers['ates-session'] === undefined) {
            const { status } = await nobody.request('POST', '/session', { login: 'developer', password: all.developer.password },
                { 'ates-session': 'cookie', ...headers });
            assert.equal(status, 403, `sign-in ${JSON.stringify(headers)}`);
        }
    }
    assert.equal((await all.administrator.get('/tasks?query=elsewhere')).items.length, before, 'nothing was made');
    for (const headers of [{}, { origin: base }, { origin: base, 'sec-fetch-site': 'same-origin' }]) {
        assert.equal((await page.request('POST', '/tasks', task, headers)).status, 201, JSON.stringify(headers));
    }
    // A form of another site cannot name a JSON body's type.
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp']) {
        const { status } = await all.developer.request('POST', '/tasks', JSON.stringify(task), { 'content-type': type });
        assert.equal(status, 415, type);
    }
});

test('a session\'s life', { skip }, async () => {
    const person = { login: 'developer', password: all.developer.password };
    const answer = await nobody.request('POST', '/session', person, { 'ates-session': 'cookie' });
    const set = answer.headers.get('set-cookie');
    assert.match(set, /^ates=[A-Za-z0-9_-]{22}; Path=\/; HttpOnly; SameSite=Strict$/);
    assert.equal(answer.json.token, undefined, 'a page has no use for the token');
    assert.equal(answer.json.user.login, 'developer');
    const page = new Client(base, contract, { cookie: set.split(';')[0] });
    assert.equal((await page.get('/session')).user.login, 'developer');
    assert.equal((await page.get('/users/me')).login, 'developer');
    const renewed = await page.do('PUT', '/session');
    assert.equal(renewed.token, undefined);
    assert.ok(renewed.expires_at > Date.now());
    const out = await page.request('DELETE', '/session');
    assert.equal(out.status, 204);
    assert.match(out.headers.get('set-cookie'), /^ates=; .*Max-Age=0/);
    const gone = await page.request('GET', '/users/me');
    assert.equal(gone.status, 401);
    assert.equal(gone.json.reason, 'SESSION_UNKNOWN');
    const told = await page.request('GET', '/session');
    assert.deepEqual(told.json, {}, 'nobody, without an error');
    // Answers of an old session may arrive after a new sign-in of another tab, and must not take its cookie away.
    for (const { headers } of [told, gone]) assert.equal(headers.get('set-cookie'), null);
    // Who keeps the old cookie may do what nobody may.
    await page.post('/users', { login: 'newcomer', password: 'password-of-newcomer', email: 'new@uberpopug.example', role: 'other' });
    // Made up, too short, too long, of another form.
    for (const cookie of ['ates=', 'ates=AAAAAAAAAAAAAAAAAAAAAA', 'ates=x', `ates=${'A'.repeat(500)}`, 'ates="x"']) {
        const { status } = await new Client(base, contract, { cookie }).request('GET', '/users/me');
        assert.equal(status, 401, cookie);
    }
    // Ended by an administrator, by a change of role, and by being shut out.
    const { administrator, developer2 } = all;
    const id = developer2.user.id;
    const ways = [[`/users/${id}/revoke`, {}], [`/users/${id}/role`, { role: 'other' }], [`/users/${id}/role`, { role: 'developer' }],
        [`/users/${id}/disable`, {}]];
    for (const [path, body] of ways) {
        const again = await signInByCookie(base, contract, { login: 'developer2', password: developer2.password });
        assert.equal((await again.request('GET', '/tasks/mine')).status, 200);
        await administrator.post(path, body);
        await until(async () => (await again.request('GET', '/tasks/mine')).status === 401, `${path} ends the session`);
        assert.deepEqual(await again.get('/session'), {});
    }
    const refused = await nobody.request('POST', '/session', { login: 'developer2', password: developer2.password });
    assert.equal(refused.status, 403);
    assert.equal(refused.json.reason, 'USER_DISABLED');
    await administrator.post(`/users/${id}/enable`);
    all.developer2 = Object.assign(await signIn(base, contract, { login: 'developer2', password: developer2.password }),
        { password: developer2.password });
});

test('repeats with an Idempotency-Key', { skip }, async () => {
    const { manager } = all;
    const key = { 'idempotency-key': 'the very same' };
    const first = await manager.request('POST', '/tasks', { name: 'once', description: '' }, key);
    const second = await manager.request('POST', '/tasks', { name: 'once', description: '' }, key);
    assert.equal(first.status, 201);
    assert.equal(second.text, first.text);
    assert.equal(second.headers.get('idempotent-replayed'), 'true');
    assert.equal(first.headers.get('location'), `/api/v1/tasks/${first.json.task.id}`);
    const other = await manager.request('POST', '/tasks', { name: 'twice', description: '' }, key);
    assert.equal(other.status, 409);
    assert.equal(other.json.reason, 'REQUEST_ID_REUSED');
    assert.equal((await manager.get('/tasks?query=once')).items.length, 1);
    for (const wrong of ['x'.repeat(65), 'caf\u00e9', 'tab\there']) {
        const { status, json } = await manager.request('POST', '/tasks', { name: 'x', description: '' }, { 'idempotency-key': wrong });
        assert.equal(status, 400, wrong);
        assert.equal(json.field, 'Idempotency-Key');
    }
});

test('entity tags, HEAD and methods', { skip }, async () => {
    const { developer } = all;
    const first = await developer.request('GET', '/accounts/me');
    const etag = first.headers.get('etag');
    assert.match(etag, /^"[0-9a-f]{32}"$/);
    assert.equal(first.headers.get('cache-control'), 'private, no-cache');
    for (const [value, status] of [[etag, 304], [`W/${etag}`, 304], [`"x", ${etag}`, 304], ['*', 304], ['"x"', 200], ['x', 200]]) {
        const again = await developer.request('GET', '/accounts/me', undefined, { 'if-none-match': value });
        assert.equal(again.status, status, value);
        assert.equal(again.headers.get('etag'), etag);
    }
    const head = await developer.request('HEAD', '/accounts/me');
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal(head.headers.get('etag'), etag);
    for (const [method, path, allow] of [['DELETE', '/tasks', 'POST, GET, HEAD'], ['PUT', '/tasks/1', 'GET, HEAD'], ['POST', '/accounts/me', 'GET, HEAD'],
        ['POST', '/api/v1/openapi.json', 'GET, HEAD'], ['DELETE', '/healthz', 'GET, HEAD']]) {
        const { status, headers } = await developer.request(method, path);
        assert.equal(status, 405, `${method} ${path}`);
        assert.equal(headers.get('allow'), allow);
    }
    for (const path of ['/nothing', '/tasks/1/2/3', '/api/v2/tasks', '/api']) {
        const { status, json } = await developer.request('GET', path);
        assert.equal(status, 404, path);
        assert.equal(json.reason, 'ROUTE_UNKNOWN');
    }
});

test('sessions outlive the daemon, and it stops with everything answered', { skip }, async () => {
    const page = await signInByCookie(base, contract, ADMIN);
    await daemon.stop();
    await daemon.start();
    const again = new Client(daemon.base, contract, { cookie: page.cookie });
    assert.equal((await again.get('/session')).user.login, 'admin');
    await daemon.kill();
    await daemon.start();
    assert.equal((await new Client(daemon.base, contract, { cookie: page.cookie }).get('/session')).user.login, 'admin');
    await new Client(daemon.base, contract, { cookie: page.cookie }).post('/users/me/revoke');
    await until(async () => (await new Client(daemon.base, contract, { cookie: page.cookie }).request('GET', '/users/me')).status === 401,
        'my own sessions end');
    assert.ok(ROLES.length === 7);
});
