/* Choosing a person by login, of all there are, or by number. */
import { html, useEffect, useRef, useState } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { api } from '../session.js';
import { names, useName } from './bits.js';
import { Field } from './field.js';
import { useRested } from './hooks.js';

const NUMBER = /^#([1-9]\d{0,14})$/;
const LOGIN = /^[A-Za-z0-9._-]{1,64}$/;

/* Who has a login that begins with these words: {words, people}. */
function useFound(words) {
    const [found, setFound] = useState({ words: '', people: [] });
    useEffect(() => {
        if (!LOGIN.test(words)) {
            setFound({ words, people: [] });
            return undefined;
        }
        const abort = new AbortController();
        api.get('/users/find', { prefix: words }, abort.signal)
            .then(({ items }) => {
                items.forEach(({ id, login }) => names.learn(id, login));
                setFound({ words, people: items });
            })
            .catch(() => {}); /* a number does without */
        return () => abort.abort();
    }, [words]);
    return found;
}

/* id is undefined while nobody is chosen. */
export function PersonPicker({ label, id, onId }) {
    const chosen = useName(id);
    const [words, setWords] = useState(chosen);
    const list = useRef();
    list.current ??= `people-${Math.random().toString(36).slice(2)}`;
    const wanted = words.trim();
    const found = useFound(useRested(wanted));
    useEffect(() => setWords(chosen), [chosen]);
    const choose = (text) => {
        const number = NUMBER.exec(text)?.[1];
        const person = names.all().find(({ login }) => login.toLowerCase() === text.toLowerCase());
        if (text === '') onId(undefined);
        else if (number !== undefined) onId(Number(number));
        else if (person !== undefined) onId(person.id);
    };
    const write = (value) => {
        setWords(value);
        choose(value.trim());
    };
    /* Who writes a login out is not asked to write it again once it is found. */
    useEffect(() => {
        if (found.words === wanted && wanted !== '' && wanted !== chosen) choose(wanted);
    }, [found]);
    const isNobody =
        found.words === wanted && found.people.length === 0 && wanted !== chosen && !/^(#|$)/.test(wanted);
    return html`<${Field} label=${label} value=${words} onValue=${write} list=${list.current} autocomplete="off"
        autocapitalize="none" spellcheck=${false} error=${isNobody ? t('filter.nobody') : undefined}
            placeholder=${t('filter.anybody')} data-testid="person" />
        <datalist id=${list.current}>${found.people.map(
            ({ id: one, login }) => html`<option key=${one}
            value=${login}></option>`,
        )}</datalist>`;
}
