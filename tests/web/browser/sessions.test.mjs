// Sessions as a browser holds them: tabs that share one, its end from many sides, and the one stream of all tabs.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { people } from '../support/client.mjs';
import { ADMIN } from '../support/daemon.mjs';
import { assertAccessible } from './axe.mjs';
import { skip, Stage, until } from './stage.mjs';

const DEVELOPER = { login: 'developer', password: 'password-of-developer' };
let stage, all;

before(async () => {
    if (skip) return;
    stage = await Stage.open();
    all = await people(stage.base);
});
afterEach(() => stage?.clean());
after(() => stage?.close());

test('two tabs of one user use one stream, and signing out in one signs out the other', { skip }, async () => {
    const seat = await stage.seat();
    await seat.tab('/sign-in');
    await seat.signIn(DEVELOPER);
    const first = seat.page;
    await seat.tab('/accounting');
    assert.equal(await stage.metric('ates_web_streams'), 1);
    await seat.menu('sign-out');
    await seat.sees('ended', seat.say('ended.signed_out'));
    seat.page = first;
    await seat.sees('ended', seat.say('ended.elsewhere'));
    await until(async () => (await stage.metric('ates_web_streams')) === 0, 'the stream ends with the session');
    await seat.signIn(DEVELOPER); // here too now
    seat.page = seat.context.pages().find((page) => page !== first);
    await seat.id('user-menu').waitFor();
    await seat.settle();
    assert.equal(await stage.metric('ates_web_streams'), 1);
    await seat.close();
});

test('a wrong password is said, and does not leave the page', { skip }, async () => {
    const seat = await stage.seat();
    await seat.tab('/sign-in');
    stage.allow(/401 \(Unauthorized\).*\/api\/v1\/session$/);
    await seat.fill({ login: DEVELOPER.login, password: 'not this one' });
    await seat.id('sign-in').click();
    await seat.sees('form-problem', seat.say('reason.BAD_CREDENTIALS'));
    assert.equal(new URL(seat.page.url()).pathname, '/sign-in');
    await seat.signIn(DEVELOPER);
    await seat.close();
});

test('a page asked for without a session is there after signing in', { skip }, async () => {
    const seat = await stage.seat();
    await seat.tab('/accounting?period=7d');
    assert.match(seat.page.url(), /\/sign-in\?to=/);
    await seat.signIn(DEVELOPER);
    await seat.page.waitForURL('**/accounting?period=7d');
    await seat.close();
});

test('a revoked session leads to the sign-in page with a word, and back to the page', { skip }, async () => {
    const seat = await stage.seat();
    stage.allow(/401 \(Unauthorized\).*\/api\/v1\//); // what a page asks for while its session ends
    await seat.tab('/accounting');
    await seat.signIn(DEVELOPER);
    await all.administrator.post(`/users/${all.developer.user.id}/revoke`);
    await seat.sees('ended', seat.say('ended.over'));
    await assertAccessible(seat.page, 'ended');
    assert.match(seat.page.url(), /\/sign-in\?to=%2Faccounting/);
    await seat.signIn(DEVELOPER);
    await seat.page.waitForURL('**/accounting');
    await seat.close();
});

test('what was being written outlives the session', { skip }, async () => {
    const seat = await stage.seat();
    await seat.tab('/tasks');
    await seat.signIn(DEVELOPER);
    await seat.id('new-task').click();
    await seat.fill({ name: 'Half a thought' });
    await all.administrator.post(`/users/${all.developer.user.id}/revoke`);
    await seat.sees('ended', seat.say('ended.over'));
    await seat.signIn(DEVELOPER);
    if ((await seat.page.locator('dialog').count()) === 0) await seat.id('new-task').click();
    assert.equal(await seat.page.locator('dialog [name=name]').inputValue(), 'Half a thought');
    await seat.close();
});

test('one changes the own password, and stays signed in', { skip }, async () => {
    const seat = await stage.seat();
    await seat.tab('/tasks');
    await seat.signIn(DEVELOPER);
    stage.allow(/\/api\/v1\/session\/password$/); // the wrong password
    await seat.menu('change-password');
    await seat.fill({ old_password: 'not this one', new_password: 'another-password' });
    await seat.id('save-password').click();
    await seat.page.getByText(seat.say('password.wrong')).waitFor();
    await seat.fill({ old_password: DEVELOPER.password });
    await seat.id('save-password').click();
    await seat.sees('toast-done', seat.say('password.done'));
    DEVELOPER.password = 'another-password';
    await seat.settle();
    await seat.close();
});

test('a new role ends the session, and shows what it may after signing in', { skip }, async () => {
    const person = { login: 'developer2', password: all.developer2.password };
    const seat = await stage.seat();
    await seat.tab('/tasks');
    await seat.signIn(person);
    assert.equal(await seat.id('nav-people').count(), 0);
    await all.administrator.post(`/users/${all.developer2.user.id}/role`, { role: 'manager' });
    await seat.sees('ended', seat.say('ended.over'));
    await seat.signIn(person);
    await seat.id('nav-people').waitFor();
    await seat.id('reassign').waitFor();
    await seat.close();
});

test('an administrator sees what is theirs alone, others are told that it is not for them', { skip }, async () => {
    const seat = await stage.seat();
    await seat.tab('/people');
    await seat.signIn(DEVELOPER);
    await seat.page.getByRole('heading', { name: seat.say('not_for_you.title') }).waitFor();
    const admin = await stage.seat();
    await admin.tab('/people');
    await admin.signIn(ADMIN);
    await admin.id('people').waitFor();
    await seat.close();
    await admin.close();
});
