// The page's files as a browser gets them: small, once, and from nowhere else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { Daemon } from './support/daemon.mjs';
import { ask } from './support/raw.mjs';

const FIRST_LOAD_MAX = 100 * 1024;
const IMPORT = /(?:^|[\s;}])(?:import|export)\b[^'"()]*?['"](\.[^'"]+)['"]/gm;
let daemon, base, page;

const get = (path, headers = {}, method = 'GET') => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return ask(base, `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`, { isHead: method === 'HEAD' });
};
const packed = { 'Accept-Encoding': 'gzip, deflate, br' };
const text = (answer) => (answer.headers.get('content-encoding') === 'gzip' ? gunzipSync(answer.body) : answer.body).toString();

before(async () => {
    daemon = await new Daemon().start();
    base = daemon.base;
    page = text(await get('/'));
});
after(() => daemon?.close());

// The value of each of these attributes in the page.
const attributes = (name) => [...page.matchAll(new RegExp(`\\b${name}="([^"]*)"`, 'g'))].map(([, value]) => value);

// What a browser loads for the page before anything of it runs, by following every import: address -> answer.
async function firstLoad() {
    const found = new Map([['/', await get('/', packed)]]);
    const left = [...attributes('src'), ...attributes('href')];
    while (left.length > 0) {
        const path = left.shift();
        if (found.has(path)) continue;
        const answer = await get(path, packed);
        assert.equal(answer.status, 200, path);
        found.set(path, answer);
        if (path.endsWith('.js')) for (const [, to] of text(answer).matchAll(IMPORT)) left.push(new URL(to, base + path).pathname);
        if (path.endsWith('.css')) assert.doesNotMatch(text(answer), /@import|url\((?!["']?data:)/, `${path} loads more`);
    }
    return found;
}

test('the first load is small', async (t) => {
    const found = await firstLoad();
    const sizes = [...found].map(([path, { size }]) => [size, path]).sort(([a], [b]) => b - a);
    const all = sizes.reduce((sum, [size]) => sum + size, 0);
    t.diagnostic(`${all} bytes in ${found.size} files, the largest: ${sizes.slice(0, 5).map(([size, path]) => `${path.split('/').slice(3).join('/')} ${size}`).join(', ')}`);
    assert.ok(found.size > 5, 'imports are followed');
    assert.ok([...found.keys()].some((path) => path.endsWith('/vendor/htm-preact.js')), 'as far as to the libraries');
    assert.ok(all < FIRST_LOAD_MAX, `${all} bytes: ${sizes.map(([size, path]) => `\n${size} ${path}`).join('')}`);
});

test('every module of the first load is fetched at once', async () => {
    const preloaded = new Set([...page.matchAll(/<link rel="modulepreload" href="([^"]+)"/g)].map(([, path]) => path));
    const modules = [...(await firstLoad()).keys()].filter((path) => path.endsWith('.js'));
    const plain = [...page.matchAll(/<script src="([^"]+)"/g)].map(([, path]) => path);
    assert.deepEqual(modules.filter((path) => !preloaded.has(path) && !plain.includes(path)), []);
});

test('nothing of it comes from elsewhere, and nothing runs that is written into it', async () => {
    for (const value of [...attributes('src'), ...attributes('href')]) assert.match(value, /^\/assets\/[0-9a-f]{16}\/[\w./-]+$/);
    assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)|<style|\bstyle="|\bon[a-z]+="/);
    assert.doesNotMatch(page, /\{\{/, 'every name in braces was replaced');
    const { headers } = await get('/');
    const policy = new Map(headers.get('content-security-policy').split('; ').map((rule) => [rule.split(' ')[0], rule.split(' ').slice(1).join(' ')]));
    assert.deepEqual(Object.fromEntries(policy), { 'default-src': "'none'", 'script-src': "'self'", 'style-src': "'self'", 'img-src': "'self' data:", 'connect-src': "'self'",
        'font-src': "'self'", 'worker-src': "'self'", 'manifest-src': "'self'", 'base-uri': "'none'", 'form-action': "'self'", 'frame-ancestors': "'none'" });
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.match(headers.get('referrer-policy'), /^(same-origin|no-referrer)$/);
});

test('compressed for those who take it, and the same for all', async () => {
    for (const [path, answer] of await firstLoad()) {
        const plain = await get(path, { 'Accept-Encoding': 'gzip;q=0, *;q=0' });
        assert.equal(plain.headers.get('content-encoding'), undefined);
        assert.equal(text(answer), plain.body.toString(), path);
        assert.equal(plain.headers.get('etag'), answer.headers.get('etag'));
        assert.equal(plain.headers.get('vary'), 'Accept-Encoding');
        assert.ok(answer.body.length <= plain.body.length);
        if (plain.body.length > 1000) assert.equal(answer.headers.get('content-encoding'), 'gzip', path);
        const head = await get(path, packed, 'HEAD');
        assert.equal(head.status, 200);
        assert.equal(head.headers.get('content-length'), `${answer.body.length}`);
    }
});

test('kept by browsers, for good where the address has a hash', async () => {
    for (const [path, answer] of await firstLoad()) {
        const isPage = path === '/';
        assert.equal(answer.headers.get('cache-control'), isPage ? 'no-cache' : 'public, max-age=31536000, immutable', path);
        const etag = answer.headers.get('etag');
        assert.match(etag, /^"[0-9a-f]{32}"$/);
        const again = await get(path, { ...packed, 'If-None-Match': etag });
        assert.equal(again.status, 304);
        assert.equal(again.headers.get('etag'), etag);
        assert.equal((await get(path, { 'If-None-Match': '"00000000000000000000000000000000"' })).status, 200);
    }
});

test('types of files', async () => {
    const types = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml', html: 'text/html; charset=utf-8' };
    for (const [path, answer] of await firstLoad()) {
        assert.equal(answer.headers.get('content-type'), types[path === '/' ? 'html' : path.split('.').pop()], path);
        assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    }
    assert.equal((await get('/favicon.ico')).headers.get('content-type'), types.svg);
});

test('the page is at each of its addresses', async () => {
    const html = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
    const paths = ['/', '/tasks', '/tasks/123', '/accounting', '/analytics', '/people', '/sign-in', '/register'];
    for (const path of [...paths, '/nothing/like/it']) {
        const answer = await get(path, html);
        assert.equal(answer.status, 200, path);
        assert.equal(text(answer), page, path);
    }
    for (const path of paths) assert.equal((await get(path)).status, 200, `${path} for who does not say what it takes`);
    for (const path of ['/assets', '/assets/0000000000000000/app.js', '/api/v1/nothing', '/api']) {
        const answer = await get(path, html);
        assert.equal(answer.status, 404, path);
        assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    }
    for (const path of ['/', '/tasks', attributes('src')[0]]) {
        const answer = await ask(base, `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`);
        assert.equal(answer.status, 405, path);
        assert.equal(answer.headers.get('allow'), 'GET, HEAD');
    }
});

test('the licences of what is served are served', async () => {
    const folder = attributes('src')[0].split('/').slice(0, 3).join('/');
    const licences = text(await get(`${folder}/licences.txt`));
    for (const name of ['htm', 'Preact', 'uplot', '@picocss/pico', 'MIT License', 'Apache License']) assert.ok(licences.includes(name), name);
});
