// The schemas of schemas/ are valid ones of 2020-12, and what the decoders take is what they say: random values of every
// message, judged by both. The program prints its seed; ATES_SEED has a run again.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { missing, output, validator } from './tools.mjs';

const folder = new URL('../../schemas/', import.meta.url);
// What section 1 of PROTOCOL.md forbids in every map, and no schema can of a field that it does not know.
const BEYOND_SCHEMAS = /: an integer is beyond 2\^53-1$/;
const skip = missing('ajv') || missing('ajv-formats');

// By $id, whose end is the file's name; AsyncAPI's document is no schema.
function published() {
    const files = readdirSync(folder).filter((name) => name !== 'asyncapi.json');
    return new Map(files.map((name) => {
        const schema = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
        assert.equal(schema.$id, `urn:ates:1:${name.replace(/\.json$/, '')}`);
        assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
        return [schema.$id, schema];
    }));
}

// Strict, and held against the dialect's own schema.
test('every schema is one of JSON Schema 2020-12', { skip }, () => {
    const ajv = validator();

    for (const [id, schema] of published()) {
        assert.ok(ajv.validateSchema(schema), `${id}: ${JSON.stringify(ajv.errors)}`);
        ajv.compile(schema);
    }
    assert.ok(!ajv.validateSchema({ type: 'objekt' }) && !ajv.validateSchema({ minLength: -1 }));
});

test('a validator and the decoders agree', { skip }, () => {
    const ajv = validator();
    const schemas = published();
    const unseen = new Set(schemas.keys());
    const disagreements = [];
    const judged = { taken: 0, refused: 0 };
    let valid, of;

    for (const line of output('ATES_SCHEMA_CASES', { stdio: ['ignore', 'pipe', 'inherit'] }).trimEnd().split('\n')) {
        const { id, schema, value, taken, taken_as_json: asJson, why } = JSON.parse(line);
        if (id) {
            valid = ajv.compile(schema ?? schemas.get(id));
            unseen.delete(id);
            of = id;
            continue;
        }
        judged[taken ? 'taken' : 'refused'] += 1;
        if ((valid(value) !== taken && !BEYOND_SCHEMAS.test(why)) || (asJson ?? taken) !== taken) {
            disagreements.push(`${of}: ${JSON.stringify(value).slice(0, 500)}: the decoder says ` +
                `${taken ? 'yes' : why}, of JSON ${asJson}, the validator ${JSON.stringify(valid.errors)}`);
        }
    }
    assert.deepEqual(disagreements.slice(0, 10), []);
    assert.deepEqual([...unseen], []);
    assert.ok(judged.taken > 1000 && judged.refused > 1000, JSON.stringify(judged));
});
