/* Texts in the reader's language. A text is a template with {names}, or, where it counts something,
 * an object of such templates by plural category; {count} decides. */
import { createStore } from './store.js';

export const LANGUAGES = { en: 'English', ru: 'Русский' };
const STORED = 'ates.language';

/* The language in use; its texts are loaded before it is set. */
export const language = createStore('en');

const loaders = { en: () => import('./i18n/en.js'), ru: () => import('./i18n/ru.js') };
let texts = {};
let plural = new Intl.PluralRules('en');

/* The first of the reader's languages that we have. */
export function chooseLanguage(stored, wanted) {
    const known = [stored, ...wanted].map((tag) =>
        String(tag ?? '')
            .slice(0, 2)
            .toLowerCase(),
    );
    return known.find((tag) => Object.hasOwn(LANGUAGES, tag)) ?? 'en';
}

/* The locale for numbers and dates: the reader's own variety of the language in use. */
export function chooseLocale(used, wanted) {
    return wanted.find((tag) => tag.slice(0, 2).toLowerCase() === used) ?? used;
}

export const locale = () => chooseLocale(language.get(), globalThis.navigator?.languages ?? []);

export function setTexts(used, table) {
    texts = table;
    plural = new Intl.PluralRules(used);
    language.set(used);
}

async function useLanguage(used) {
    setTexts(used, (await loaders[used]()).default);
    document.documentElement.lang = used;
}

export async function switchLanguage(used) {
    await useLanguage(used);
    try {
        localStorage.setItem(STORED, used);
    } catch {
        /* Storage may be shut off; the choice then lasts as long as the page. */
    }
}

export function startLanguage() {
    let stored = null;
    try {
        stored = localStorage.getItem(STORED);
    } catch {
        /* As above. */
    }
    return useLanguage(chooseLanguage(stored, navigator.languages));
}

export const hasText = (key) => Object.hasOwn(texts, key);

function template(key, values) {
    const found = texts[key];
    if (found === undefined) return key;
    return typeof found === 'string' ? found : (found[plural.select(values.count)] ?? found.other);
}

/* The pieces of a text, with its values (texts or elements) in their places. */
export function tx(key, values = {}) {
    return template(key, values)
        .split(/\{(\w+)\}/)
        .map((piece, index) => (index % 2 === 0 ? piece : (values[piece] ?? `{${piece}}`)))
        .filter((piece) => piece !== '');
}

export const t = (key, values) => tx(key, values).join('');
