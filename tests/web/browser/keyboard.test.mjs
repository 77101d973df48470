// The page by keyboard alone: shortcuts, and where the focus goes.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { people } from '../support/client.mjs';
import { ADMIN } from '../support/daemon.mjs';
import { skip, Stage, until } from './stage.mjs';

let stage, all, admin;

// What has the focus: its test id, its name, or its tag.
const focused = (seat) =>
    seat.page.evaluate(() => {
        const { dataset, name, tagName } = document.activeElement;
        return dataset.testid || name || tagName.toLowerCase();
    });
const focusIs = (seat, wanted) =>
    seat.page
        .waitForFunction((name) => {
            const { dataset, name: own, tagName } = document.activeElement;
            return [dataset.testid, own, tagName.toLowerCase()].includes(name);
        }, wanted)
        .catch(async () => assert.equal(await focused(seat), wanted));
const press = async (seat, keys) => {
    for (const key of keys.split(' ')) await seat.page.keyboard.press(key);
};

before(async () => {
    if (skip) return;
    stage = await Stage.open();
    all = await people(stage.base);
    for (const name of ['first', 'second', 'third']) await all.manager.post('/tasks', { name, description: '' });
    admin = await stage.seat();
    await admin.tab('/sign-in');
});
afterEach(() => stage?.clean());
after(() => stage?.close());

test('signing in needs no mouse', { skip }, async () => {
    await focusIs(admin, 'login');
    await admin.page.keyboard.type(ADMIN.login);
    await press(admin, 'Tab');
    await admin.page.keyboard.type(ADMIN.password);
    await press(admin, 'Enter');
    await admin.id('user-menu').waitFor();
    await admin.settle();
    await focusIs(admin, 'h1');
});

test('the first Tab of a page leads past the navigation', { skip }, async () => {
    await admin.open('/tasks');
    await press(admin, 'Tab');
    assert.equal(await admin.page.evaluate(() => document.activeElement.getAttribute('href')), '#main');
    await press(admin, 'Enter');
    await focusIs(admin, 'main');
});

test('g and a letter go to a page, and the focus to its heading', { skip }, async () => {
    for (const [keys, path] of [
        ['g a', '/accounting'],
        ['g n', '/analytics'],
        ['g p', '/people'],
        ['g t', '/tasks'],
    ]) {
        await press(admin, keys);
        await admin.page.waitForURL(`**${path}`);
        await focusIs(admin, 'h1');
        await admin.settle();
        await focusIs(admin, 'h1');
    }
});

test('? lists the shortcuts; Esc closes the list and gives the focus back', { skip }, async () => {
    await admin.id('new-task').focus();
    await admin.page.keyboard.type('?');
    await admin.id('shortcuts-dialog').waitFor();
    assert.ok(await admin.page.evaluate(() => document.querySelector('dialog').contains(document.activeElement)));
    const keys = await admin.page.locator('dialog kbd').allTextContents();
    for (const key of ['?', '/', 'n', 'j', 'k', 'g', 't', 'a', 'p', 'Enter', 'Esc'])
        assert.ok(keys.includes(key), `${key} is not listed`);
    await press(admin, 'n'); // nothing: a dialog is open
    await admin.closeDialog();
    await focusIs(admin, 'new-task');
    assert.equal(await admin.page.locator('dialog').count(), 0);
});

test('a dialog that is closed as soon as it is there is gone for good', { skip }, async () => {
    await admin.page.evaluate(
        () =>
            new Promise((resolve) => {
                const observer = new MutationObserver(() => {
                    const dialog = document.querySelector('dialog[open]');
                    if (dialog === null) return;
                    observer.disconnect();
                    dialog.close(); // as Esc does that nobody held back
                    resolve();
                });
                observer.observe(document.body, { subtree: true, childList: true, attributes: true });
                document.querySelector('[data-testid=new-task]').click();
            }),
    );
    await admin.page.locator('dialog').waitFor({ state: 'detached' });
    await admin.id('new-task').click();
    await admin.id('new-task-dialog').waitFor();
    await admin.closeDialog();
});

