/** What is wrong with a field, where its schema has no words of its own for it: given to a parse as its `error`. */
import type { z } from 'zod';
import { kindOf } from './fields.js';

const TYPES: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

export const inWords: z.core.$ZodErrorMap = issue => {
  const found = `, found ${kindOf(issue.input)}`;
  if (issue.code === 'invalid_type') return `expected ${TYPES[issue.expected] ?? issue.expected}${found}`;
  if (issue.code === 'invalid_value')
    return `expected one of ${issue.values.map(value => JSON.stringify(value)).join(', ')}${found}`;
  if (issue.code === 'too_small' && (issue.origin === 'array' || issue.origin === 'string') && issue.minimum === 1)
    return `expected ${TYPES[issue.origin]} that is not empty`;
  return undefined;
};
