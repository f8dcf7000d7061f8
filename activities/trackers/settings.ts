/** A spec as trackers show it: one value a dotted path. */
import type { RunSpec } from '../spec/index.js';

export type Settings = Readonly<Record<string, string | number | boolean>>;

/** Prompt templates and rubrics are read elsewhere. */
const LONGEST_TEXT = 200;
/** Where the metrics go is no part of what made them. */
const LEFT_OUT = new Set(['export']);

export function settingsOf(spec: RunSpec): Settings {
  const flat: Record<string, string | number | boolean> = {};
  const lay = (path: string, value: unknown): void => {
    if (value === null || value === undefined) return;
    if (typeof value === 'object') {
      for (const [key, item] of Object.entries(value)) lay(path === '' ? key : `${path}.${key}`, item);
    } else if (typeof value === 'string') {
      flat[path] = value.length <= LONGEST_TEXT ? value : `${value.slice(0, LONGEST_TEXT)}…`;
    } else if (typeof value === 'number' || typeof value === 'boolean') {
      flat[path] = value;
    }
  };
  for (const [key, value] of Object.entries(spec)) if (!LEFT_OUT.has(key)) lay(key, value);
  return flat;
}
