// Commands: PROTOCOL.md section 2.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Dealer } from 'zeromq';
import { FRAME_MAX, decode, encode } from './wire.mjs';

const FIRST_ATTEMPT_MS = 1000; // each later one may take twice as long
const RENEW_BEFORE_MS = 60000;
const STATUSES = new Set(('OK INVALID_ARGUMENT UNAUTHENTICATED PERMISSION_DENIED NOT_FOUND ALREADY_EXISTS FAILED_PRECONDITION ' +
    'RESOURCE_EXHAUSTED DEADLINE_EXCEEDED UNAVAILABLE UNIMPLEMENTED INTERNAL DATA_LOSS').split(' '));

/** What came is no reply: the other side speaks something else. */
export class ProtocolError extends Error {}

/** Whether the command had its effect is unknown. Call again with requestId, and it has it once. */
export class NoReply extends Error {
    constructor(name, requestId) {
        super(`${name}: no reply; request_id ${requestId}`);
        this.requestId = requestId;
    }
}

/** The service said no: status and reason are PROTOCOL.md section 4's, field names what is at fault. */
export class Refused extends Error {
    /** @param {string} status @param {{reason: string, message: string, field?: string, retry_after_ms?: number}} refusal */
    constructor(status, { reason, message, field, retry_after_ms }) {
        super(`${status} / ${reason}: ${message}`);
        Object.assign(this, { status, reason, said: message, field, retryAfterMs: retry_after_ms });
    }
}

// Whether a refusal came before the service looked what became of an earlier send: it says nothing of that. The two reasons
// are the commands' own.
const isOfOneSend = ({ status, reason }) => (status === 'UNAUTHENTICATED' || reason === 'ROLE_NOT_ALLOWED') &&
    !['BAD_CREDENTIALS', 'SESSION_EXPIRED'].includes(reason);

/** @typedef {{result: any, seq: number, replayed: boolean, requestId?: string}} Reply  seq: of the service's log that it
 *      reflects; replayed: it is the reply to an earlier call with this request id
 *  @typedef {{id: number, name: string, description: string, assigned_to: number, created_by: number, is_finished: boolean,
 *      created_at: number, finished_at?: number}} Task  times in Unix ms
 *  @typedef {{user_id: number, balance_cents: number, today_cents: number}} Balance
 *  @typedef {{serverKey: string, publicKey: string, secretKey: string}} Curve  for TCP: 40 characters of Z85 each */

/** Keys from certificate files as CZMQ's zcert writes them; ownFile is the one with the secret key. @returns {Curve} */
export function curveFromFiles(serverFile, ownFile) {
    const key = (file, name) => {
        const found = new RegExp(`^\\s*${name}-key\\s*=\\s*"(.{40})"`, 'm').exec(readFileSync(file, 'utf8'));
        if (!found) throw new Error(`${file} has no ${name} key`);
        return found[1];
    };
    return { serverKey: key(serverFile, 'public'), publicKey: key(ownFile, 'public'), secretKey: key(ownFile, 'secret') };
}

const isMap = (value) => value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);
const isCount = (value) => Number.isInteger(value) && value >= 0;
const isMissingOr = (type, value) => value === undefined || typeof value === type;

/** The reply in a message's last four frames. Throws Refused or ProtocolError. @returns {Reply} */
export function readReply(frames) {
    const status = frames.length === 4 && Buffer.from(frames[0]).equals(Buffer.from('ATES/1')) && Buffer.from(frames[1]).toString('latin1');
    if (!status || !STATUSES.has(status)) throw new ProtocolError('not a reply of ATES/1');
    let meta, body;
    try {
        [meta, body] = [decode(frames[2]), decode(frames[3])];
    } catch (error) {
        throw new ProtocolError(error.message);
    }
    if (!isMap(meta) || !isMap(body) || !isCount(meta.seq) || !isMissingOr('boolean', meta.replayed) || !isMissingOr('string', meta.request_id)) {
        throw new ProtocolError('a frame is not what a reply has in its place');
    }
    if (status === 'OK') return { result: body, seq: meta.seq, replayed: meta.replayed ?? false, requestId: meta.request_id };
    if (typeof body.reason !== 'string' || typeof body.message !== 'string' || !isMissingOr('string', body.field) ||
        !isCount(body.retry_after_ms ?? 0)) {
        throw new ProtocolError('a refusal without its reason');
    }
    throw new Refused(status, body);
}

/** A DEALER to one service; any number of calls may wait for their replies. */
class Link {
    constructor(socket) {
        this.socket = socket;
        this.waiting = new Map(); // by tag, which comes back before the reply
        this.turn();
    }

    async turn() {
        try {
            for await (const [tag, delimiter, ...frames] of this.socket) {
                if (delimiter?.length === 0) this.waiting.get(tag.toString('latin1'))?.(frames);
            }
        } catch { /* closed while it waited */ }
    }

    /** The reply's frames, or undefined where none came in time. */
    async ask(tag, frames, patienceMs) {
        const timer = new AbortController();
        const reply = new Promise((resolve) => { this.waiting.set(tag, resolve); });
        try {
            await this.socket.send([tag, '', ...frames]);
            return await Promise.race([reply, pause(patienceMs, undefined, { signal: timer.signal })]);
        } catch {
            return undefined; // it was closed, as another call had waited in vain
        } finally {
            timer.abort();
            this.waiting.delete(tag);
        }
    }
}

