// The OpenAPI document as others read it: a linter finds nothing, and each of its schemas is one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { missing, output, tools, validator } from './tools.mjs';

let folder;
let document;

before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ates-openapi-'));
    document = JSON.parse(output('ATES_OPENAPI_DOCUMENT'));
});
after(() => rmSync(folder, { recursive: true }));

// What redocly's recommended rules say of a document, with nothing turned off.
function lint(checked) {
    const path = join(folder, 'openapi.json');
    writeFileSync(path, JSON.stringify(checked));
    const result = spawnSync(join(tools, 'node_modules/.bin/redocly'),
        ['lint', path, '--extends=recommended', '--format=json'],
        { encoding: 'utf8', env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } });
    assert.ifError(result.error);
    const report = JSON.parse(result.stdout);
    return { status: result.status, problems: report.problems.map(({ ruleId, message, location }) =>
        `${ruleId}: ${message} at ${location?.[0]?.pointer}`) };
}

test('a linter has nothing to say', { skip: missing('@redocly/cli') }, () => {
    assert.deepEqual(lint(document), { status: 0, problems: [] });
});

// Else the test above could be one that cannot fail.
test('a linter sees what is wrong', { skip: missing('@redocly/cli') }, () => {
    const spoilt = structuredClone(document);
    delete spoilt.info.license;
    spoilt.paths['/tasks'].post.operationId = 'show_task';
    spoilt.components.schemas.nobody = { type: 'object' };
    const { problems } = lint(spoilt);
    for (const rule of ['info-license', 'operation-operationId-unique', 'no-unused-components']) {
        assert.ok(problems.some((problem) => problem.startsWith(rule)), `${rule}: ${problems.join('\n')}`);
    }
});

test('each schema is a schema', { skip: missing('ajv') || missing('ajv-formats') }, () => {
    const ajv = validator();
    ajv.addSchema({ $id: 'openapi', components: document.components }, 'openapi');
    ajv.addVocabulary(['components']);
    const names = Object.keys(document.components.schemas);
    assert.ok(names.length > 30);
    for (const name of names) {
        assert.equal(typeof ajv.getSchema(`openapi#/components/schemas/${name}`), 'function', name);
    }
});

test('the schema of problems tells them from what is none', { skip: missing('ajv') || missing('ajv-formats') }, () => {
    const valid = validator().compile(document.components.schemas.problem);
    const problem = { type: 'urn:ates:problem:FIELD_INVALID', title: 'The request is not right', status: 400,
        detail: 'name: 1 to 200 characters, got 0', reason: 'FIELD_INVALID', field: 'name' };
    assert.ok(valid(problem));
    assert.ok(valid({ ...problem, retry_after_ms: 1000 }));
    for (const change of [{ reason: 'not a word' }, { status: '400' }, { detail: undefined }, { type: 'about:blank' }]) {
        assert.ok(!valid(JSON.parse(JSON.stringify({ ...problem, ...change }))), JSON.stringify(change));
    }
});
