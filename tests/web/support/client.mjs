// A client of the REST API that holds every answer against the OpenAPI document that the daemon serves: its status must
// be one that the operation has, and its body what the schema says.
import assert from 'node:assert/strict';

import { ADMIN } from './daemon.mjs';
import { require } from '../tools.mjs';

const METHODS = ['get', 'post', 'put', 'delete'];
const UNDOCUMENTED = new Set([405]); // of paths, not of operations

export class Contract {
    constructor(document) {
        const Ajv = require('ajv/dist/2020.js').default;
        const formats = require('ajv-formats').default;
        this.document = document;
        this.ajv = formats(new Ajv({ strict: false, allErrors: false }));
        this.ajv.addSchema({ $id: 'openapi', ...document }, 'openapi');
        this.validators = new Map();
        this.seen = new Map(); // operationId -> statuses seen
        this.operations = Object.entries(document.paths).flatMap(([path, item]) =>
            METHODS.filter((method) => item[method]).map((method) => ({
                method: method.toUpperCase(), path, ...item[method],
                base: item.servers?.[0].url ?? item[method].servers?.[0].url ?? document.servers[0].url,
            })));
        for (const operation of this.operations) {
            const base = operation.base === '/' ? '' : operation.base;
            const words = (base + operation.path).split('/').filter(Boolean);
            operation.words = words;
            operation.fixed = words.filter((word) => !word.startsWith('{')).length;
        }
        this.operations.sort((a, b) => b.fixed - a.fixed);
    }

    // The operation of a request; paths of fixed words come before those with {fields}.
    find(method, path) {
        const words = path.split('?')[0].split('/').filter(Boolean);
        return this.operations.find((operation) => operation.method === method && operation.words.length === words.length &&
            operation.words.every((word, i) => word.startsWith('{') || word === words[i]));
    }

    resolve(thing) {
        return thing.$ref ? thing.$ref.slice(2).split('/').reduce((at, key) => at[key.replace(/~1/g, '/')], this.document) : thing;
    }

    validator(schema) {
        const key = JSON.stringify(schema);
        if (!this.validators.has(key)) {
            const absolute = JSON.parse(key.replace(/"\$ref":"#/g, '"$ref":"openapi#'));
            this.validators.set(key, this.ajv.compile(absolute));
        }
        return this.validators.get(key);
    }

    check(method, path, status, type, body) {
        const operation = this.find(method === 'HEAD' ? 'GET' : method, path);
        if (!operation || UNDOCUMENTED.has(status)) return;
        const name = `${method} ${path} -> ${status}`;
        assert.ok(operation.responses[status], `${name} is not in the document: ${body}`);
        const response = this.resolve(operation.responses[status]);
        if (!this.seen.has(operation.operationId)) this.seen.set(operation.operationId, new Set());
        this.seen.get(operation.operationId).add(status);
        if (method === 'HEAD') return;
        if (!response.content) {
            assert.equal(body, '', name);
            return;
        }
        const media = type?.split(';')[0];
        assert.ok(response.content[media], `${name}: content type ${type}`);
        if (media.endsWith('json')) {
            const valid = this.validator(response.content[media].schema);
            assert.ok(valid(JSON.parse(body)), `${name}: ${JSON.stringify(valid.errors)}: ${body}`);
        }
    }
}

export async function contractOf(base) {
    return new Contract(await (await fetch(`${base}/api/v1/openapi.json`)).json());
}

// Somebody who asks: by a token, by a cookie, or as nobody.
export class Client {
    constructor(base, contract, { token, cookie } = {}) {
        Object.assign(this, { base, contract, token, cookie });
    }

    // {status, headers, text, json}. body: an object, or a string sent as it is. path: below /api/v1, or whole.
    async request(method, path, body, headers = {}) {
        const whole = path.startsWith('/api/') || ['/healthz', '/readyz', '/metrics'].includes(path) ? path : `/api/v1${path}`;
        const sent = { ...headers };
        if (this.token && sent.authorization === undefined) sent.authorization = `Bearer ${this.token}`;
        if (this.cookie && sent.cookie === undefined) {
            sent.cookie = this.cookie;
            if (method !== 'GET' && sent['ates-session'] === undefined) sent['ates-session'] = 'cookie';
        }
        for (const name of Object.keys(sent)) if (sent[name] === null) delete sent[name];
        if (body !== undefined && sent['content-type'] === undefined) sent['content-type'] = 'application/json';
        const response = await fetch(this.base + whole,
            { method, headers: sent, body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body) });
        const text = await response.text();
        this.contract?.check(method, whole, response.status, response.headers.get('content-type'), text);
        const json = response.headers.get('content-type')?.includes('json') && text ? JSON.parse(text) : undefined;
        return { status: response.status, headers: response.headers, text, json };
    }

    // The JSON of a request that must succeed.
    async do(method, path, body, headers) {
        const answer = await this.request(method, path, body, headers);
        assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
        return answer.json;
    }

    get(path, headers) {
        return this.do('GET', path, undefined, headers);
    }

    post(path, body = {}, headers) {
        return this.do('POST', path, body, headers);
    }
}

export async function signIn(base, contract, { login, password }) {
    const { token, user } = await new Client(base, contract).post('/session', { login, password });
    return Object.assign(new Client(base, contract, { token }), { user });
}

// The same with a cookie, as a page does it.
export async function signInByCookie(base, contract, { login, password }) {
    const answer = await new Client(base, contract).request('POST', '/session', { login, password }, { 'ates-session': 'cookie' });
    assert.equal(answer.status, 200, answer.text);
    const cookie = answer.headers.get('set-cookie').split(';')[0];
    return Object.assign(new Client(base, contract, { cookie }), { user: answer.json.user });
}

export const ROLES = ['administrator', 'manager', 'developer', 'boss', 'accountant', 'internalservice', 'other'];

// An administrator, and a user of every role (two developers), signed in: {admin, manager, developer, developer2, ...}.
export async function people(base, contract) {
    const admin = await signIn(base, contract, ADMIN);
    const found = { administrator: admin };
    for (const name of ['manager', 'developer', 'developer2', 'boss', 'accountant', 'other']) {
        const person = { login: name, password: `password-of-${name}` };
        await admin.post('/users', { ...person, email: `${name}@uberpopug.example`, role: name.replace('2', '') });
        found[name] = await signIn(base, contract, person);
        found[name].password = person.password;
    }
    return found;
}
