import * as z from 'zod/mini';
import english from 'zod/v4/locales/en.js';

// zod's small build says "Invalid input" to everything until it is given a language.
z.config(english());
