import * as z from 'zod/mini';

/** How an enum is read where a newer sender says a word that this side does not know. */
const fallbacks = new WeakMap<z.core.$ZodType, unknown>();

/**
 * Names the value that a tolerant reader takes for every word that an enum does not have. A strict reader goes on refusing
 * those words.
 */
export function readUnknownAs<T extends z.ZodMiniType>(schema: T, value: z.infer<T>): T {
  fallbacks.set(schema, value);
  return schema;
}

/**
 * The same schema for messages on the way down, where a newer coordinator may say more than this side knows: at every
 * depth, unknown fields are dropped, and unknown words of an enum become its fallback where it has one.
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
      // Of a loose object, which keeps its unknown fields, they are part of the value.
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

/** A schema with another definition; its checks are part of that. */
function copy(schema: z.core.$ZodType, def: object): z.core.$ZodType {
  return z.core.clone(schema, def as z.core.$ZodTypeDef);
}
