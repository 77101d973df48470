// schemas/asyncapi.json by AsyncAPI's own parser: the document is valid, its references lead somewhere, and its channels are
// the topics of schemas/.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { missing, require } from './tools.mjs';

const folder = new URL('../../schemas/', import.meta.url);
const text = readFileSync(new URL('asyncapi.json', folder), 'utf8');
const SERVICES = ['accounting', 'analytics', 'auth', 'payment', 'tasks'];

// What is wrong with a document. That AsyncAPI has later versions is not.
async function faults(document) {
    const { Parser } = require('@asyncapi/parser');
    const { document: parsed, diagnostics } = await new Parser().parse(document);
    const worse = diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version');
    return { parsed, faults: worse.map(({ path, message }) => `${path.join('/')}: ${message}`) };
}

test('the document is one of AsyncAPI', { skip: missing('@asyncapi/parser') }, async () => {
    const { parsed, faults: found } = await faults(text);

    assert.deepEqual(found, []);
    assert.equal(parsed.version(), '3.0.0');
    for (const message of parsed.allMessages().all()) {
        assert.ok(message.payload(), message.name());
    }
    const topics = readdirSync(folder).map((name) => name.replace(/\.json$/, ''))
        .filter((name) => /^[a-z]+\.[a-z_]+\.v[0-9]+$/.test(name) && !/_snapshot\.v[0-9]+$/.test(name));
    const expected = [...topics, ...SERVICES.map((name) => `${name}.head.v1`)].sort();
    assert.deepEqual(parsed.channels().all().map((channel) => channel.address()).sort(), expected);
    assert.deepEqual(parsed.operations().all().map((operation) => operation.action()), expected.map(() => 'send'));
});

test('a broken document would be found out', { skip: missing('@asyncapi/parser') }, async () => {
    const lost = JSON.parse(text);
    delete lost.components.schemas.envelope;
    assert.notDeepEqual((await faults(JSON.stringify(lost))).faults, []);
});
