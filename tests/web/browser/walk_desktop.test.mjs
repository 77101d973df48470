import { walk } from './walk.mjs';

walk('desktop');
