/** A field's type, bounds and default in the words of the reference. */
import type { Described } from './json-schema.js';

const TYPES: Record<string, string> = {
  integer: 'whole number',
  number: 'number',
  string: 'text',
  boolean: 'true or false',
  object: 'block',
  null: 'null',
};

/** As in "whole number of tokens, 1 or more". @param section links to what a $ref stands for */
export function typeText(field: Described, section: (name: string) => string): string {
  const { unit } = field;
  const type = bareType(field, section);
  const counted =
    unit && type.startsWith('whole number') ? type.replace('whole number', `whole number of ${unit}`) : type;
  return unit && counted === type ? `${type}, in ${unit}` : counted;
}

function bareType(field: Described, section: (name: string) => string): string {
  const inner = (one: Described): string => bareType(one, section);
  if (field.$ref) return section(field.$ref.replace('#/$defs/', ''));
  if (field.like) return `block as [\`${field.like}\`](#${field.like})`;
  if (field.const !== undefined) return code(field.const);
  if (field.enum) return field.enum.map(code).join(', ');
  const choices = field.anyOf ?? (field.type === undefined ? field.oneOf : undefined);
  if (choices) return either(choices.map(inner));
  if (Array.isArray(field.type)) return either(field.type.map(type => inner({ ...field, type })));
  if (field.type === 'array') return `list of ${plural(inner(field.items ?? {}))}`;
  const bounds = boundsText(field);
  return `${TYPES[field.type ?? ''] ?? 'any value'}${bounds && `, ${bounds}`}`;
}

const either = (texts: string[]): string => texts.join(texts.some(text => text.includes(',')) ? ', or ' : ' or ');
const plural = (text: string): string => text.replace(/^(block|text|number|whole number)\b/, '$1s');

function boundsText({ type, minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Described): string {
  const least = minimum ?? (type === 'integer' && exclusiveMinimum !== undefined ? exclusiveMinimum + 1 : undefined);
  if (least !== undefined && maximum !== undefined) return `${least} to ${maximum}`;
  const bounds = [
    least !== undefined ? `${least} or more` : exclusiveMinimum !== undefined ? `more than ${exclusiveMinimum}` : '',
    maximum !== undefined
      ? `at most ${maximum}`
      : exclusiveMaximum !== undefined
        ? `less than ${exclusiveMaximum}`
        : '',
  ];
  return bounds.filter(bound => bound !== '').join(', ');
}

export function defaultText(field: Described, required: boolean): string {
  if (required) return '**required**';
  if (field.unlessGiven) return field.unlessGiven;
  return field.default === undefined ? '' : code(field.default);
}

/** As YAML has it; small numbers as 2e-6. */
const code = (value: unknown): string =>
  `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``.replace(/0\.0{3,}\d+/, text =>
    String(Number(text).toExponential()),
  );
