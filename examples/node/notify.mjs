#!/usr/bin/env node
// Tells who got which task, as it happens: what a chat bot would post. The user is an administrator.
//
//     node notify.mjs --run DIR --login NAME --password-file FILE --cursor FILE [--once] [--snapshot]
//
// --cursor: where to go on, and what was told last; --once: end where the log ends now; --snapshot: begin after what
// stands for events that are no more. Over TCP: --endpoint NAME=tcp://HOST:PORT for auth, tasks and events each,
// --server-key FILE, --own-key FILE.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Client, curveFromFiles } from './ates.mjs';
import { Broken, Compacted, Follower, loadCursor, saveCursor } from './follower.mjs';

const { values: options } = parseArgs({
    options: {
        run: { type: 'string', default: process.env.ATES_RUN ?? '/run/ates' },
        login: { type: 'string' },
        'password-file': { type: 'string' },
        cursor: { type: 'string' },
        once: { type: 'boolean', default: false },
        snapshot: { type: 'boolean', default: false },
        endpoint: { type: 'string', multiple: true, default: [] },
        'server-key': { type: 'string' },
        'own-key': { type: 'string' },
    },
});

// Of an event that comes in several versions, one: task_created.v2 tells of every task, of those of before too.
const WORDS = {
    'task_created.v2': ({ task_id, title, assigned_to }) => [assigned_to, `you have a new task ${task_id}: ${title}`],
    'task_assigned.v1': ({ task_id, assigned_to }) => [assigned_to, `task ${task_id} is yours now`],
    'task_completed.v1': ({ task_id, completed_by }) => [completed_by, `task ${task_id} is done, well done`],
};

const logins = new Map();

async function login(client, userId) {
    if (!logins.has(userId)) {
        const { items } = (await client.call('auth.show_logins', { user_ids: [userId] })).result;
        logins.set(userId, items[0]?.login ?? `user ${userId}`);
    }
    return logins.get(userId);
}

async function notify(client, follower) {
    if (options.snapshot) {
        await follower.snapshot();
        saveCursor(options.cursor, follower.cursor);
    }
    for await (const event of options.once ? follower.catchUp() : follower.follow()) {
        // What nothing caused tells again of a task of before: that is no news.
        if (event.event_name === 'task_created' && event.cause === undefined) continue;
        const words = WORDS[`${event.event_name}.v${event.event_version}`]?.(event.data);
        if (words) console.log(`${event.seq} @${await login(client, words[0])}: ${words[1]}`);
        saveCursor(options.cursor, follower.cursor);
    }
}

async function main() {
    for (const name of ['login', 'password-file', 'cursor']) if (!options[name]) throw new Error(`--${name} is missing`);
    const client = new Client({
        runDir: options.run,
        endpoints: Object.fromEntries(options.endpoint.map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
        curve: options['server-key'] && curveFromFiles(options['server-key'], options['own-key']),
    });
    await client.signIn(options.login, readFileSync(options['password-file'], 'utf8').split('\n')[0]);
    const follower = new Follower(client, 'tasks', loadCursor(options.cursor));
    try {
        await notify(client, follower);
    } finally {
        follower.close();
        client.close();
    }
}

main().catch((error) => {
    console.error(`notify: ${error.message}`);
    process.exitCode = error instanceof Broken ? 3 : error instanceof Compacted ? 4 : 1;
});
