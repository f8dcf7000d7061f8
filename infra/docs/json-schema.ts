/** A zod schema as JSON Schema: with everything that its reference says, and as editors take it. */
import { z } from 'zod';

/** What of JSON Schema our schemas come to, and what `meta` adds to it. */
export interface Described {
  type?: string | string[];
  description?: string;
  default?: unknown;
  /** What values count. */
  unit?: string;
  /** What stands for a field that is left out, where that is no constant. */
  unlessGiven?: string;
  /** The block that the field's own fields are described with. */
  like?: string;
  properties?: Record<string, Described>;
  required?: string[];
  items?: Described;
  anyOf?: Described[];
  oneOf?: Described[];
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  minLength?: number;
  $ref?: string;
  $defs?: Record<string, Described>;
}

/** What users write, so that fields with a default may be left out. */
export function described(schema: z.ZodType): Described {
  const whole = z.toJSONSchema(schema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // A block that is left out has its fields' defaults.
      if (isEmptyObject(jsonSchema.default)) delete jsonSchema.default;
    },
  });
  return whole as Described;
}

const isEmptyObject = (value: unknown): boolean => JSON.stringify(value) === '{}';

/** For editors: standard words alone, what they do not know put into the description that they show. */
export function editorSchema(schema: z.ZodType, title: string): object {
  const { $schema, ...rest } = standard(described(schema)) as Record<string, unknown>;
  return { $schema, title, ...rest };
}

function standard(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(standard);
  if (typeof value !== 'object' || value === null) return value;
  const { unit, unlessGiven, like: _, ...rest } = value as Described;
  const copied = Object.fromEntries(
    Object.entries(rest).map(([key, inner]) => [key, key === 'default' || key === 'enum' ? inner : standard(inner)]),
  );
  // A field may be called "unit": only texts are ours.
  const said = [rest.description, unit && `In ${unit}.`, unlessGiven && `Unless given: ${unlessGiven}.`];
  const texts = said.filter(text => typeof text === 'string' && text !== '');
  return texts.length > 0 ? { ...copied, description: texts.join(' ') } : copied;
}
