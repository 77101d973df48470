// Every page and dialog, for the roles that have them, in English on a desk and in Russian on a phone, in both colour
// schemes: axe-core finds nothing, nothing is wider than the window, and the console stays silent.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { people } from '../support/client.mjs';
import { ADMIN } from '../support/daemon.mjs';
import { assertAccessible } from './axe.mjs';
import { skip, Stage } from './stage.mjs';

const NAMES = [
    'Feed the parrots',
    'Заказать попугаям новые жёрдочки',
    'W'.repeat(200),
    '🦜 "quotes", <b>tags</b> & commas',
    'Preen the feathers of the whole marketing department before Friday noon',
    '=HYPERLINK("http://evil.example")',
];
let stage, all, cookies;

// Tasks for everybody, some of them done, a payout with its mails, and something after it.
async function furnish() {
    const { administrator, manager, accountant, developer, developer2, boss, other } = all;
    const assignees = new Map([developer, developer2, boss, other, accountant].map((client) => [client.user.id, client]));
    const make = async (i) =>
        (
            await manager.post('/tasks', {
                name: NAMES[i % NAMES.length],
                description: i % 2 ? '' : `Details:\n${'why '.repeat(60)}`,
            })
        ).task;
    const holds = new Set();
    for (let i = 0; i < 300 && (i < 24 || holds.size < assignees.size); i++) {
        const task = await make(i);
        holds.add(task.assigned_to);
        if (i % 2) await assignees.get(task.assigned_to).post(`/tasks/${task.id}/complete`);
    }
    const positive = async () =>
        (await Promise.all([...assignees.keys()].map((id) => accountant.get(`/accounts/${id}`)))).filter(
            ({ balance_cents: cents }) => cents > 0,
        ).length;
    for (let i = 0; i < 300 && (await positive()) < 2; i++) {
        const task = await make(i);
        await assignees.get(task.assigned_to).post(`/tasks/${task.id}/complete`);
    }
    await accountant.post('/payouts', {});
    const isIdle = async () => (await developer.get('/tasks/mine?status=open')).items.length === 0;
    for (let i = 0; i === 0 || (i < 300 && (await isIdle())); i++) await make(i); // booked after the payout
    await administrator.post('/users', {
        login: 'x'.repeat(64),
        password: 'password-of-x',
        email: `${'y'.repeat(60)}@${'z'.repeat(60)}.example`,
        role: 'other',
    });
    const { items } = await administrator.get('/users?query=xxxx');
    await administrator.post(`/users/${items[0].id}/disable`);
}

before(async () => {
    if (skip) return;
    stage = await Stage.open();
    all = await people(stage.base);
    await furnish();
    cookies = {};
    for (const role of ['administrator', 'manager', 'accountant', 'developer', 'boss', 'other']) {
        const seat = await stage.seat();
        await seat.signIn(role === 'administrator' ? ADMIN : { login: role, password: all[role].password });
        cookies[role] = await seat.context.cookies();
        await seat.close();
    }
});
after(() => stage?.close());

