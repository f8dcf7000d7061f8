/** A part of a spec that is laid over another: every field may be left out, and what is left out stays absent. */
import { z } from 'zod';

/** The schema with all fields optional, at every depth, and no defaults; texts and bounds stay. */
export function withoutDefaults<T extends z.ZodObject>(schema: T): z.ZodType<DeepPartial<z.input<T>>> {
  const shape = Object.entries(schema.shape).map(([name, field]) => {
    const bare = laidOver(field as z.ZodType).optional();
    const texts = z.globalRegistry.get(field as z.ZodType);
    return [name, texts ? bare.meta(texts) : bare];
  });
  return z.strictObject(Object.fromEntries(shape)) as unknown as z.ZodType<DeepPartial<z.input<T>>>;
}

function laidOver(field: z.ZodType): z.ZodType {
  if (field instanceof z.ZodDefault || field instanceof z.ZodPrefault || field instanceof z.ZodOptional) {
    return laidOver(field.unwrap() as z.ZodType);
  }
  if (field instanceof z.ZodNullable) return laidOver(field.unwrap() as z.ZodType).nullable();
  return field instanceof z.ZodObject ? withoutDefaults(field) : field;
}

type DeepPartial<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: DeepPartial<T[K]> } : T;
