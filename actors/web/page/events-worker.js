/* A SharedWorker: one event stream for all tabs. Each tab is a port; what the stream says goes to
 * all of them. */
import { Stream } from './stream.js';

const ports = new Set();

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
        stream.start(userId);
        greet(port);
    },
    stop: () => stream.stop(),
    wake: () => stream.wake(),
    leave(port) {
        ports.delete(port);
        if (ports.size === 0) stream.stop(); /* a worker may outlive its last tab for a while */
    },
};

self.addEventListener('connect', (connection) => {
    const [port] = connection.ports;
    ports.add(port);
    port.onmessage = ({ data }) => commands[data.type]?.(port, data);
    greet(port);
});
self.addEventListener('online', () => stream.wake());
