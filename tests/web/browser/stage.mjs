// A daemon and a browser in front of it: who plays a part has a seat, a browser of their own with its tabs. What a
// page says on its console, and what it throws, is kept: no test passes while something is left there.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import en from '../../../actors/web/page/i18n/en.js';
import ru from '../../../actors/web/page/i18n/ru.js';
import { setTexts, t } from '../../../actors/web/page/i18n.js';
import { Daemon, until } from '../support/daemon.mjs';
import { missing, require } from '../tools.mjs';

const CHROMIUM = process.env.ATES_CHROMIUM ?? '/usr/bin/chromium';
const ARGUMENTS = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
];
const PATIENCE_MS = 30000 * Number(process.env.ATES_TIME_SCALE ?? 1);
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const LOCALES = { en: 'en-US', ru: 'ru-RU' };
const TEXTS = { en, ru };
const SCREENSHOTS = process.env.ATES_SCREENSHOTS;

// The page's own modules write numbers and dates here as they do in the browsers.
Object.defineProperty(globalThis, 'navigator', { value: { languages: Object.values(LOCALES) }, configurable: true });

// Why no browser test can run here, or false.
export const skip =
    missing('playwright-core') || missing('axe-core') || (existsSync(CHROMIUM) ? false : `${CHROMIUM} is not there`);

// What the page says for this key in a language.
export function say(language, key, values) {
    setTexts(language, TEXTS[language]);
    return t(key, values);
}

// Browsers and Node.js write the same number with other blanks.
export const plain = (text) => text.replace(/\s+/g, ' ').trim();

export class Seat {
    constructor(stage, context, { language, size, scheme }) {
        Object.assign(this, { stage, context, language, size, scheme });
    }

    say(key, values) {
        return say(this.language, key, values);
    }

    // One more tab; seats speak of the last one.
    async tab(path) {
        this.page = await this.context.newPage();
        if (path !== undefined) await this.open(path);
        return this.page;
    }

    id(name) {
        return this.page.getByTestId(name);
    }

    // Loads a page anew, and returns when it shows what it has.
    async open(path) {
        await this.page.goto(this.stage.base + path);
        await this.settle();
    }

    // Everything that is loaded is there; where somebody is signed in, live events flow.
    async settle() {
        await this.page.waitForFunction(() => {
            const status = document.querySelector('[data-testid=status]');
            const isIn = document.querySelector('[data-testid=user-menu]') !== null;
            return (
                status !== null &&
                document.querySelector('[data-testid=loading], [aria-busy=true]') === null &&
                document.querySelector('main h1') !== null &&
                (!isIn || status.dataset.connection === 'live')
            );
        });
    }

    async signIn({ login, password }) {
        if (this.page === undefined) await this.tab('/sign-in');
        await this.fill({ login, password });
        await this.id('sign-in').click();
        await this.id('user-menu').waitFor();
        await this.settle();
        return this;
    }

    async fill(fields) {
        for (const [name, value] of Object.entries(fields)) {
            const field = this.page.locator(`[name=${name}]`);
            if (name === 'role') await field.selectOption(value);
            else await field.fill(value);
        }
    }

    async menu(item) {
        await this.id('user-menu').click();
        await this.id(item).click();
    }

    // The bar that says whether live events flow, and what else there is to know.
    get bar() {
        return this.page.locator('[data-testid=status]');
    }

    // What the API says to who sits here.
    async api(path) {
        return this.page.evaluate(async (address) => {
            const response = await fetch(address);
            if (!response.ok) throw new Error(`${address}: ${response.status}`);
            return response.json();
        }, `/api/v1${path}`);
    }

    // Waits until something of this test id has the text.
    async sees(testId, text) {
        await this.id(testId)
            .filter({ hasText: plain(text) })
            .first()
            .waitFor();
    }

    async closeDialog() {
        await this.page.keyboard.press('Escape');
        await this.page.locator('dialog').waitFor({ state: 'detached' });
    }

    // Leaves a mark that a reload would wipe away.
    async mark() {
        await this.page.evaluate(() => {
            window.marked = true;
        });
    }

    async wasNotReloaded() {
        assert.equal(await this.page.evaluate(() => window.marked), true, 'the page was loaded anew');
    }