export class Client {
    #options; #links = new Map(); #calls = 0; #expiresAt = 0;

    /** Calls the services below runDir, or at endpoints (by service; events is the broker's), then with curve.
     *  @param {{runDir?: string, endpoints?: Record<string, string>, curve?: Curve, timeoutMs?: number}} options */
    constructor(options) {
        this.#options = { endpoints: {}, timeoutMs: 5000, ...options };
        /** @type {string | undefined} */
        this.token = undefined;
    }

    close() {
        this.#links.forEach(({ socket }) => socket.close());
        this.#links.clear();
    }

    /** A socket of this kind to a service, or to 'events'; the caller's to close. */
    connect(Kind, name) {
        const { runDir, endpoints, curve } = this.#options;
        const keys = curve ? { curveServerKey: curve.serverKey, curvePublicKey: curve.publicKey, curveSecretKey: curve.secretKey } : {};
        const socket = new Kind({ linger: 0, maxMessageSize: FRAME_MAX, ...keys });
        socket.connect(endpoints[name] ?? `ipc://${runDir}/${name}.sock`);
        return socket;
    }

    /** Calls SERVICE.COMMAND. Where no reply comes, or one that says when to ask again, it asks again with the same
     *  request id, so that the command has its effect once. Throws Refused, NoReply, ProtocolError.
     *  @param {string} name @param {object} [body] @param {{requestId?: string, timeoutMs?: number}} [options] @returns {Promise<Reply>} */
    async call(name, body = {}, { requestId = randomUUID(), timeoutMs = this.#options.timeoutMs } = {}) {
        const deadline = performance.now() + timeoutMs;
        await this.#renewInTime();
        let isRenewed = false, isUnknown = false;
        for (let attemptMs = FIRST_ATTEMPT_MS; ; attemptMs *= 2) {
            const patienceMs = Math.min(attemptMs, deadline - performance.now());
            if (patienceMs <= 0) throw new NoReply(name, requestId);
            const frames = await this.#attempt(name, body, requestId, patienceMs);
            try {
                if (frames) return readReply(frames);
                isUnknown = true;
            } catch (error) {
                const pauseMs = error.retryAfterMs;
                if (error.reason === 'TOKEN_EXPIRED' && name !== 'auth.renew_token' && !isRenewed) {
                    await this.renewToken();
                    isRenewed = true;
                } else if (pauseMs !== undefined && performance.now() + pauseMs < deadline) {
                    await pause(pauseMs);
                } else if (isUnknown && isOfOneSend(error)) {
                    throw new NoReply(name, requestId);
                } else {
                    throw error;
                }
            }
        }
    }

    async #attempt(name, body, requestId, patienceMs) {
        const service = name.split('.')[0];
        const link = this.#links.get(service) ?? new Link(this.connect(Dealer, service));
        this.#links.set(service, link);
        const meta = encode({ request_id: requestId, timeout_ms: Math.ceil(patienceMs), token: this.token });
        const frames = await link.ask(String(++this.#calls), ['ATES/1', name, meta, encode(body)], patienceMs);
        if (!frames && this.#links.get(service) === link) { // the next attempt connects anew
            this.#links.delete(service);
            link.socket.close();
        }
        return frames;
    }

    async #renewInTime() {
        if (!this.token || this.#expiresAt - Date.now() >= RENEW_BEFORE_MS) return;
        await this.renewToken().catch((error) => {
            if (!(error instanceof NoReply)) throw error; // else the token may do a while longer
        });
    }

    async renewToken() {
        this.#expiresAt = Infinity; // the call itself must not come here; a token that is over serves to renew it
        try {
            this.#keep((await this.call('auth.renew_token')).result);
        } catch (error) {
            this.#expiresAt = 0;
            throw error;
        }
    }

    #keep({ token, expires_at }) {
        this.token = token;
        this.#expiresAt = expires_at;
    }

    // The commands that these examples use; call() takes every other.

    /** The user's id; calls are this user's from now on. @returns {Promise<number>} */
    async signIn(login, password) {
        this.token = undefined;
        const { result } = await this.call('auth.auth_user', { login, password });
        this.#keep(result);
        return result.user.id;
    }

    /** @returns {Promise<number>} the user's id */
    async registerUser(login, email, password, role) {
        return (await this.call('auth.register_user', { login, email, password, role })).result.user_id;
    }

    /** @returns {Promise<Task>} */
    async createTask(name, description = '', options = {}) {
        return (await this.call('tasks.create_task', { name, description }, options)).result.task;
    }

    /** @returns {Promise<Task>} */
    async completeTask(taskId, options = {}) {
        return (await this.call('tasks.complete_task', { task_id: taskId }, options)).result.task;
    }

    /** @param {number} [userId] else one's own @returns {Promise<Balance>} */
    async balance(userId) {
        return (await this.call('accounting.show_balance', { user_id: userId })).result;
    }

    /** The items of a list, page after page. */
    async * items(name, body = {}) {
        for (let after; ;) {
            const { items, next } = (await this.call(name, { ...body, after })).result;
            yield* items;
            if (next === undefined) return;
            after = next;
        }
    }
}
