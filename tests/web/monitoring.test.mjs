// docs/monitoring: what Prometheus and Grafana are given speaks of figures that there are.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { people } from './support/client.mjs';
import { Daemon, until } from './support/daemon.mjs';

const folder = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../docs/monitoring');
const read = (name) => readFileSync(join(folder, name), 'utf8');
const skip = spawnSync('promtool', ['--version']).status !== 0 && 'promtool is not installed';
let daemon, figures;

before(async () => {
    daemon = await new Daemon().start();
    const all = await people(daemon.base);
    await all.developer.post('/tasks', { name: 'counted', description: '' });
    await until(async () => {
        const text = await (await fetch(`${daemon.base}/metrics`)).text();
        figures = new Set(text.split('\n').map((line) => /^(?:# TYPE )?([a-z_]+)/.exec(line)?.[1]));
        return figures.has('ates_commit_duration_seconds_bucket');
    }, 'the figures');
});
after(() => daemon?.close());

const named = (expression) => [...expression.matchAll(/\bates_[a-z_]+/g)].map(([name]) => name);

test('the alarms are Prometheus\'s, and come when they should', { skip }, () => {
    for (const [command, file] of [['check config', 'prometheus.yml'], ['test rules', 'ates.rules.test.yml']]) {
        const { status, stdout, stderr } = spawnSync('promtool', [...command.split(' '), file], { cwd: folder, encoding: 'utf8' });
        assert.equal(status, 0, stdout + stderr);
    }
});

test('every alarm has a case, and looks at a figure that there is', () => {
    const rules = read('ates.rules.yml');
    const alarms = [...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name);
    assert.ok(alarms.length > 10);
    for (const alarm of alarms) assert.match(read('ates.rules.test.yml'), new RegExp(`eval_time: \\d+m\\s+alertname: ${alarm}\\s`), alarm);
    for (const [, expression] of rules.matchAll(/expr: (.*)/g)) {
        for (const name of named(expression)) assert.ok(figures.has(name), name);
    }
});

test('every alarm is explained to operators', () => {
    const headings = [...readFileSync(join(folder, '../operations.md'), 'utf8').matchAll(/^### (Ates\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(headings, [...read('ates.rules.yml').matchAll(/alert: (\w+)/g)].map(([, name]) => name));
});

test('every panel of the dashboard shows a figure that there is', () => {
    const targets = JSON.parse(read('grafana.json')).panels.flatMap(({ targets = [] }) => targets);
    assert.ok(targets.length > 20);
    for (const { expr } of targets) {
        const names = named(expr);
        assert.ok(names.length > 0, expr);
        for (const name of names) assert.ok(figures.has(name), name);
    }
});

test('its expressions are Prometheus\'s', { skip }, () => {
    const targets = JSON.parse(read('grafana.json')).panels.flatMap(({ targets: some = [] }) => some);
    const rules = targets.map(({ expr }, i) => ({ record: `panel:${i}`, expr: expr.replaceAll('$__rate_interval', '1m') }));
    const path = join(daemon.folder, 'panels.yml'); // JSON is YAML
    writeFileSync(path, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', path], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
});
