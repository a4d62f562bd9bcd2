import * as z from 'zod/mini';

/** A SHA-256 hash as hex, such as `weightsHash` gives. */
export const HashSchema = z.string().check(z.regex(/^[0-9a-f]{64}$/));
