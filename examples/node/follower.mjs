// Events: PROTOCOL.md section 3. PUB/SUB may lose them; the producer's log, which read_events reads, has them all.
//
// The caller keeps the cursor: written down after what an event led to, events may come twice after a crash but none is
// missed; written down together with it, as in one transaction, each comes once.
import { blake2b } from '@noble/hashes/blake2b';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Subscriber } from 'zeromq';
import { NoReply, Refused } from './ates.mjs';
import { WireError, decode } from './wire.mjs';

const READ_LIMIT = 1000;
const QUIET_MS = 3000; // without even the producer's head, which comes once a second
const TRANSIENT = new Set(['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'DEADLINE_EXCEEDED', 'INTERNAL']);
const PAUSE_MAX_MS = 30000;

/** Events are missing before this one: read them from the cursor. */
export class Gap extends Error {}
/** This is not the log that was followed, or not all of it. Never skip it: somebody must look. */
export class Broken extends Error {}
/** The events after the cursor were cut off the producer's log. From the very start, a snapshot stands for them. */
export class Compacted extends Error {}

/** @typedef {{logId: string, seq: number, hash: string}} Cursor  the last event taken: of which log, which one, and its
 *      envelope's hash, in hexadecimal
 *  @typedef {{event_id: string, event_name: string, event_version: number, event_time: number, producer: string,
 *      log_id: string, seq: number, prev: Uint8Array, data: any, cause?: any}} Event */

/** @type {Cursor} */
export const START = Object.freeze({ logId: '', seq: 0, hash: '00'.repeat(32) });

/** @returns {Cursor} START where there is no file */
export function loadCursor(path) {
    try {
        return JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
        if (error.code === 'ENOENT') return START;
        throw error;
    }
}

/** Whole or not at all, whenever this process or the machine ends. @param {string} path @param {Cursor} cursor */
export function saveCursor(path, cursor) {
    const file = openSync(`${path}.new`, 'w');
    writeSync(file, JSON.stringify(cursor));
    fsyncSync(file);
    closeSync(file);
    renameSync(`${path}.new`, path);
}

const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const envelopeHash = (bytes) => hex(blake2b(bytes, { dkLen: 32 }));

const IS = {
    text: (value) => typeof value === 'string',
    integer: (value) => Number.isInteger(value),
    place: (value) => Number.isInteger(value) && value >= 0,
    hash: (value) => value instanceof Uint8Array && value.length === 32,
    map: (value) => value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array),
};
const HEAD = { log_id: IS.text, seq: IS.place, hash: IS.hash };
const ENVELOPE = {
    event_id: IS.text, event_name: IS.text, event_version: IS.place, event_time: IS.integer, producer: IS.text, log_id: IS.text,
    seq: (value) => IS.place(value) && value > 0, prev: IS.hash, data: IS.map,
};

function readMap(bytes, fields) {
    const made = decode(bytes);
    if (!IS.map(made) || Object.entries(fields).some(([name, isOne]) => !isOne(made[name]))) {
        throw new WireError('a field is missing or of another type');
    }
    return made;
}

/** Throws WireError where bytes are no envelope. Fields of data that are not known are to be ignored. @returns {Event} */
export function readEvent(bytes) {
    const event = readMap(bytes, ENVELOPE);
    if (event.cause !== undefined && !IS.map(event.cause)) throw new WireError('a cause that is none');
    return event;
}

/** Says of each event whether it is the next one. Invariant: the cursor moves by one event, of one log, whose prev is the
 *  hash of the one before. Knows no sockets. */
export class Chain {
    /** @param {string} producer @param {Cursor} cursor */
    constructor(producer, cursor) {
        this.producer = producer;
        this.cursor = cursor;
    }

    /** The event in bytes, where it is the next one; undefined where it was taken before. Throws Gap, Broken.
     *  @returns {Event | undefined} */
    event(bytes) {
        let event;
        try {
            event = readEvent(bytes);
        } catch (error) {
            throw new Gap(error.message);
        }
        const { seq } = event;
        if (event.producer !== this.producer) throw new Gap(`an event of ${event.producer}`);
        this.#checkLog(event.log_id);
        const hash = envelopeHash(bytes);
        if (seq === this.cursor.seq && hash !== this.cursor.hash) throw new Broken(`${this.producer} has another event ${seq} now`);
        if (seq <= this.cursor.seq) return undefined;
        if (seq > this.cursor.seq + 1) throw new Gap(`${seq} after ${this.cursor.seq}`);
        if (hex(event.prev) !== this.cursor.hash) throw new Broken(`the hash chain of ${this.producer} is broken before ${seq}`);
        this.cursor = { logId: event.log_id, seq, hash };
        return event;
    }

    /** What the producer announced. Throws Gap where the cursor is elsewhere, Broken. */
    head(bytes) {
        let head;
        try {
            head = readMap(bytes, HEAD);
        } catch {
            return; // the next one will do
        }
        this.#checkLog(head.log_id);
        if (head.seq !== this.cursor.seq) throw new Gap(`the head is ${head.seq}`);
        if (this.cursor.logId && hex(head.hash) !== this.cursor.hash) throw new Broken(`${this.producer}'s head is another event ${head.seq}`);
    }

    /** The events of a reply to read_events, which must be the next ones. Throws Broken. @returns {Generator<Event>} */
    * page({ log_id, head_seq, events }) {
        this.#checkLog(log_id);
        if (head_seq < this.cursor.seq) throw new Broken(`the log of ${this.producer} ends before ${this.cursor.seq}, which was taken`);
        for (const bytes of events) {
            let event;
            try {
                event = this.event(bytes);
            } catch (error) {
                throw error instanceof Gap ? new Broken(`read_events of ${this.producer} skipped an event: ${error.message}`) : error;
            }
            if (event) yield event;
        }
    }

    #checkLog(logId) {
        if (this.cursor.logId && logId !== this.cursor.logId) {
            throw new Broken(`another log_id: the log of ${this.producer} is not the one followed before`);
        }
    }
}

