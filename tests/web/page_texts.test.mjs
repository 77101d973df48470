// The page's texts say the same in each language, and are those that its sources use; and the rules that its
// sources keep for the browser's sake.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import en from '../../actors/web/page/i18n/en.js';
import ru from '../../actors/web/page/i18n/ru.js';

const page = fileURLToPath(new URL('../../actors/web/page/', import.meta.url));
const core = fileURLToPath(new URL('../../actors/', import.meta.url));

function files(folder, ending) {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : files(path, ending);
        return entry.name.endsWith(ending) ? [path] : [];
    });
}

const sources = files(page, '.js').filter((path) => !path.includes('/i18n/') && !path.includes('/vendor/'));
const text = (path) => readFileSync(path, 'utf8');
const all = sources.map(text).join('\n');
const placeholders = (template) => [...new Set([...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort();

test('both languages have the same keys, in the same order', () => {
    assert.deepEqual(Object.keys(ru), Object.keys(en));
});

for (const [name, table] of Object.entries({ en, ru })) {
    test(`${name}: what counts has every plural form, and no more`, () => {
        const forms = new Intl.PluralRules(name).resolvedOptions().pluralCategories.slice().sort();
        for (const [key, value] of Object.entries(table)) {
            if (typeof value === 'string') assert.notEqual(value.trim(), '', key);
            else assert.deepEqual(Object.keys(value).sort(), forms, key);
        }
    });
}

test('placeholders are the same in each language and form', () => {
    for (const key of Object.keys(en)) {
        assert.equal(typeof ru[key], typeof en[key], key);
        const templates = [en[key], ru[key]].flatMap((value) => (typeof value === 'string' ? [value] : Object.values(value)));
        for (const template of templates) assert.deepEqual(placeholders(template), placeholders(templates[0]), `${key}: ${template}`);
    }
});

// t('a.b'), and literals that stand where a key is handed on; t(`a.${b}`) stands for every key that begins so.
const literal = new Set([...all.matchAll(/\btx?\('([\w.-]+)'/g)].map(([, key]) => key));
const quoted = new Set([...all.matchAll(/'([a-z_]+\.[\w.-]+)'/g)].map(([, key]) => key));
const prefixes = [...all.matchAll(/`([a-z_]+\.)\$\{/g)].map(([, prefix]) => prefix);

test('every key that is used exists', () => {
    for (const key of literal) assert.ok(key in en, key);
    for (const prefix of prefixes) assert.ok(Object.keys(en).some((key) => key.startsWith(prefix)), prefix);
});

test('every key that exists is used', () => {
    for (const key of Object.keys(en)) {
        assert.ok(literal.has(key) || quoted.has(key) || prefixes.some((prefix) => key.startsWith(prefix)), key);
    }
});

test('every reason that a command may be refused with has a text', () => {
    const statuses = new Set(['NOT_FOUND', 'PERMISSION_DENIED', 'INVALID_ARGUMENT', 'ALREADY_EXISTS', 'FAILED_PRECONDITION',
                              'RESOURCE_EXHAUSTED', 'DEADLINE_EXCEEDED', 'DATA_LOSS', 'UNAVAILABLE', 'UNAUTHENTICATED', 'UNIMPLEMENTED']);
    const reasons = new Set();
    for (const folder of ['auth', 'tasks', 'accounting', 'analytics', 'payment', 'web']) {
        for (const path of files(join(core, folder), '.c')) {
            for (const [, reason] of text(path).matchAll(/refus\w*\([^;]*?"([A-Z]+(?:_[A-Z]+)+)"/g)) reasons.add(reason);
        }
    }
    assert.ok(reasons.size > 15, String(reasons.size));
    // Refusals of events, which no request is answered with, and of requests that the page does not make.
    const inner = new Set(['TASK_MISSING', 'TASK_ALREADY_PRICED', 'BALANCE_OUT_OF_RANGE', 'INCOME_OUT_OF_RANGE', 'TIME_OUT_OF_RANGE',
                           'URI_INVALID', 'HEAD_INVALID', 'METHOD_UNKNOWN', 'METHOD_NOT_ALLOWED', 'MEDIA_TYPE_UNSUPPORTED', 'ROUTE_UNKNOWN',
                           'BODY_INVALID', 'FIELD_UNKNOWN', 'TOO_MANY_STREAMS']);
    for (const reason of reasons) {
        if (!statuses.has(reason) && !inner.has(reason)) assert.ok(`reason.${reason}` in en, reason);
    }
});

test('sources stay small', () => {
    for (const path of sources) assert.ok(text(path).split('\n').length <= 301, path);
});

test('nothing that the content security policy forbids', () => {
    const index = text(join(page, 'index.html'));
    assert.doesNotMatch(index, /\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)|https?:\/\//);
    assert.doesNotMatch(all, /\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write|\sstyle="/);
    for (const path of files(page, '.css')) assert.doesNotMatch(text(path), /url\(\s*['"]?(?!data:)|@import/);
});
