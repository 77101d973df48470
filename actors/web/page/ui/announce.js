/* Words for screen readers, said politely and not all at once. */
import { html, useEffect, useState } from '../vendor/htm-preact.js';
import { createStore } from '../store.js';

const GATHER_MS = 800;
const said = createStore('');
let waiting = [];
let timer;
let clearing;

export function announce(text) {
    if (!waiting.includes(text)) waiting.push(text);
    timer ??= setTimeout(() => {
        timer = undefined;
        said.set(waiting.join(' '));
        waiting = [];
        /* So that the same words again are a change again. */
        clearTimeout(clearing);
        clearing = setTimeout(() => said.set(''), 5000);
    }, GATHER_MS);
}

export function Announcer() {
    const [text, setText] = useState('');
    useEffect(() => said.subscribe(setText), []);
    return html`<div class="unseen" aria-live="polite" role="status" data-testid="announcer">${text}</div>`;
}
