// aTES behind nginx, with the configuration that docs/operations.md shows.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { people } from './support/client.mjs';
import { ADMIN, Daemon, until } from './support/daemon.mjs';

const skip = spawnSync('nginx', ['-v']).status !== 0 && 'nginx is not installed';
const document = new URL('../../docs/operations.md', import.meta.url);
let daemon, nginx, port, certificate, all, cookie;

// A port that was free a moment ago.
const freePort = () => new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
        const { port: free } = server.address();
        server.close(() => resolve(free));
    });
});

function makeCertificate(folder) {
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
        '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', join(folder, 'privkey.pem'), '-out', join(folder, 'fullchain.pem')]);
    assert.equal(made.status, 0, String(made.stderr));
    return readFileSync(join(folder, 'fullchain.pem'));
}

// The document's block, with a test's addresses and files.
function configuration(folder, upstream) {
    const [, block] = /```nginx\n([\s\S]*?)```/.exec(readFileSync(document, 'utf8'));
    const site = block.replace('listen 443', `listen 127.0.0.1:${port}`).replace('ates.example.org', 'localhost')
        .replaceAll('/etc/ssl/ates', folder).replaceAll('http://127.0.0.1:8080', upstream);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
    return `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log; worker_processes 1;
events { worker_connections 256; }
http { access_log off; ${temporary.join(' ')}
${site} }`;
}

before(async () => {
    if (skip) return;
    port = await freePort();
    daemon = await new Daemon({ ATES_WEB_ORIGIN: `https://localhost:${port}`, ATES_WEB_PROXIES: '127.0.0.1' }).start();
    const folder = join(daemon.folder, 'nginx');
    mkdirSync(folder);
    certificate = makeCertificate(folder);
    const path = join(folder, 'nginx.conf');
    writeFileSync(path, configuration(folder, daemon.base));
    nginx = spawn('nginx', ['-p', folder, '-e', join(folder, 'start.log'), '-c', path], { stdio: ['ignore', 'ignore', 'pipe'] });
    let told = '';
    nginx.stderr.setEncoding('utf8').on('data', (text) => { told += text; });
    await until(async () => {
        assert.equal(nginx.exitCode, null, told);
        return (await ask('GET', '/readyz').catch(() => ({}))).status === 200;
    }, 'nginx');
    all = await people(daemon.base);
});
after(async () => {
    if (nginx) {
        const ended = new Promise((resolve) => { nginx.on('close', resolve); });
        nginx.kill('SIGTERM');
        await ended;
    }
    await daemon?.close();
});

// {status, headers, text}; onData is called with what comes.
function ask(method, path, { headers = {}, body, onData, localAddress } = {}) {
    return new Promise((resolve, reject) => {
        const sent = request({ host: 'localhost', port, method, path, ca: certificate, agent: false, localAddress,
            headers: { ...(cookie && { cookie, 'ates-session': 'cookie' }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers } });
        sent.on('error', reject).on('response', (response) => {
            let text = '';
            response.on('error', () => {});
            response.setEncoding('utf8').on('data', (part) => { text += part; onData?.(text, sent); });
            response.on('close', () => resolve({ status: response.statusCode, headers: response.headers, text }));
        });
        sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
}

test('the page and its files come over TLS', { skip }, async () => {
    const { status, headers, text } = await ask('GET', '/');
    assert.equal(status, 200);
    assert.match(headers['strict-transport-security'], /max-age=/);
    const [, script] = /src="([^"]+\.js)"/.exec(text);
    assert.equal((await ask('GET', script, { headers: { 'accept-encoding': 'gzip' } })).headers['content-encoding'], 'gzip');
});

test('a session is __Host- and Secure, and other sites are refused', { skip }, async () => {
    const { status, headers } = await ask('POST', '/api/v1/session', { body: ADMIN, headers: { 'ates-session': 'cookie', origin: `https://localhost:${port}` } });
    assert.equal(status, 200);
    const [set] = headers['set-cookie'];
    assert.match(set, /^__Host-ates=[^;]+;.*\bSecure\b/);
    [cookie] = set.split(';');
    assert.equal((await ask('GET', '/api/v1/users/me')).status, 200);
    assert.equal((await ask('POST', '/api/v1/tasks', { body: { name: 'over TLS', description: '' }, headers: { origin: `https://localhost:${port}` } })).status, 201);
    assert.equal((await ask('POST', '/api/v1/tasks', { body: { name: 'no', description: '' }, headers: { origin: 'https://evil.example' } })).status, 403);
});

test('events come as they happen', { skip }, async () => {
    let asked = false;
    const { text } = await ask('GET', '/api/v1/events', { onData: (told, sent) => {
        if (told.includes('event: hello') && !asked) {
            asked = true;
            all.manager.post('/tasks', { name: 'seen at once', description: '' });
        }
        if (told.includes('seen at once')) sent.destroy();
    } });
    assert.match(text, /task_created/);
});

test('whoever guesses passwords keeps nobody else behind the proxy out', { skip }, async () => {
    const elsewhere = { localAddress: '127.0.0.2' };
    const wrong = (n) => ask('POST', '/api/v1/session', { ...elsewhere, body: { login: `nobody${n}`, password: 'a wrong password' },
        headers: { 'x-forwarded-for': `192.0.2.${n}` } });
    let tries = 0, refusedUntil, status;
    // A refusal tells how long it holds: an answer that came later than that proves nothing, and it is tried again.
    do {
        do {
            const asked = Date.now();
            const { status: refused, text } = await wrong(tries += 1);
            status = refused;
            refusedUntil = asked + JSON.parse(text).retry_after_ms;
        } while (status === 401 && tries < 100);
        assert.equal(status, 429, `after ${tries} wrong passwords, each said to be another's`);
        assert.equal((await ask('POST', '/api/v1/session', { body: ADMIN })).status, 200);
        ({ status } = await ask('POST', '/api/v1/session', { ...elsewhere, body: ADMIN }));
    } while (status === 200 && Date.now() >= refusedUntil);
    assert.equal(status, 429);
});

test('figures and large bodies stay outside', { skip }, async () => {
    assert.equal((await ask('GET', '/metrics')).status, 403);
    assert.equal((await ask('POST', '/api/v1/tasks', { body: { name: 'x'.repeat(300000), description: '' } })).status, 413);
});
