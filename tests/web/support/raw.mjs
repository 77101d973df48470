// HTTP by hand: bytes as no client would send them, and all that comes back.
import { connect } from 'node:net';

export const PATIENCE_MS = 20000 * Number(process.env.ATES_TIME_SCALE ?? 1);

// The first whole answer in bytes: {status, headers, body, size}; null where it is not there yet. Its body's end is
// told by its headers, or by the connection's (isOver).
export function readAnswer(bytes, { isOver, isHead } = {}) {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return null;
    const [line, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
    const match = /^HTTP\/1\.[01] (\d{3}) /.exec(line);
    if (!match) throw new Error(`this begins no answer: ${JSON.stringify(line)}`);
    const status = Number(match[1]);
    const headers = new Map(lines.map((text) => {
        const colon = text.indexOf(':');
        return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
    }));
    const length = headers.get('content-length');
    const begin = end + 4;
    if (isHead || status < 200 || status === 204 || status === 304) return { status, headers, body: Buffer.alloc(0), size: begin };
    if (length !== undefined) {
        const size = begin + Number(length);
        return bytes.length < size ? null : { status, headers, body: bytes.subarray(begin, size), size };
    }
    return isOver ? { status, headers, body: bytes.subarray(begin), size: bytes.length } : null;
}

// A connection that remembers what came.
export class Raw {
    constructor(base) {
        const { hostname, port } = new URL(base);
        this.bytes = Buffer.alloc(0);
        this.isOver = false;
        this.socket = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
        this.socket.on('data', (data) => { this.bytes = Buffer.concat([this.bytes, data]); this.changed?.(); });
        for (const event of ['end', 'close', 'error']) this.socket.on(event, () => { this.isOver = true; this.changed?.(); });
    }

    // Bytes, or parts of them that are sent one after the other. What the other side does not take any more is lost.
    async send(parts) {
        for (const part of [parts].flat()) {
            if (this.isOver) return;
            await new Promise((resolve) => { this.socket.write(part, 'latin1', resolve); });
        }
    }

    // No more comes from here.
    end() {
        this.socket.end();
    }

    close() {
        this.socket.destroy();
    }

    async wait(done, words, patience = PATIENCE_MS) {
        let timer;
        const late = new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error(`no ${words} came; only ${JSON.stringify(this.bytes.toString('latin1'))}`)), patience);
        });
        try {
            for (;;) {
                const result = done();
                if (result) return result;
                await Promise.race([late, new Promise((resolve) => { this.changed = resolve; })]);
            }
        } finally {
            clearTimeout(timer);
        }
    }

    // The next answer, those of 100 left out; or null where the connection ended without one.
    async answer({ patience, ...options } = {}) {
        for (;;) {
            const found = await this.wait(() => {
                const answer = readAnswer(this.bytes, { ...options, isOver: this.isOver });
                return answer ?? (this.isOver ? 'closed' : null);
            }, 'answer', patience);
            if (found === 'closed') return null;
            this.bytes = this.bytes.subarray(found.size);
            if (found.status >= 200) return found;
        }
    }

    // An answer, if it is one that comes soon: what is not whole may be waited for until its time is over.
    async answerIfAny(options) {
        return this.answer({ ...options, patience: 300 }).catch(() => null);
    }

    // That the other side ends the connection, and says nothing more before.
    async closed() {
        await this.wait(() => this.isOver, 'end');
        return this.bytes;
    }
}

// Sends it on a connection of its own: the answer, or null where the connection was ended without one.
export async function ask(base, parts, options) {
    const raw = new Raw(base);
    try {
        await raw.send(parts);
        return await raw.answer(options);
    } finally {
        raw.close();
    }
}