    // Nothing is wider than the window, and of an open dialog nothing is above what can be scrolled to.
    async fits(what) {
        const [wider, above] = await this.page.evaluate(() => {
            const dialog = document.querySelector('dialog[open]');
            const root = document.scrollingElement;
            const wide = (element) => (element ? element.scrollWidth - element.clientWidth : 0);
            const top = (element) => element.getBoundingClientRect().top;
            return [
                Math.max(wide(root), wide(dialog)),
                dialog ? Math.max(top(dialog) - top(dialog.firstElementChild) - dialog.scrollTop, -top(dialog)) : 0,
            ];
        });
        assert.ok(wider <= 0, `${what}: ${wider} pixels wider than its window`);
        assert.ok(above <= 1, `${what}: the dialog's upper ${above} pixels are out of reach`);
    }

    // Only where ATES_SCREENSHOTS names a folder.
    async shoot(name) {
        if (!SCREENSHOTS) return;
        mkdirSync(SCREENSHOTS, { recursive: true });
        const scheme = this.scheme;
        const hasDialog = (await this.page.locator('dialog[open]').count()) > 0;
        await this.page.screenshot({
            path: join(SCREENSHOTS, `${name}-${this.size}-${this.language}-${scheme}.png`),
            fullPage: !hasDialog,
        });
    }

    async show(scheme) {
        this.scheme = scheme;
        await this.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
        await this.page.waitForFunction((wanted) => document.documentElement.dataset.theme === wanted, scheme);
    }

    async close() {
        await this.context.close();
    }
}

export class Stage {
    static async open(settings) {
        const stage = new Stage();
        stage.faults = [];
        stage.allowed = [];
        stage.daemon = new Daemon(settings);
        await stage.daemon.start();
        stage.base = stage.daemon.base;
        stage.browser = await require('playwright-core').chromium.launch({
            executablePath: CHROMIUM,
            args: ARGUMENTS,
            headless: true,
        });
        return stage;
    }

    // Lines on the console that the test itself provokes.
    allow(...patterns) {
        this.allowed.push(...patterns);
    }

    async seat({ language = 'en', size = 'desktop', scheme = 'light', cookies } = {}) {
        const context = await this.browser.newContext({
            viewport: SIZES[size],
            locale: LOCALES[language],
            colorScheme: scheme,
            reducedMotion: 'reduce',
            acceptDownloads: true,
            isMobile: size === 'phone',
            hasTouch: size === 'phone',
        });
        context.setDefaultTimeout(PATIENCE_MS);
        if (cookies) await context.addCookies(cookies);
        context.on('console', (message) => {
            if (message.type() === 'error' || message.type() === 'warning')
                this.faults.push(`${message.page()?.url()}: ${message.text()} ${message.location().url}`);
        });
        context.on('weberror', (error) => this.faults.push(`${error.page()?.url()}: ${error.error().stack}`));
        return new Seat(this, context, { language, size, scheme });
    }

    // The values of a metric, by their labels as they are written ('' without any).
    async values(name) {
        const text = await (await fetch(`${this.base}/metrics`)).text();
        const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
        assert.ok(lines.length > 0, `${name} is not among the metrics`);
        return new Map(lines.map((line) => line.slice(name.length).split(' ')).map(([labels, value]) => [labels, Number(value)]));
    }

    // The value of a metric without labels, or their sum.
    async metric(name) {
        return [...(await this.values(name)).values()].reduce((sum, value) => sum + value, 0);
    }

    // Waits until every service has followed what the others did, and did nothing more for that.
    followed() {
        return until(async () => {
            const before = await this.values('ates_log_head_seq');
            const positions = await this.values('ates_follower_position');
            const after = await this.values('ates_log_head_seq');
            const head = (labels) => before.get(`{service="${/producer="(\w+)"/.exec(labels)[1]}"}`);
            return (
                [...positions].every(([labels, position]) => position === head(labels)) &&
                [...before].every(([labels, seq]) => seq === after.get(labels))
            );
        }, 'everybody has followed');
    }

    clean() {
        const left = this.faults.filter((line) => !this.allowed.some((pattern) => pattern.test(line)));
        this.faults = [];
        assert.deepEqual(left, [], 'the browser complained');
    }

    async close() {
        await this.browser?.close();
        await this.daemon?.close();
    }
}

export { until };
