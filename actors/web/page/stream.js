/* The one connection to /api/v1/events, whoever holds it: the worker that all tabs share, or a
 * page where there are no such workers.
 *
 * EventSource comes back by itself while the network fails, but gives up at an answer that is no
 * stream (503, 401). Then we ask whether the session lives, and open anew behind the last id. */

const URL = '/api/v1/events';
const DELAY_MIN_MS = 1000;
const DELAY_MAX_MS = 30000;
const CLOSED = 2;

export class Stream {
    /* tell(message) hears {type: 'state', state}, {type: 'hello', user}, {type: 'reset'},
     * {type: 'event', event}, {type: 'ended'}. isSignedIn() resolves to whether the session lives,
     * or rejects where nobody answers. */
    constructor({ tell, isSignedIn, EventSource, now = Date.now, random = Math.random }) {
        Object.assign(this, { tell, isSignedIn, EventSource, now, random });
        this.state = 'off'; /* off, connecting, live, broken */
        this.userId = 0;
        this.since = 0; /* when it became live */
        this.lastId = '';
        this.failures = 0;
    }

    set(state) {
        if (state === 'live') this.since = this.now();
        if (state === this.state) return;
        this.state = state;
        this.tell({ type: 'state', state });
    }

    /* Follows what this user may see. */
    start(userId) {
        if (this.state !== 'off' && userId === this.userId) return;
        this.stop();
        this.userId = userId;
        this.set('connecting');
        this.open();
    }

    open() {
        this.source?.close();
        const query = this.lastId === '' ? '' : `?last_event_id=${encodeURIComponent(this.lastId)}`;
        const source = new this.EventSource(URL + query);
        this.source = source;
        const hear = (name, take) =>
            source.addEventListener(name, (message) => {
                if (source !== this.source) return;
                if (message.lastEventId) this.lastId = message.lastEventId;
                take(message);
            });
        hear('hello', (message) => {
            this.failures = 0;
            this.set('live');
            this.tell({ type: 'hello', user: JSON.parse(message.data), since: this.since });
        });
        hear('message', (message) => this.tell({ type: 'event', event: JSON.parse(message.data) }));
        hear('reset', () => this.tell({ type: 'reset' }));
        hear('bye', () => {
            source.close();
            this.ask();
        });
        source.onerror = () => {
            if (source !== this.source || this.state === 'off') return;
            this.set('broken');
            if (source.readyState === CLOSED) this.ask();
        };
    }

    /* The stream was ended or refused: because of the session, or for a while? */
    async ask() {
        const { source } = this;
        let signedIn = true;
        this.set('broken');
        try {
            signedIn = await this.isSignedIn();
        } catch {
            /* Nobody there: that says nothing of the session. */
        }
        if (source !== this.source || this.state === 'off') return;
        if (!signedIn) {
            this.stop();
            this.tell({ type: 'ended' });
            return;
        }
        const delay = Math.min(DELAY_MIN_MS * 2 ** this.failures, DELAY_MAX_MS);
        this.failures++;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.open(), delay * (0.5 + this.random() / 2));
    }

    /* The machine may have slept, or the network has come back: a connection that died silently would
     * be noticed only minutes later. */
    wake() {
        if (this.state === 'off') return;
        clearTimeout(this.timer);
        this.failures = 0;
        this.set('broken');
        this.open();
    }

    stop() {
        clearTimeout(this.timer);
        this.source?.close();
        this.source = undefined;
        this.lastId = '';
        this.failures = 0;
        this.set('off');
    }
}
