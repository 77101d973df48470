// A client of /events: what comes, in the order in which it came, as a browser's EventSource would give it out.
import assert from 'node:assert/strict';
import { request } from 'node:http';

import { PATIENCE_MS } from './raw.mjs';

export class Stream {
    // client: whose stream (client.mjs). lastId: the id to go on behind, as a header, or as a parameter. localAddress: from
    // where. onMessage is called with each message: {id, event, data}; data is decoded; event is 'message' where it has no name.
    constructor(client, { lastId, asParameter, localAddress, onMessage } = {}) {
        const path = `/api/v1/events${asParameter && lastId ? `?last_event_id=${encodeURIComponent(lastId)}` : ''}`;
        const headers = { ...(client.token ? { authorization: `Bearer ${client.token}` } : {}),
            ...(client.cookie ? { cookie: client.cookie } : {}),
            ...(lastId && !asParameter ? { 'last-event-id': lastId } : {}) };
        this.messages = [];
        this.comments = 0;
        this.lastId = lastId ?? ''; // of what was told whole
        this.onMessage = onMessage;
        this.rest = '';
        this.isOver = false;
        this.waiting = new Set();
        this.request = request(client.base + path, { headers, localAddress, agent: false });
        this.opened = new Promise((resolve, reject) => {
            this.request.on('response', (response) => {
                this.response = response;
                this.status = response.statusCode;
                response.setEncoding('utf8').on('data', (text) => this.take(text)).on('error', () => {}).on('close', () => this.finish());
                resolve(this);
            }).on('error', (error) => { this.finish(); reject(error); });
        });
        this.opened.catch(() => {});
        this.request.end();
    }

    static async open(client, options) {
        const stream = await new Stream(client, options).opened;
        assert.equal(stream.status, 200);
        assert.equal(stream.response.headers['content-type'], 'text/event-stream');
        return stream;
    }

    finish() {
        this.isOver = true;
        for (const wake of this.waiting) wake();
    }

    take(text) {
        if (this.status !== 200) {
            this.rest += text;
            return;
        }
        const blocks = (this.rest + text).split('\n\n');
        this.rest = blocks.pop();
        for (const block of blocks) {
            if (this.isClosed) return; // as if it was lost on its way
            const message = { event: 'message', data: undefined };
            for (const line of block.split('\n')) {
                const colon = line.indexOf(': ');
                const [name, value] = [line.slice(0, colon), line.slice(colon + 2)];
                if (colon === 0) this.comments++;
                else if (name === 'id') this.lastId = message.id = value;
                else if (name === 'event') message.event = value;
                else if (name === 'data' && message.data === undefined) message.data = JSON.parse(value);
                else throw new Error(`this is no line of an event: ${line}`);
            }
            if (message.data !== undefined) {
                message.id ??= this.lastId;
                this.messages.push(message);
                this.onMessage?.(message, this);
            }
        }
        for (const wake of this.waiting) wake();
    }

    // What made() gives once it gives something true; fails where the stream ends, or nothing comes in time.
    async until(made, words, patience = PATIENCE_MS) {
        const deadline = Date.now() + patience;
        for (;;) {
            const result = made();
            if (result) return result;
            if (this.isOver) throw new Error(`the stream ended, and this never came: ${words}`);
            if (Date.now() > deadline) throw new Error(`this never came: ${words}; last: ${JSON.stringify(this.messages.slice(-2))}`);
            await new Promise((resolve) => {
                const wake = () => { clearTimeout(timer); this.waiting.delete(wake); resolve(); };
                const timer = setTimeout(wake, deadline - Date.now() + 1);
                this.waiting.add(wake);
            });
        }
    }

    find(event) {
        return this.messages.find((message) => message.event === event);
    }

    hello() {
        return this.until(() => this.find('hello'), 'hello');
    }

    // The events proper: data of the messages without a name.
    get events() {
        return this.messages.filter(({ event }) => event === 'message').map(({ data }) => data);
    }

    // Its end, as the other side makes it.
    async ended(patience = PATIENCE_MS) {
        const deadline = setTimeout(() => this.request.destroy(new Error('the stream did not end')), patience);
        let error;
        this.request.on('error', (e) => { error = e; });
        while (!this.isOver) await new Promise((resolve) => { this.waiting.add(resolve); });
        clearTimeout(deadline);
        assert.ifError(error);
    }

    close() {
        this.isClosed = true;
        this.request.destroy();
    }
}

// The place that an id tells: {tag, producer: seq ...}.
export function placeOf(id) {
    const [tag, ...items] = id.split(',');
    return { tag, ...Object.fromEntries(items.map((item) => item.split(':')).map(([name, seq]) => [name, Number(seq)])) };
}

// Whether the one place ('': none yet) is not before the other in any log.
export function covers(id, other) {
    if (id === '') return false;
    const [one, two] = [placeOf(id), placeOf(other)];
    return Object.keys(two).every((name) => name === 'tag' || one[name] >= two[name]);
}
