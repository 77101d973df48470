// The npm packages that these tests need, from the folder that ATES_WEB_TOOLS names, else from this one's own
// node_modules; and the programs that are built for them.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const tools = process.env.ATES_WEB_TOOLS ?? here;
export const require = createRequire(join(tools, 'package.json'));

// Why a test cannot run here, or false: for node:test's skip.
export function missing(name) {
    return existsSync(join(tools, 'node_modules', name)) ? false : `npm package ${name} is not installed`;
}

// What the program that the environment names prints.
export function output(variable, options = {}) {
    const path = process.env[variable];
    if (!path) throw new Error(`${variable} names no program`);
    return execFileSync(path, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
}

// A validator of JSON Schema 2020-12, strict about schemas, which checks formats too.
export function validator() {
    const Ajv = require('ajv/dist/2020.js').default;
    const formats = require('ajv-formats').default;
    return formats(new Ajv({ strict: true, allErrors: false }));
}
