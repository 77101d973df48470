// The whole story as its people live it: everybody registers, writes tasks, sees them arrive, does them, is paid and
// reads about it, while the pages of the others follow without being loaded anew.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { Client } from '../support/client.mjs';
import { ADMIN } from '../support/daemon.mjs';
import { formatCount, formatDate, formatMoney } from '../../../actors/web/page/format.js';
import { assertAccessible } from './axe.mjs';
import { readCsv } from './csv.mjs';
import { Mailbox } from './mailbox.mjs';
import { plain, say, skip, Stage, until } from './stage.mjs';

const person = (login, role = login) => ({
    login,
    role,
    email: `${login}@uberpopug.example`,
    password: `password-of-${login}`,
});
const OPEN = ['developer', 'other'].map((role) => person(role));
const MADE = ['manager', 'accountant', 'boss', 'administrator'].map((role) => person(role));
const ASSIGNED = ['developer', 'other', 'accountant', 'boss'];

// All items of a list.
async function listOf(client, path) {
    const items = [];
    let next;
    do {
        const page = await client.get(
            `${path}${path.includes('?') ? '&' : '?'}limit=1000${next ? `&after=${encodeURIComponent(next)}` : ''}`,
        );
        items.push(...page.items);
        next = page.next;
    } while (next !== undefined);
    return items;
}

