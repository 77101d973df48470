// The client of examples/node, and the packages that it needs.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

export const examples = new URL('../../examples/node/', import.meta.url);
if (!existsSync(new URL('node_modules', examples))) throw new Error('try: npm ci --prefix examples/node --ignore-scripts');
export const client = await import(new URL('ates.mjs', examples));
export const follower = await import(new URL('follower.mjs', examples));
export const wire = await import(new URL('wire.mjs', examples));
export const { Dealer, Router } = createRequire(new URL('package.json', examples))('zeromq');
