// What the decoder takes is what the schemas say: random values of every command, judged by both. The program
// prints its seed; ATES_SEED has a run again.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { missing, output, validator } from './tools.mjs';

test('a validator and the decoder agree', { skip: missing('ajv') || missing('ajv-formats') }, () => {
    const ajv = validator();
    const disagreements = [];
    const judged = { taken: 0, refused: 0 };
    let valid, owner;

    for (const line of output('ATES_SCHEMA_CASES', { stdio: ['ignore', 'pipe', 'inherit'] }).trimEnd().split('\n')) {
        const { schema, owner: service, name, value, taken, why } = JSON.parse(line);
        if (schema) {
            valid = ajv.compile(schema);
            owner = `${service}.${name}`;
            continue;
        }
        judged[taken ? 'taken' : 'refused'] += 1;
        if (valid(value) !== taken) {
            disagreements.push(`${owner}: ${JSON.stringify(value).slice(0, 500)}: the decoder says ` +
                `${taken ? 'yes' : why}, the validator ${JSON.stringify(valid.errors)}`);
        }
    }
    assert.deepEqual(disagreements.slice(0, 10), []);
    assert.ok(judged.taken > 1000 && judged.refused > 1000, JSON.stringify(judged));
});
