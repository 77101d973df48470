/* Small line drawings, 20 by 20, in the colour of the text beside them. */
import { html } from '../vendor/htm-preact.js';

const PATHS = {
    tasks: 'M3 5.5l1.5 1.5L7 4M3 13.5l1.5 1.5L7 12M10 5.5h7M10 13.5h7',
    accounting: 'M3 5.5h14v10H3zM3 8.5h14M13 12.5h1.5',
    analytics: 'M3 17h14M5.5 14V9.5M10 14V4.5M14.5 14V7',
    people: 'M7.5 9.5a3 3 0 100-6 3 3 0 000 6zM2 16.5c0-3 2.5-4.5 5.5-4.5s5.5 1.5 5.5 4.5M13 9.3a2.6 2.6 0 10-.6-5M15 12.3c2 .5 3 2 3 4.2',
    check: 'M4.5 10.5l3.5 3.5 7.5-8',
    plus: 'M10 4v12M4 10h12',
    shuffle:
        'M3 6h2.5c4 0 5 8 9 8H17M14.5 11.5L17 14l-2.5 2.5M3 14h2.5c1.6 0 2.7-1.2 3.6-2.7M11 8.5C12 7 13 6 14.5 6H17M14.5 3.5L17 6l-2.5 2.5',
    search: 'M9 14.5a5.5 5.5 0 100-11 5.5 5.5 0 000 11zM13 13l4 4',
    close: 'M5 5l10 10M15 5L5 15',
    sun: 'M10 13a3 3 0 100-6 3 3 0 000 6zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
    moon: 'M16 11.5A6.5 6.5 0 118.5 4a5.2 5.2 0 007.5 7.5z',
    auto: 'M10 3a7 7 0 100 14zM10 3a7 7 0 010 14',
    user: 'M10 10a3.2 3.2 0 100-6.4A3.2 3.2 0 0010 10zM4 17c0-3.2 2.7-4.8 6-4.8s6 1.6 6 4.8',
    download: 'M10 3v9M6.5 8.5L10 12l3.5-3.5M4 16.5h12',
    refresh: 'M16 10a6 6 0 11-1.8-4.3M16.5 3v3.5H13',
    left: 'M12 4.5L6.5 10l5.5 5.5',
};

export function Icon({ name }) {
    return html`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" fill="none"
        stroke="currentColor"
        stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"><path d=${PATHS[name]} /></svg>`;
}