test('n writes a task, by keyboard to its end', { skip }, async () => {
    await press(admin, 'n');
    await admin.id('new-task-dialog').waitFor();
    await focusIs(admin, 'name');
    await admin.page.keyboard.type('g t n / ? by hand'); // no shortcuts while somebody writes
    await press(admin, 'Enter');
    await admin.id('made').waitFor();
    assert.match(await admin.id('made').textContent(), /g t n \/ \? by hand/);
    assert.ok(await admin.page.evaluate(() => document.querySelector('dialog').contains(document.activeElement)));
    await admin.closeDialog();
    await admin.page.waitForURL('**/tasks');
});

test('/ searches; j, k and Enter go through what was found', { skip }, async () => {
    await admin.open('/tasks');
    await press(admin, '/');
    await focusIs(admin, 'search');
    await admin.page.keyboard.type('second');
    const shown = () => admin.page.locator('[data-row]').evaluateAll((found) => found.map(({ dataset }) => dataset.row));
    await until(async () => (await shown()).join() === '2', 'the second task alone');
    await admin.page.keyboard.press('Control+A');
    await press(admin, 'Backspace');
    await admin.page.locator('[data-row="1"]').waitFor();
    await admin.page.evaluate(() => document.activeElement.blur());
    const row = () => admin.page.evaluate(() => document.activeElement.closest('[data-row]')?.dataset.row);
    const rows = await shown();
    await press(admin, 'j');
    assert.equal(await row(), rows[0]);
    await press(admin, 'j');
    assert.equal(await row(), rows[1]);
    await press(admin, 'k');
    assert.equal(await row(), rows[0]);
    await press(admin, 'j Enter');
    await admin.page.waitForURL(`**/tasks/${rows[1]}`);
    await focusIs(admin, 'h1');
    await admin.page.goBack();
    await admin.page.waitForURL('**/tasks');
});

test('c completes the task of the row', { skip }, async () => {
    let assigned;
    for (let i = 0; i < 200 && assigned === undefined; i++) {
        const { task } = await all.manager.post('/tasks', { name: `Task ${i}`, description: '' });
        if (task.assigned_to === all.boss.user.id) assigned = task;
    }
    const seat = await stage.seat();
    await seat.tab('/tasks');
    await seat.signIn({ login: 'boss', password: all.boss.password });
    await seat.id(`task-${assigned.id}`).waitFor();
    await press(seat, 'j c');
    await seat.id('toast-done').waitFor();
    assert.equal((await seat.api('/tasks/mine?status=finished')).items.length, 1);
    await seat.close();
});

test('the shortcuts can be switched off, and work on a Russian keyboard', { skip }, async () => {
    const letter = (key, code) =>
        admin.page.evaluate(
            ([k, c]) =>
                document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: k, code: c, bubbles: true })),
            [key, code],
        );
    await admin.open('/tasks');
    await letter('п', 'KeyG');
    await letter('ф', 'KeyA');
    await admin.page.waitForURL('**/accounting');
    await admin.menu('shortcuts');
    await admin.id('shortcuts-on').uncheck();
    await admin.closeDialog();
    await press(admin, 'g t');
    await admin.menu('shortcuts');
    assert.equal(new URL(admin.page.url()).pathname, '/accounting');
    await admin.id('shortcuts-on').check();
    await admin.closeDialog();
    await press(admin, 'g t');
    await admin.page.waitForURL('**/tasks');
});

test('the menu closes at Esc and gives the focus back', { skip }, async () => {
    await admin.id('user-menu').focus();
    await press(admin, 'Enter');
    await admin.id('sign-out').waitFor();
    await press(admin, 'Tab Escape');
    await focusIs(admin, 'user-menu');
    assert.equal(await admin.id('sign-out').isVisible(), false);
});
