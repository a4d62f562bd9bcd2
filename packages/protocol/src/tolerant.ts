import * as z from 'zod/mini';

/** The fallback of each enum, read in place of a newer sender's unknown word. */
const fallbacks = new WeakMap<z.core.$ZodType, unknown>();

/**
 * Declares the value that a tolerant reader takes for every unknown word of an enum. A strict reader still refuses such
 * words.
 */
export function readUnknownAs<T extends z.ZodMiniType>(schema: T, value: z.infer<T>): T {
  fallbacks.set(schema, value);
  return schema;
}

/**
 * Loosens a schema for messages down, which a newer coordinator may extend: at every depth, unknown fields are dropped,
 * and unknown words of an enum become its fallback where it has one.
 */
export function tolerant<T extends z.ZodMiniType>(schema: T): T {
  return loosened(schema) as T;
}

function loosened(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'object': {
      const shape = Object.fromEntries(
        Object.entries(def.shape).map(([name, field]) => [name, loosened(field)]),
      );
      // In a loose object, which keeps its unknown fields, they are part of the value.
      const strict = def.catchall?._zod.def.type === 'never';
      return copy(schema, { ...def, shape, ...(strict ? { catchall: undefined } : {}) });
    }
    case 'array':
      return copy(schema, { ...def, element: loosened(def.element) });
    case 'record':
      return copy(schema, { ...def, valueType: loosened(def.valueType) });
    case 'union':
      return copy(schema, { ...def, options: def.options.map(loosened) });
    case 'nullable':
    case 'optional':
    case 'default':
    case 'catch':
      return copy(schema, { ...def, innerType: loosened(def.innerType) });
    default:
      return fallbacks.has(schema)
        ? z.catch(schema as z.ZodMiniType, fallbacks.get(schema) as never)
        : schema;
  }
}

/** Copies a schema with another definition, checks included. */
function copy(schema: z.core.$ZodType, def: object): z.core.$ZodType {
  return z.core.clone(schema, def as z.core.$ZodTypeDef);
}
