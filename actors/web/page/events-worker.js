/* A SharedWorker: one event stream for all tabs. Each tab is a port; what the stream says goes to
 * all of them. */
import { Stream } from './stream.js';

const ports = new Set();
const listening = new Set(); /* those of tabs with somebody signed in */

function toAll(message) {
    for (const port of ports) port.postMessage(message);
}

async function isSignedIn() {
    const response = await fetch('/api/v1/session');
    if (!response.ok) throw new Error(String(response.status));
    return (await response.json()).user !== undefined;
}

const stream = new Stream({ tell: toAll, isSignedIn, EventSource });

/* Where the stream stands, and from when on this port hears everything. */
function greet(port) {
    port.postMessage({
        type: 'state',
        state: stream.state,
        since: Math.max(stream.since, Date.now()),
        userId: stream.userId,
    });
}

const commands = {
    start(port, { userId }) {
        listening.add(port);
        stream.start(userId);
        greet(port);
    },
    /* What one tab believes of the session is not for the others: they hear its end from the stream. */
    stop(port) {
        listening.delete(port);
        if (listening.size === 0) stream.stop();
    },
    wake: () => stream.wake(),
    leave(port) {
        ports.delete(port);
        commands.stop(port); /* a worker may outlive its last tab for a while */
    },
};

self.addEventListener('connect', (connection) => {
    const [port] = connection.ports;
    ports.add(port);
    port.onmessage = ({ data }) => commands[data.type]?.(port, data);
    greet(port);
});
self.addEventListener('online', () => stream.wake());
