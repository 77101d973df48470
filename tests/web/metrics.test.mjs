// /metrics, /healthz and /readyz: what Prometheus and whoever starts services read.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Client, contractOf, people } from './support/client.mjs';
import { Daemon, until } from './support/daemon.mjs';
import { Stream } from './support/stream.mjs';
import { missing } from './tools.mjs';

const skip = missing('ajv') || missing('ajv-formats');
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const SERVICES = ['auth', 'tasks', 'accounting', 'analytics', 'payment'];
let daemon, base, contract, all, nobody;

before(async () => {
    if (skip) return;
    daemon = await new Daemon().startApart();
    base = daemon.base;
    contract = await contractOf(base);
    all = await people(base, contract);
    nobody = new Client(base, contract);
});
after(() => daemon?.close());

// The text as name{labels} -> value.
async function figures(client = nobody) {
    const answer = await client.request('GET', '/metrics');
    assert.equal(answer.status, 200, answer.text);
    const samples = answer.text.split('\n').filter((line) => line && !line.startsWith('#'))
        .map((line) => /^([a-z_]+(?:\{[^}]*\})?) (-?[\d.]+(?:e[+-]?\d+)?)$/.exec(line) ?? assert.fail(`no sample: ${line}`));
    assert.equal(new Set(samples.map(([, name]) => name)).size, samples.length, 'no sample twice');
    return { ...answer, values: new Map(samples.map(([, name, value]) => [name, Number(value)])) };
}

const lint = (text) => spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });

test('promtool has nothing to say of what all services count', { skip: skip || (!hasPromtool && 'promtool is not installed') }, async () => {
    for (let i = 0; i < 5; i++) await all.manager.request('POST', '/tasks', { name: 'counted', description: '' });
    await all.manager.request('GET', '/tasks?status=nonsense');
    await nobody.request('GET', '/tasks');
    const { text, headers } = await figures();
    assert.match(headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    const { status, stdout, stderr } = lint(text);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
    assert.notEqual(lint(text.replace('# TYPE ates_up gauge', '# TYPE ates_up counter')).status, 0, 'it does look');
});

test('every service is there, and what happens is counted', { skip }, async () => {
    const one = await figures();
    for (const service of SERVICES) {
        assert.equal(one.values.get(`ates_up{service="${service}"}`), 1);
        assert.ok(one.values.has(`ates_log_head_seq{service="${service}"}`));
    }
    const streams = [await Stream.open(all.other), await Stream.open(all.manager)];
    for (const stream of streams) await stream.hello();
    for (let i = 0; i < 7; i++) await all.developer.request('GET', '/accounts/me');
    for (let i = 0; i < 3; i++) await nobody.request('GET', '/accounts/me');
    const two = await figures();
    const grown = (name) => two.values.get(name) - one.values.get(name);
    assert.equal(grown('ates_web_streams'), 2);
    assert.equal(grown('ates_web_listeners'), 2);
    assert.ok(grown('ates_web_requests_total{status="2xx"}') >= 8, 'with the metrics themselves');
    assert.equal(grown('ates_web_requests_total{status="4xx"}'), 3);
    assert.equal(grown('ates_web_requests_total{status="5xx"}'), 0);
    assert.equal(grown('ates_commands_total{service="accounting",command="accounting.show_balance",status="OK"}')
        || two.values.get('ates_commands_total{service="accounting",command="accounting.show_balance",status="OK"}'), 7);
    assert.ok(grown('ates_web_request_duration_seconds_sum') > 0);
    streams.forEach((stream) => stream.close());
});

test('a service that is away is told as such, and health goes on', { skip }, async () => {
    assert.equal((await nobody.request('GET', '/healthz')).status, 200);
    assert.equal((await nobody.request('GET', '/readyz')).status, 200);
    await daemon.kill('analytics');
    await until(async () => (await nobody.request('GET', '/readyz')).status === 503, 'not ready');
    const unready = await nobody.request('GET', '/readyz');
    assert.match(unready.headers.get('retry-after'), /^\d+$/);
    assert.equal((await nobody.request('GET', '/healthz')).status, 200);
    const begun = Date.now();
    const { values } = await figures();
    assert.ok(Date.now() - begun < 10000, 'within its deadline');
    assert.equal(values.get('ates_up{service="analytics"}'), 0);
    assert.equal(values.get('ates_up{service="tasks"}'), 1);
    // Who asks it gets 503 with a time to come again, others are served.
    const [asked, other] = await Promise.all([all.administrator.request('GET', '/analytics/income/today'), all.administrator.request('GET', '/tasks?limit=1')]);
    assert.equal(asked.status, 503);
    assert.match(asked.headers.get('retry-after'), /^\d+$/);
    assert.equal(other.status, 200);
    await daemon.start('analytics');
    assert.equal((await all.administrator.request('GET', '/analytics/income/today')).status, 200);
    assert.equal((await figures()).values.get('ates_up{service="analytics"}'), 1);
});

test('who may read the metrics', { skip }, async () => {
    const reader = (path) => async (client, headers) => (await client.request('GET', path, undefined, headers)).status;
    const metrics = reader('/metrics');
    assert.equal(await metrics(nobody), 200, 'from this machine, where nothing is configured');
    // With an origin every client may be a proxy's on this machine: an administrator then, or who has the token.
    const file = join(daemon.folder, 'metrics-token');
    writeFileSync(file, 'the-token-of-the-metrics\n', { mode: 0o600 });
    const ways = [[{ ATES_WEB_ORIGIN: 'https://ates.example' }, 401], [{ ATES_WEB_METRICS_TOKEN_FILE: file }, 401]];
    for (const [settings, status] of ways) {
        await daemon.stop('web');
        Object.assign(daemon.environment, settings);
        await daemon.start('web');
        const here = (client) => Object.assign(Object.create(Client.prototype), client, { base: daemon.base });
        assert.equal(await metrics(here(nobody)), status);
        assert.equal(await metrics(here(all.administrator)), 200);
        assert.equal(await metrics(here(all.manager)), 403);
        assert.equal(await metrics(here(all.other)), 403);
        const right = await metrics(here(nobody), { authorization: 'Bearer the-token-of-the-metrics' });
        assert.equal(right, settings.ATES_WEB_METRICS_TOKEN_FILE ? 200 : 401);
        assert.equal(await metrics(here(nobody), { authorization: 'Bearer the-token-of-the-metric' }), 401);
        assert.equal(await metrics(here(nobody), { authorization: 'Bearer ' }), 401);
    }
});