// What is looked at: {name, path, steps: [[name of the state, what leads there], ...]}.
const click = (testId) => (seat) => seat.id(testId).first().click();
const dialog = (testId, name) => async (seat) => {
    await click(testId)(seat);
    await seat.id(name).waitFor();
};
const close = (seat) => seat.closeDialog();
const STATIONS = {
    nobody: [
        ['sign-in', '/sign-in'],
        ['register', '/register'],
        [
            'register-refused',
            null,
            async (seat) => {
                await seat.fill({ login: 'ж', email: 'x', password: 'short' });
                await seat.id('register').click();
                await seat.page.locator('[aria-invalid=true]').first().waitFor();
            },
        ],
    ],
    developer: [
        ['tasks-mine', '/tasks'],
        ['user-menu', null, click('user-menu'), (seat) => seat.page.keyboard.press('Escape')],
        ['new-task', null, dialog('new-task', 'new-task-dialog')],
        [
            'new-task-refused',
            null,
            async (seat) => {
                await seat.id('create-task').click();
                await seat.page.locator('[aria-invalid=true]').first().waitFor();
            },
        ],
        [
            'new-task-made',
            null,
            async (seat) => {
                await seat.fill({ name: 'Made on a walk' });
                await seat.id('create-task').click();
                await seat.id('made').waitFor();
            },
            close,
        ],
        [
            'shortcuts',
            null,
            async (seat) => {
                await seat.menu('shortcuts');
                await seat.id('shortcuts-dialog').waitFor();
            },
            close,
        ],
        [
            'password',
            null,
            async (seat) => {
                await seat.menu('change-password');
                await seat.id('password-dialog').waitFor();
            },
            close,
        ],
        ['tasks-finished', '/tasks?view=finished'],
        [
            'task-open',
            null,
            async (seat) => {
                await seat.open('/tasks');
                await seat.page.locator('[data-testid=my-tasks] a').first().click();
                await seat.id('history').waitFor();
            },
        ],
        ['account', '/accounting'],
        ['account-empty', '/accounting?period=yesterday'],
        ['account-custom', '/accounting?period=custom'],
        ['unknown', '/no/such/page'],
        ['not-for-you', '/people'],
    ],
    boss: [
        ['boss-tasks', '/tasks'],
        ['boss-account', '/accounting?period=all'],
    ],
    other: [
        ['other-tasks', '/tasks'],
        ['other-account', '/accounting'],
    ],
    manager: [
        ['tasks-all', '/tasks'],
        ['reassign', null, dialog('reassign', 'reassign-dialog'), close],
        ['tasks-filtered', '/tasks?status=finished&q=parrots'],
        ['tasks-nothing-found', '/tasks?q=nosuchword'],
        ['task', '/tasks/1'],
        ['people-manager', '/people'],
    ],
    accountant: [
        ['company', '/accounting'],
        ['company-90', '/accounting?view=company&period=90d'],
        ['transfers', '/accounting?view=transfers'],
        ['account-choose', '/accounting?view=account'],
        ['account-of', '/accounting?view=account&user=3'],
        ['payouts', '/accounting?view=payouts'],
        ['pay', null, dialog('pay', 'pay-dialog')],
        ['pay-confirm', null, dialog('pay-ask', 'pay-confirm'), close],
        ['run-confirm', null, dialog('run-schedule', 'run-confirm'), close],
        ['mails', '/accounting?view=mails'],
        [
            'mail',
            null,
            async (seat) => {
                await seat.page.locator('[data-testid=mails] button.link').first().click();
                await seat.id('mail-text').waitFor();
            },
            close,
        ],
    ],
    administrator: [
        ['analytics', '/analytics'],
        ['analytics-day', '/analytics?top=day&period=7d'],
        ['analytics-month', '/analytics?top=month&period=month'],
        ['analytics-range', '/analytics?top=range&period=custom'],
        ['people', '/people'],
        ['new-person', null, dialog('new-person', 'new-person-dialog'), close],
        ['person', null, dialog('manage', 'person-dialog'), close],
        ['people-role', '/people?role=developer'],
        ['admin-payouts', '/accounting?view=payouts'],
        ['admin-run-confirm', null, dialog('run-schedule', 'run-confirm'), close],
    ],
};

async function look(seat, name) {
    const faults = [];
    const note = (error) => faults.push(error.message);
    await seat.settle();
    await seat.fits(name).catch(note);
    for (const scheme of ['light', 'dark']) {
        await seat.show(scheme);
        await seat.shoot(name);
        await assertAccessible(seat.page, `${name}, ${seat.language}, ${seat.size}, ${scheme}`).catch(note);
    }
    return faults;
}

// The tests of one kind of window.
// Each language at one width; ATES_LONG=1, or a wish for screenshots, has every language at every width.
const LANGUAGES = { desktop: ['en', 'ru'], phone: ['ru', 'en'] };
const isWhole = process.env.ATES_LONG === '1' || process.env.ATES_SCREENSHOTS !== undefined;

export function walk(size) {
    for (const language of isWhole ? LANGUAGES[size] : LANGUAGES[size].slice(0, 1)) {
        test(`every page in ${language} on a ${size}`, { skip }, async () => {
            const faults = [];
            for (const [role, stations] of Object.entries(STATIONS)) {
                const seat = await stage.seat({ language, size, cookies: cookies[role] });
                await seat.tab();
                for (const [name, path, enter, leave] of stations) {
                    try {
                        if (path !== null) await seat.open(path);
                        await enter?.(seat);
                        faults.push(...(await look(seat, name)));
                        await leave?.(seat);
                    } catch (error) {
                        faults.push(`${name}, ${language}, ${size}: ${error.stack}`);
                    }
                }
                await seat.close();
            }
            stage.allow(/400 \(Bad Request\).*\/api\/v1\/(users|tasks)$/); // what the refused forms are answered
            stage.clean();
            assert.deepEqual(faults, []);
        });
    }
}
