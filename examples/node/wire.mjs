// msgpack as PROTOCOL.md section 1 limits it. @msgpack/msgpack writes it; reading is done here, as that library takes a
// key twice, floats and bytes that are no UTF-8, and refuses the key __proto__.
import { encode as pack } from '@msgpack/msgpack';

export const FRAME_MAX = 256 * 1024;
const NESTING_MAX = 8;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes that no aTES service sends. */
export class WireError extends Error {}

/** @param {unknown} value  maps as objects, bytes as Uint8Array; what is undefined is left out
 *  @returns {Uint8Array} */
export const encode = (value) => pack(value, { ignoreUndefined: true });

/** The one value in bytes; maps are objects without a prototype. Throws WireError.
 *  @param {Uint8Array} bytes */
export function decode(bytes) {
    if (bytes.length > FRAME_MAX) throw new WireError('a frame has at most 256 KiB');
    const reader = new Reader(bytes);
    const value = reader.value(0);
    if (reader.at !== bytes.length) throw new WireError('trailing bytes');
    return value;
}

class Reader {
    constructor(bytes) {
        this.bytes = bytes;
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        this.at = 0;
    }

    take(size) {
        if (size > this.bytes.length - this.at) throw new WireError('it ends in the middle of a value');
        this.at += size;
        return this.at - size;
    }

    number(width, isSigned = false) {
        const at = this.take(width);
        if (width < 8) return this.view[`get${isSigned ? 'Int' : 'Uint'}${8 * width}`](at);
        const number = Number(isSigned ? this.view.getBigInt64(at) : this.view.getBigUint64(at));
        if (!Number.isSafeInteger(number)) throw new WireError('an integer is beyond 2^53-1');
        return number;
    }

    bin(size) {
        const at = this.take(size);
        return this.bytes.slice(at, at + size);
    }

    text(size) {
        try {
            return utf8.decode(this.bin(size));
        } catch (error) {
            throw error instanceof WireError ? error : new WireError('a text is not valid UTF-8');
        }
    }

    enter(count, depth, bytesEach) {
        if (depth === NESTING_MAX) throw new WireError('maps and lists are nested more than 8 deep');
        if (count * bytesEach > this.bytes.length - this.at) throw new WireError('it ends in the middle of a value');
    }

    list(count, depth) {
        this.enter(count, depth, 1);
        return Array.from({ length: count }, () => this.value(depth + 1));
    }

    map(count, depth) {
        this.enter(count, depth, 2);
        const made = Object.create(null);
        for (let i = 0; i < count; i++) {
            const key = this.value(depth + 1);
            if (typeof key !== 'string') throw new WireError("a map's key is not a text");
            if (key in made) throw new WireError('a map has a key twice');
            made[key] = this.value(depth + 1);
        }
        return made;
    }

    value(depth) {
        const head = this.number(1);
        if (head < 0x80) return head;
        if (head < 0x90) return this.map(head & 0x0f, depth);
        if (head < 0xa0) return this.list(head & 0x0f, depth);
        if (head < 0xc0) return this.text(head & 0x1f);
        if (head >= 0xe0) return head - 0x100;
        if (head === 0xc0) return null;
        if (head === 0xc2 || head === 0xc3) return head === 0xc3;
        if (head >= 0xc4 && head <= 0xc6) return this.bin(this.number(1 << (head - 0xc4)));
        if (head >= 0xcc && head <= 0xcf) return this.number(1 << (head - 0xcc));
        if (head >= 0xd0 && head <= 0xd3) return this.number(1 << (head - 0xd0), true);
        if (head >= 0xd9 && head <= 0xdb) return this.text(this.number(1 << (head - 0xd9)));
        if (head === 0xdc || head === 0xdd) return this.list(this.number(2 << (head - 0xdc)), depth);
        if (head === 0xde || head === 0xdf) return this.map(this.number(2 << (head - 0xde)), depth);
        throw new WireError(head === 0xca || head === 0xcb ? 'no floating-point numbers' : 'none of the types in use');
    }
}
