/* Small line drawings, 20 by 20, in the colour of the text beside them. */
import { html } from '../vendor/htm-preact.js';

const PATHS = {
  tasks: 'M3 5.500l1.5 1.500L7 4M3 13.500l1.5 1.500L7 12M10 5.500h7M10 13.500h7',
  accounting: 'M3 5.500h14v10H3zM3 8.500h14M13 12.500h1.5',
  analytics: 'M3 17h14M5.5 14V9.500M10 14V4.500M14.5 14V7',
  people: 'M7.5 9.500a3 3 0 100-6 3 3 0 000 6zM2 16.500c0-3 2.5-4.5 5.5-4.500s5.5 1.5 5.5 4.500M13 9.300a2.600 2.600 0 10-.6-5M15 12.300c2 .5 3 2 3 4.200',
  check: 'M4.5 10.500l3.5 3.5 7.5-8',
  plus: 'M10 4v12M4 10h12',
  shuffle: 'M3 6h2.500c4 0 5 8 9 8H17M14.5 11.500L17 14l-2.5 2.500M3 14h2.500c1.600 0 2.700-1.200 3.600-2.700M11 8.500C12 7 13 6 14.5 6H17M14.5 3.500L17 6l-2.5 2.5',
  search: 'M9 14.500a5.5 5.5 0 100-11 5.5 5.5 0 000 11zM13 13l4 4',
  close: 'M5 5l10 10M15 5L5 15',
  sun: 'M10 13a3 3 0 100-6 3 3 0 000 6zM10 2v1.500M10 16.500V18M2 10h1.500M16.5 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100',
  moon: 'M16 11.500A6.5 6.5 0 118.5 4a5.200 5.200 0 007.5 7.500z',
  auto: 'M10 3a7 7 0 100 14zM10 3a7 7 0 010 14',
  user: 'M10 10a3.200 3.200 0 100-6.400A3.200 3.200 0 0010 10zM4 17c0-3.200 2.700-4.800 6-4.800s6 1.600 6 4.800',
  download: 'M10 3v9M6.5 8.500L10 12l3.5-3.500M4 16.500h12',
  refresh: 'M16 10a6 6 0 11-1.800-4.300M16.5 3v3.500H13',
  left: 'M12 4.500L6.5 10l5.5 5.5',
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" fill="none" stroke="currentColor"
    stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"><path d=${PATHS[name]} /></svg>`;
}
