import * as z from 'zod/mini';

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

/** Maximum nesting depth of values. */
const DEPTH = 8;

/** Any JSON value, nested at most eight deep. */
export const JsonSchema = z.custom<Json>((value) => isJson(value, DEPTH), { error: 'expected JSON' });

function isJson(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth === 0) return false;
  return Object.values(value).every((inner) => isJson(inner, depth - 1));
}