/** A producer's events, each once and in order. The client's user is an administrator or a service. */
export class Follower {
    #client; #chain; #socket;

    /** @param {import('./ates.mjs').Client} client @param {string} producer @param {Cursor} cursor */
    constructor(client, producer, cursor) {
        this.#client = client;
        this.#chain = new Chain(producer, cursor);
        this.#socket = client.connect(Subscriber, 'events');
        this.#socket.receiveTimeout = QUIET_MS;
        this.#socket.subscribe(`${producer}.`);
    }

    close() {
        this.#socket.close();
    }

    /** After the event that was given last. @returns {Cursor} */
    get cursor() {
        return this.#chain.cursor;
    }

    /** Events for ever, from the log as far as it goes and then as they happen. Throws Broken, Compacted.
     *  @returns {AsyncGenerator<Event>} */
    async * follow() {
        const headTopic = `${this.#chain.producer}.head.v1`;
        yield* this.catchUp();
        for (;;) {
            const [topic, bytes] = await this.#socket.receive().catch((error) => {
                if (error.code === 'EAGAIN') return []; // nothing was heard
                throw error;
            });
            let event;
            try {
                if (!bytes) throw new Gap('nothing was heard');
                if (topic.toString() === headTopic) this.#chain.head(bytes);
                else event = this.#chain.event(bytes);
            } catch (error) {
                if (!(error instanceof Gap)) throw error;
                yield* this.catchUp();
            }
            if (event) yield event;
        }
    }

    /** The events up to the log's end. A service that does not answer, or cannot now, is asked again.
     *  @returns {AsyncGenerator<Event>} */
    async * catchUp() {
        for (let pauseMs = 100; ;) {
            let result;
            try {
                const body = { after_seq: this.cursor.seq, limit: READ_LIMIT };
                ({ result } = await this.#client.call(`${this.#chain.producer}.read_events`, body));
            } catch (error) {
                if (error instanceof NoReply) continue;
                if (error instanceof Refused && error.reason === 'EVENTS_COMPACTED') throw new Compacted(error.said);
                if (!(error instanceof Refused && TRANSIENT.has(error.status))) throw error;
                await pause(pauseMs);
                pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS);
                continue;
            }
            yield* this.#chain.page(result);
            if (result.events.length === 0 || this.cursor.seq >= result.head_seq) return;
        }
    }

    /** The items that stand for the events which are no more; the events after them come next. Throws Compacted where
     *  events were taken already: nothing can stand for those in between.
     *  @returns {Promise<{event_name: string, event_version: number, data: any}[]>} */
    async snapshot() {
        if (this.cursor.seq > 0) throw new Compacted('a snapshot is for who has taken nothing yet');
        for (;;) {
            const items = [];
            let first, page;
            do {
                page = (await this.#client.call(`${this.#chain.producer}.read_snapshot`, { after: page?.next })).result;
                first ??= page;
                items.push(...page.items);
            } while (page.next !== undefined && page.seq === first.seq);
            if (page.seq === first.seq) { // else it was compacted again meanwhile: all over
                this.#chain.cursor = { logId: first.log_id, seq: first.seq, hash: hex(first.hash) };
                return items;
            }
        }
    }
}
