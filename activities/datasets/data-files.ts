/** The files of a source, and which names in a folder are data. */

/** A file to read. */
export interface DataFile {
  /** Where it lies on this machine. */
  path: string;
  /** As messages and the run's record name it: as the spec has it, or `hf:owner/name@<commit>/path`. */
  name: string;
}

export interface Located {
  /** Names the same data again: an absolute path, or `hf:owner/name@<commit>/path`. */
  source: string;
  files: DataFile[];
}

/** Endings of the files that are taken from a folder. */
export const DATA_ENDINGS = ['.json', '.jsonl', '.ndjson', '.parquet', '.csv', '.tsv'].flatMap(ending =>
  ending === '.parquet' ? [ending] : [ending, `${ending}.gz`],
);

/** What `datasets` leaves beside data to describe them. */
const DESCRIPTIONS = ['dataset_info.json', 'dataset_infos.json', 'dataset_dict.json', 'state.json'];

export const isData = (name: string): boolean =>
  !name.startsWith('.') && !DESCRIPTIONS.includes(name) && DATA_ENDINGS.some(ending => name.endsWith(ending));

/** What a name with `*` matches; null for a name without. */
export function pattern(name: string): ((candidate: string) => boolean) | null {
  if (!name.includes('*')) return null;
  const expression = new RegExp(`^${name.split('*').map(escaped).join('.*')}$`, 's');
  return candidate => expression.test(candidate);
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** @param others names of what is there */
export const nothingIn = (path: string, others: readonly string[] = []): string => {
  const saved = others.some(name => name.endsWith('.arrow') || name === 'dataset_dict.json');
  const advice = saved ? ' (a folder of save_to_disk: write it with to_parquet)' : '';
  return `${path}: expected data files, ending in ${DATA_ENDINGS.join(', ')}; there is none${advice}`;
};
