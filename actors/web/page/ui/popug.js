/* The parrot: the logo, and everybody's own in their colour. */
import { html } from '../vendor/htm-preact.js';

export function Logo() {
    return html`<svg class="logo" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
        <path class="logo-back" d="M4 32C2 20 4 4 16 4c8 0 11 6 11 11-3-2-6-2-8 0 0 5 3 8 2 17Z" />
        <path class="logo-wing" d="M4 32C3 25 4 20 7 16c1 7 5 10 6 16Z" />
        <path class="logo-beak" d="M19 12c5-3 10 0 10 5 0 3-1 6-3 7 0-4-2-5-5-6-2-1-3-4-2-6Z" />
        <circle class="logo-ring" cx="15.5" cy="11.5" r="3.4" />
        <circle class="logo-eye" cx="16.2" cy="11.5" r="1.7" />
    </svg>`;
}

/* Angles far from each other for ids near each other. */
const hue = (id) => Math.round((id * 137.508) % 360);

export function Popug({ id }) {
    return html`<svg class="popug" viewBox="0 0 32 32" width="22" height="22" aria-hidden="true"
        style=${{ '--hue': hue(id) }}>
        <circle class="popug-ground" cx="16" cy="16" r="16" />
        <path class="popug-head" d="M7 32C4 21 6 8 16 8c7 0 9 5 9 9-3-2-5-2-7 0 0 5 3 8 3 15Z" />
        <path class="popug-beak" d="M18 14.5c5-3 9 0 9 4.5 0 3-1 5-3 6 0-3-2-4-4-5-2-1-3-3-2-5.5Z" />
        <circle class="popug-eye" cx="15.5" cy="14" r="2" />
    </svg>`;
}
