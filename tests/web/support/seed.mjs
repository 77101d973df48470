// The randomness of a test: from ATES_SEED, else from the clock; printed, so that a failure can be had again.
export function seeded(t) {
    const seed = BigInt(process.env.ATES_SEED ?? Date.now());
    const mask = (1n << 64n) - 1n;
    let state = seed & mask;

    t.diagnostic(`ATES_SEED=${seed}`);
    // SplitMix64 (https://prng.di.unimi.it/splitmix64.c).
    const next = () => {
        state = (state + 0x9e3779b97f4a7c15n) & mask;
        let z = state;
        z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
        z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
        return z ^ (z >> 31n);
    };
    const below = (limit) => Number(next() % BigInt(limit));
    return { below, pick: (items) => items[below(items.length)] };
}
