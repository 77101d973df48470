import { walk } from './walk.mjs';

walk('phone');
