/**
 * Prometheus' text format 0.0.4, read strictly: whatever its documentation does not allow is thrown
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */

export interface Family {
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const ENDS: Record<string, string[]> = { histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] };

/** @returns metrics by name */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current = { name: '', family: { type: 'untyped', help: '', samples: [] } as Family };
  const begin = (name: string): Family => {
    if (current.name === name) return current.family;
    if (families.has(name)) throw new Error(`the lines of ${name} stand in two places`);
    const family: Family = { type: 'untyped', help: '', samples: [] };
    families.set(name, family);
    current = { name, family };
    return family;
  };
  for (const line of text.split('\n').filter(line => line !== '')) {
    const [, keyword, about, rest = ''] = /^# (HELP|TYPE) (\S+)(?: (.*))?$/.exec(line) ?? [];
    if (keyword) {
      const family = begin(about!);
      if (keyword === 'HELP') family.help = rest;
      else if (family.samples.length > 0) throw new Error(`${about} has its type after its samples`);
      else if (!/^(counter|gauge|histogram|summary|untyped)$/.test(rest))
        throw new Error(`${about} is of type ${rest}`);
      else family.type = rest;
      continue;
    }
    if (line.startsWith('#')) continue;
    const [, name, labelText = '', number] = SAMPLE.exec(line) ?? [];
    if (!name) throw new Error(`not a sample: ${line}`);
    const ends = ENDS[current.family.type] ?? [''];
    if (!ends.some(end => name === current.name + end)) begin(name);
    if (seen.has(`${name}{${labelText}}`)) throw new Error(`given twice: ${line}`);
    seen.add(`${name}{${labelText}}`);
    current.family.samples.push({ name, labels: labelsOf(labelText), value: numberOf(number!) });
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkHistogram(name, family);
  return families;
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name, value] = LABEL.exec(text) ?? [];
    if (name === undefined || name in labels) throw new Error(`labels that cannot be read: {${text}}`);
    labels[name] = value!.replace(/\\(["\\n])/g, (_, c) => (c === 'n' ? '\n' : c));
  }
  return labels;
}

function numberOf(text: string): number {
  const special: Record<string, number> = { '+Inf': Infinity, '-Inf': -Infinity, NaN: Number.NaN };
  const value = special[text] ?? Number(text);
  if (Number.isNaN(value) && text !== 'NaN' && text !== 'Nan') throw new Error(`no number: ${text}`);
  return value;
}

/** Buckets grow, the last is of all. */
function checkHistogram(name: string, { samples }: Family): void {
  const last = new Map<string, number>();
  const rest = ({ le: _, ...labels }: Record<string, string>) => JSON.stringify(Object.entries(labels).sort());
  for (const { name: of, labels, value } of samples) {
    const key = rest(labels);
    if (of === `${name}_bucket` && value < (last.get(key) ?? 0)) throw new Error(`buckets of ${name} shrink`);
    if (of === `${name}_bucket`) last.set(key, value);
    if (of === `${name}_count` && value !== last.get(key)) throw new Error(`the buckets of ${name} hold not all`);
  }
}

/** A sample's value; undefined where there is none. */
export function sampleOf(families: Map<string, Family>, name: string, labels: Record<string, string> = {}) {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  const wanted = Object.entries(labels);
  return family?.samples.find(one => one.name === name && wanted.every(([label, of]) => one.labels[label] === of))
    ?.value;
}