function tell(language, size) {
    const seats = {},
        clients = {},
        ids = {};
    let stage, mailbox, admin;
    const text = (key, values) => say(language, key, values);
    const money = (cents) => (say(language, 'nav.main'), formatMoney(cents)); // in this language
    const seatFor = async (login, path) => {
        seats[login] = await stage.seat({ language, size });
        await seats[login].tab(path);
        return seats[login];
    };
    const cents = (seat, testId, value) =>
        seat.page.locator(`[data-testid=${testId}] data[value="${value / 100}"]`).waitFor();
    // The balance that is shown becomes the API's. (Both may still move: accounting follows tasks.)
    const agrees = (seat, login) =>
        until(async () => {
            const shown = await seat.page.locator('[data-testid=balance] data').getAttribute('value');
            return shown === String((await clients[login].get('/accounts/me')).balance_cents / 100);
        }, `${login} sees the own balance`);
    const doAll = async (path, body) => {
        // tasks by their assignees, so that some have earned
        const task = (await clients.manager.post(path, body)).task;
        const [login] = Object.entries(ids).find(([, id]) => id === task.assigned_to);
        await clients[login].post(`/tasks/${task.id}/complete`);
    };

    before(async () => {
        if (skip) return;
        mailbox = await new Mailbox().listen();
        stage = await Stage.open({ ATES_SMTP_URL: mailbox.url, ATES_MAIL_LANGUAGE: language });
    });
    after(async () => {
        await stage?.close();
        mailbox?.close();
    });
    const part = (name, run) =>
        test(name, { skip }, async () => {
            await run();
            stage.clean();
        });

    part('the administrator registers those whose roles are not open', async () => {
        admin = await seatFor('admin', '/people');
        await admin.signIn(ADMIN);
        for (const made of MADE) {
            await admin.id('new-person').click();
            await admin.fill(made);
            await admin.id('create-person').click();
            await admin.page.locator('dialog').waitFor({ state: 'detached' });
            await admin.sees('people', made.email);
        }
    });

    part('those whose roles are open register themselves, and the administrator sees it', async () => {
        for (const open of OPEN) {
            const seat = await seatFor(open.login, '/register');
            assert.deepEqual(
                (
                    await seat.page.locator('[name=role] option').evaluateAll((found) => found.map(({ value }) => value))
                ).sort(),
                ['developer', 'other'],
            );
            await seat.fill(open);
            await seat.id('register').click();
            await seat.id('user-menu').waitFor();
            await seat.page.waitForURL('**/tasks');
            await admin.sees('people', open.email);
        }
    });

    part('everybody signs in', async () => {
        for (const made of MADE) await (await seatFor(made.login, '/sign-in')).signIn(made);
        for (const one of [...OPEN, ...MADE]) {
            const { token, user } = await new Client(stage.base).post('/session', {
                login: one.login,
                password: one.password,
            });
            clients[one.login] = new Client(stage.base, undefined, { token });
            ids[one.login] = user.id;
            assert.equal(user.role, one.role);
            const may =
                { manager: ['people', 'reassign'], administrator: ['analytics', 'people', 'reassign'] }[one.role] ?? [];
            for (const name of ['analytics', 'people'])
                assert.equal(
                    await seats[one.login].id(`nav-${name}`).count(),
                    Number(may.includes(name)),
                    `${one.login}: ${name}`,
                );
            assert.equal(await seats[one.login].id('reassign').count(), Number(may.includes('reassign')));
        }
    });

    part('each writes a task, and it arrives with whoever got it', async () => {
        for (const login of ASSIGNED) await seats[login].mark();
        await seats.manager.mark();
        await admin.open('/tasks');
        for (const seat of Object.values(seats)) {
            await seat.id('new-task').click();
            await seat.fill({ name: 'Count <b>parrots</b> & "pugs"', description: 'One\nby one' });
            await seat.id('create-task').click();
            await seat.id('made').waitFor();
            const href = await seat.id('made').locator('a').getAttribute('href');
            const { task } = await clients.manager.get(href);
            const [login] = Object.entries(ids).find(([, id]) => id === task.assigned_to);
            assert.ok(ASSIGNED.includes(login), `${login} got a task`);
            await seat.sees('made', text('new_task.got', { person: login }));
            await seat.closeDialog();
            await seats[login].sees(`task-${task.id}`, task.name);
            await seats.manager.page.locator(`[data-row="${task.id}"]`).waitFor();
        }
        for (const login of [...ASSIGNED, 'manager']) await seats[login].wasNotReloaded();
    });

    part('who does a task is paid for it at once', async () => {
        const open = async (login) => await listOf(clients[login], '/tasks/mine?status=open');
        for (const login of ASSIGNED) {
            for (let i = 0; i < 200 && (await open(login)).length < 2; i++)
                await clients.manager.post('/tasks', { name: `More ${i}`, description: '' });
            const seat = seats[login],
                tasks = seat.page;
            const account = await seat.tab('/accounting?view=mine');
            await agrees(seat, login);
            await seat.mark();
            const [first, second] = await open(login);
            seat.page = tasks;
            await seat.id(`task-${first.id}`).locator('[data-complete]').click();
            await seat.sees('toast-done', text('tasks.completed', { name: first.name }));
            await seat.id(`task-${first.id}`).waitFor({ state: 'detached' });
            await seat.open(`/tasks/${second.id}`);
            await seat.id('complete').click();
            await seat.sees('task-status', text('task.is_finished'));
            await seat.sees('history', text('log.complete', { actor: login }));
            seat.page = account;
            await until(async () => {
                const rewards = (await listOf(clients[login], '/accounts/me/transfers')).filter(
                    ({ kind, task_id: id }) => kind === 'completion_reward' && [first.id, second.id].includes(id),
                );
                return rewards.length === 2;
            }, 'the rewards');
            await agrees(seat, login);
            await seat.page
                .locator('[data-testid=ledger] tbody tr')
                .filter({ hasText: plain(`${text('kind.completion_reward')} #${second.id}`) })
                .waitFor();
            await seat.wasNotReloaded();
            await account.close();
            seat.page = tasks;
            await seat.open('/tasks');
            await seat.mark();
        }
    });

    part('the manager deals the tasks anew, after reading how many', async () => {
        const { manager } = seats;
        for (const name of ['Sweep', 'Mop', 'Dust']) await clients.manager.post('/tasks', { name, description: '' });
        const open = await listOf(clients.manager, '/tasks?status=open');
        await manager.id('reassign').click();
        await manager.sees(
            'reassign-count',
            text('reassign.text', { count: open.length, number: formatCount(open.length) }),
        );
        await manager.closeDialog(); // nothing happens
        assert.deepEqual(await listOf(clients.manager, '/tasks?status=open'), open);
        await manager.id('reassign').click();
        await manager.id('confirm').click();
        await manager.sees('toast-done', text('reassign.done', { count: open.length, number: formatCount(open.length) }));
        await manager.page.locator('dialog').waitFor({ state: 'detached' });
        for (const login of ASSIGNED) {
            const mine = new Set((await listOf(clients[login], '/tasks/mine?status=open')).map(({ id }) => `task-${id}`));
            await until(async () => {
                const shown = await seats[login].page
                    .locator('[data-testid=my-tasks] li')
                    .evaluateAll((rows) => rows.map(({ dataset }) => dataset.testid));
                return shown.length === mine.size && shown.every((name) => mine.has(name));
            }, `${login} sees the tasks that are now theirs`);
            await seats[login].wasNotReloaded();
        }
        await manager.open(`/tasks/${open[0].id}`);
        assert.equal(await manager.page.locator('[data-testid=history] .assign').count(), 1);
    });

    part('the figures of analytics are those of the API', async () => {
        await admin.open('/analytics');
        await admin.mark();
        const agree = async () => {
            const [today, negative, top, income] = await Promise.all([
                admin.api('/analytics/income/today'),
                admin.api('/analytics/negative-balances'),
                admin.api(`/analytics/most-expensive-task?period=week&date=${(await admin.api('/settings')).business_date}`),
                clients.administrator.get('/income'),
            ]);
            assert.equal(today.income_cents, income.items.at(-1).income_cents, 'analytics and accounting count alike');
            await cents(admin, 'income-today', today.income_cents);
            await admin.sees(
                'negative-count',
                text('analytics.negative_count', { count: negative.count, number: formatCount(negative.count) }),
            );
            for (const { login, balance_cents: balance } of negative.items)
                await admin.page
                    .locator('[data-testid=negative] tr')
                    .filter({ hasText: login })
                    .filter({ hasText: plain(money(balance)) })
                    .waitFor();
            await cents(admin, 'top-task', top.task.complete_price_cents);
            await admin.sees('top-task', top.task.name);
            const table = await admin.page.locator('[data-testid=income-table] tbody tr').first().textContent();
            assert.ok(plain(table).includes(plain(money(today.income_cents))), table);
        };
        await stage.followed();
        await agree();
        await doAll('/tasks', { name: 'The dearest of them', description: '' }); // live
        await stage.followed();
        await agree();
        await admin.wasNotReloaded();
    });

    part('the accountant pays, after reading what it takes', async () => {
        mailbox.isRefusing = true;
        const { accountant, developer } = seats;
        const balances = async () => Promise.all(ASSIGNED.map((login) => clients[login].get('/accounts/me')));
        const positive = async () => (await balances()).filter(({ balance_cents: balance }) => balance > 0);
        for (
            let i = 0;
            i < 300 && ((await positive()).length < 2 || (await clients.developer.get('/accounts/me')).balance_cents <= 0);
            i++
        ) {
            await doAll('/tasks', { name: `Overtime ${i}`, description: '' });
        }
        await stage.followed();
        const paid = await positive();
        await developer.open('/accounting');
        await developer.mark();
        await accountant.open('/accounting?view=payouts');
        await accountant.id('pay').click();
        await accountant.id('pay-ask').click();
        const total = paid.reduce((sum, { balance_cents: balance }) => sum + balance, 0);
        const sums = { count: paid.length, number: formatCount(paid.length), total: money(total) };
        await accountant.sees('pay-look', text('pay.would', sums));
        await accountant.sees('pay-early', text('pay.early'));
        await admin.open('/accounting?view=payouts');
        await admin.id('run-schedule').click();
        await admin.sees('pay-look', text('pay.would', sums));
        await admin.shoot('story-run-look');
        await admin.closeDialog();
        assert.deepEqual(await positive(), paid, 'to ask pays nobody');
        await accountant.id('confirm').click();
        const { business_date: date } = await accountant.api('/settings');
        await accountant.sees('toast-done', text('pay.done', { ...sums, date: formatDate(date) }));
        await cents(developer, 'balance', 0);
        await developer.page
            .locator('[data-testid=ledger] tbody tr')
            .filter({ hasText: plain(text('kind.payout')) })
            .waitFor();
        await developer.wasNotReloaded();
        await accountant.id('pay').click(); // once more: closed already
        await accountant.id('pay-ask').click();
        await accountant.sees('pay-look', text('pay.is_closed', { ...sums, date: formatDate(date) }));
        assert.equal(await accountant.id('confirm').count(), 0);
        await accountant.closeDialog();
    });

    part('mails that were refused are sent again', async () => {
        const { accountant } = seats;
        await accountant.open('/accounting?view=mails');
        await accountant.mark();
        const rows = accountant.page.locator('[data-testid=mails] tbody tr');
        await until(async () => {
            const { items } = await clients.accountant.get('/mails');
            return items.length >= 2 && items.every(({ state }) => state === 'dead');
        }, 'mails given up');
        const { items } = await clients.accountant.get('/mails');
        await until(
            async () => (await rows.getByText(text('mail.dead'), { exact: true }).count()) === items.length,
            'the page shows them so',
        );
        assert.equal(await accountant.id('retry').count(), items.length);
        for (const { id, to, subject } of items) {
            const row = accountant.page.locator(`[data-testid=mails] [data-row="${id}"]`);
            assert.ok((await row.textContent()).includes(to));
            await row.locator('button.link').click();
            const { text: letter } = await accountant.api(`/mails/${id}`);
            assert.equal(await accountant.id('mail-text').textContent(), letter);
            assert.ok(letter.length > 20 && subject.length > 5);
            await accountant.id('mail-dialog').getByText('550 5.1.1').waitFor();
            await accountant.fits('mail');
            await assertAccessible(accountant.page, 'a mail given up');
            await accountant.closeDialog();
        }
        await assertAccessible(accountant.page, 'mails given up');
        mailbox.isRefusing = false;
        for (const { id, to } of items) {
            const row = accountant.page.locator(`[data-testid=mails] [data-row="${id}"]`);
            await row.getByTestId('retry').click();
            await row.getByText(text('mail.sent'), { exact: true }).waitFor();
            assert.equal(await row.getByTestId('retry').count(), 0);
            assert.equal(mailbox.letters.filter((letter) => letter.to.includes(to)).length, 1);
        }
        await accountant.wasNotReloaded();
    });

    part('the accountant finds a person by login', async () => {
        const { accountant } = seats;
        await accountant.open('/accounting?view=transfers&period=all');
        const picker = accountant.id('person');
        await picker.pressSequentially('dev');
        await accountant.page.locator('datalist option[value=developer]').waitFor({ state: 'attached' });
        await picker.pressSequentially('eloper');
        await accountant.page.waitForURL(`**user=${ids.developer}**`);
        const { items } = await clients.accountant.get(`/transfers?user_id=${ids.developer}&newest_first=true&limit=50`);
        await until(async () => {
            const rows = accountant.page.locator('[data-testid=transfers] tbody tr');
            const shown = await rows.evaluateAll((found) => found.map(({ dataset }) => Number(dataset.row)));
            return JSON.stringify(shown) === JSON.stringify(items.map(({ id }) => id));
        }, 'only the transfers of the developer, the newest first');
        await accountant.shoot('story-person-found');
        await picker.fill('nobody.at.all');
        await accountant.page.getByText(text('filter.nobody')).waitFor();
        await accountant.shoot('story-person-nobody');
        await picker.fill('');
        await accountant.page.waitForURL((url) => !url.searchParams.get('user'));
    });

    part('what is saved as CSV is what the API has', async () => {
        const { accountant, developer } = seats;
        const save = async (seat) => {
            const [download] = await Promise.all([seat.page.waitForEvent('download'), seat.id('export').click()]);
            assert.match(download.suggestedFilename(), /^ates-[a-z0-9-]+-\d{4}-\d\d-\d\d\.csv$/);
            return readCsv(readFileSync(await download.path(), 'utf8'));
        };
        const decimal = (value) => (value / 100).toFixed(2);
        const expected = (transfers) =>
            transfers.map((one) => ({
                id: String(one.id),
                business_date: one.business_date,
                user_id: String(one.user_id),
                login: Object.keys(ids).find((login) => ids[login] === one.user_id),
                kind: one.kind,
                task_id: String(one.task_id ?? ''),
                delta: decimal(one.delta_cents),
                balance: decimal(one.balance_cents),
                description: one.description,
            }));
        const bare = (rows) => rows.map(({ timestamp, ...rest }) => (assert.ok(!Number.isNaN(Date.parse(timestamp))), rest));
        await accountant.open('/accounting?view=transfers&period=all');
        assert.deepEqual(bare(await save(accountant)), expected(await listOf(clients.accountant, '/transfers')));
        await accountant.open('/accounting?view=transfers&period=all&kind=payout');
        assert.deepEqual(bare(await save(accountant)), expected(await listOf(clients.accountant, '/transfers?kind=payout')));
        await developer.open('/accounting?period=all');
        assert.deepEqual(bare(await save(developer)), expected(await listOf(clients.developer, '/accounts/me/transfers')));
        await accountant.open('/accounting?view=company&period=7d');
        const { items } = await clients.accountant.get('/income');
        assert.deepEqual(
            (await save(accountant)).slice(-1),
            items.slice(-1).map((one) => ({ date: one.date, income: decimal(one.income_cents) })),
        );
    });

    part('the administrator changes, locks and opens accounts', async () => {
        stage.allow(/401 \(Unauthorized\).*\/api\/v1\//); // what a page asks for while its session ends
        const target = OPEN[1];
        const seat = seats[target.login];
        const manage = async () => {
            await admin.page.locator(`[data-testid=people] [data-row="${ids[target.login]}"]`).getByTestId('manage').click();
            await admin.id('person-dialog').waitFor();
        };
        const ended = async () => {
            await seat.id('ended').waitFor();
            await seat.page.waitForURL('**/sign-in**');
        };
        await admin.open('/people');
        await seat.open('/tasks');

        await manage();
        await admin.page.locator('dialog select').selectOption('manager');
        await admin.id('change-role').click();
        await admin.sees('toast-done', text('person.role_changed', { login: target.login, role: text('role.manager') }));
        await admin.shoot('story-role-changed');
        await admin.id('person-dialog').getByTestId('toasts-aloud').getByText(text('role.manager')).waitFor({ state: 'attached' });
        await admin.closeDialog();
        await admin.page
            .locator(`[data-row="${ids[target.login]}"]`)
            .filter({ hasText: text('role.manager') })
            .waitFor();
        await ended();
        await seat.signIn(target);
        await seat.id('nav-people').waitFor();

        await manage();
        await admin.page.locator('dialog input[type=password]').fill('brand-new-password');
        await admin.id('reset-password').click();
        await admin.sees('toast-done', text('person.password_reset', { login: target.login }));
        await admin.closeDialog();
        await ended();
        await seat.signIn({ ...target, password: 'brand-new-password' });

        await manage();
        await admin.id('revoke').click();
        await admin.sees('toast-done', text('person.revoked', { login: target.login }));
        await admin.closeDialog();
        await ended();
        await seat.signIn({ ...target, password: 'brand-new-password' });

        await manage();
        await admin.id('disable').click();
        await admin.sees('toast-done', text('person.was_disabled', { login: target.login }));
        await admin.closeDialog();
        await ended();
        stage.allow(/40[13] .*\/api\/v1\/session$/); // a disabled account
        await seat.fill({ login: target.login, password: 'brand-new-password' });
        await seat.id('sign-in').click();
        await seat.sees('form-problem', text('reason.USER_DISABLED'));

        await manage();
        await admin.id('enable').click();
        await admin.sees('toast-done', text('person.was_enabled', { login: target.login }));
        await admin.closeDialog();
        await seat.signIn({ ...target, password: 'brand-new-password' });
    });

    part('everybody goes home', async () => {
        for (const seat of Object.values(seats)) {
            await seat.menu('sign-out');
            await seat.sees('ended', text('ended.signed_out'));
            await seat.page.reload();
            await seat.page.locator('[name=password]').waitFor();
        }
    });
}

for (const [language, size] of [
    ['en', 'desktop'],
    ['ru', 'phone'],
])
    describe(`in ${language} on a ${size}`, () => tell(language, size));
