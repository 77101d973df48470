// The daemon goes away and comes back under an open page: a bar says so, what was shown stays, and the page catches
// up by itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { people, signIn } from '../support/client.mjs';
import { assertAccessible } from './axe.mjs';
import { plain, skip, Stage } from './stage.mjs';

let stage, all;

before(async () => {
    if (skip) return;
    stage = await Stage.open();
    all = await people(stage.base);
});
after(() => stage?.close());

test('a page outlives its daemon', { skip }, async () => {
    const { daemon } = stage;
    const seat = await stage.seat();
    await seat.tab('/tasks');
    await seat.signIn({ login: 'manager', password: all.manager.password });
    const { task } = await all.manager.post('/tasks', { name: 'From before', description: '' });
    const row = (id) => seat.page.locator(`[data-row="${id}"]`);
    await row(task.id).waitFor();
    await seat.mark();

    stage.allow(/Failed to load resource: net::ERR_/); // nobody listens
    await daemon.stop();
    await seat.bar.filter({ hasText: seat.say('status.broken') }).waitFor();
    assert.ok(await row(task.id).isVisible());
    await assertAccessible(seat.page, 'offline');
    await seat.shoot('offline');

    // What is done meanwhile is tried again, and then done once.
    await seat.id('new-task').click();
    await seat.fill({ name: 'Written while nobody listened' });
    await seat.id('create-task').click();
    await seat.bar.filter({ hasText: plain(seat.say('status.trying').split('(')[0]) }).waitFor();

    daemon.environment.ATES_WEB_LISTEN = new URL(stage.base).host;
    await daemon.start();
    await seat.id('made').or(seat.page.locator('dialog .problem')).waitFor();
    if ((await seat.id('made').count()) === 0) await seat.id('create-task').click(); // the repeats were used up before
    await seat.id('made').waitFor();
    await seat.closeDialog();
    await seat.settle();
    assert.equal((await seat.bar.textContent()).trim(), '');

    // Live again: what others do now arrives.
    const manager = await signIn(stage.base, undefined, { login: 'manager', password: all.manager.password });
    const { task: later } = await manager.post('/tasks', { name: 'From after', description: '' });
    await row(later.id).waitFor();
    assert.ok(await row(task.id).isVisible());
    const { items } = await seat.api('/tasks');
    assert.deepEqual(items.map(({ name }) => name).sort(), ['From after', 'From before', 'Written while nobody listened']);
    await seat.wasNotReloaded();
    stage.clean();
    await seat.close();
});

test('without a network the page says so', { skip }, async () => {
    const seat = await stage.seat({ language: 'ru', size: 'phone' });
    await seat.tab('/accounting');
    await seat.signIn({ login: 'developer', password: all.developer.password });
    await seat.context.setOffline(true);
    await seat.bar.filter({ hasText: seat.say('status.offline') }).waitFor();
    assert.ok(await seat.id('balance').isVisible());
    await seat.context.setOffline(false);
    await seat.settle();
    assert.equal((await seat.bar.textContent()).trim(), '');
    await seat.close();
});
