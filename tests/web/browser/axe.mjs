// What axe-core finds on the page that is shown: WCAG 2.0 to 2.2, A and AA, and its best practices.
import assert from 'node:assert/strict';

import { require } from '../tools.mjs';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
let source;

export async function assertAccessible(page, what) {
    source ??= require('axe-core').source;
    if (!(await page.evaluate(() => window.axe !== undefined))) await page.evaluate(source);
    const { violations, passes } = await page.evaluate(
        (tags) =>
            window.axe.run(document, {
                runOnly: { type: 'tag', values: tags },
                rules: { 'target-size': { enabled: true } },
                resultTypes: ['violations'],
            }),
        TAGS,
    );
    assert.ok(passes.length > 10, `${what}: axe looked at nothing`);
    const found = violations.flatMap(({ id, help, nodes }) =>
        nodes.map((node) => `${id} (${help}): ${node.html.slice(0, 200)}: ${node.failureSummary.replace(/\s+/g, ' ')}`),
    );
    assert.deepEqual(found, [], what);
}
