/* What a page shows of the service: read once, read anew when something happened.
 *
 * Invariant: at most one request is in flight for a view; what comes meanwhile leads to one more
 * reading after it. Data stays while it is read anew, and while that fails. */

const DEBOUNCE_MS = 200;

export class View {
    /* load(data, signal) gives the data anew (the old is passed in: how much is shown matters);
     * more(data, signal) gives it with the next page. changed() is called when anything here
     * changes. settleMs: read once more that long after the last event, for services that follow
     * others and may not have caught up. */
    constructor({ load, more, changed, data, settleMs = 0, debounceMs = DEBOUNCE_MS, now = Date.now }) {
        Object.assign(this, { load, loadMore: more, changed, data, settleMs, debounceMs, now });
        this.error = undefined;
        this.busy = ''; /* 'load' or 'more' while a request is in flight */
        this.cause = ''; /* of the data: 'load' or 'more' */
        this.startedAt = 0; /* of the latest reading */
        this.tookMs = 0;
        this.again = false;
        this.closed = false;
        this.abort = new AbortController();
    }

    async run(kind, work) {
        this.busy = kind;
        const startedAt = this.now();
        if (kind === 'load') this.startedAt = startedAt;
        this.changed();
        try {
            const data = await work(this.data, this.abort.signal);
            if (this.closed) return;
            this.data = data;
            this.cause = kind;
            this.error = undefined;
        } catch (error) {
            if (this.closed) return;
            this.error = error;
        }
        this.tookMs = this.now() - startedAt;
        this.busy = '';
        this.changed();
        if (this.again) {
            this.again = false;
            this.poke();
        }
    }

    reload() {
        if (this.closed) return undefined;
        if (this.busy !== '') {
            this.again = true;
            return undefined;
        }
        clearTimeout(this.timer);
        this.timer = undefined;
        return this.run('load', this.load);
    }

    more() {
        return this.closed || this.busy !== '' ? undefined : this.run('more', this.loadMore);
    }

    /* Something happened that concerns the view. A reading that takes long is not repeated all the
     * time while much happens. */
    poke() {
        if (this.closed) return;
        if (this.settleMs > 0) {
            clearTimeout(this.settleTimer);
            this.settleTimer = setTimeout(() => this.reload(), this.settleMs + this.debounceMs);
        }
        if (this.timer !== undefined) return;
        this.timer = setTimeout(
            () => {
                this.timer = undefined;
                this.reload();
            },
            Math.max(this.debounceMs, 4 * this.tookMs),
        );
    }

    close() {
        this.closed = true;
        clearTimeout(this.timer);
        clearTimeout(this.settleTimer);
        this.abort.abort();
    }
}
