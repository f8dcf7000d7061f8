/** A whole small run in a store, evaluations and result included, and views of it as it was at any earlier time. */
import type { EvaluationRow, PolicyRef } from '../../activities/contract/index.js';
import { createActivities } from '../../activities/index.js';
import { FolderStore, readJson, specUri } from '../../activities/store/index.js';
import { driveRun } from './drive.js';
import { type SmallRun, smallRun } from './small-run.js';

export async function finishedRun(): Promise<SmallRun> {
  const small = await smallRun();
  const { base, final } = await driveRun(small);
  const activities = createActivities(small.deps);
  const spec = (await small.store.find(specUri('run')))!;
  const rows: EvaluationRow[] = [];
  const data = (await small.store.find('store:runs/run/data/set-held-out.jsonl'))!;
  const of: [string, PolicyRef][] = [
    ['base', base],
    ['final', final],
  ];
  for (const [label, policy] of of) {
    const own = { run: 'run', spec, policy, label, set: { name: 'held-out', data } };
    const responses = await small.run(activities.evaluate, own);
    rows.push(await small.run(activities.scoreEvaluation, { ...own, responses }));
  }
  await small.run(activities.exportPolicy, { run: 'run', policy: final, stages: [], evaluations: rows });
  return small;
}

/** The store as it was before what it does not show was published. */
export class EarlierStore extends FolderStore {
  shows: (uri: string) => boolean = () => true;

  override async list(uri: string) {
    return (await super.list(uri)).filter(name => this.shows(`${uri}/${name}`));
  }

  override async find(uri: string) {
    return this.shows(uri) ? super.find(uri) : null;
  }

  override async has(uri: string) {
    return this.shows(uri) && super.has(uri);
  }

  override async recorded(uri: string) {
    return this.shows(uri) ? super.recorded(uri) : null;
  }
}

/** What the run published, in its order: each view is longer than the one before by one of them. */
export const ORDER = [
  'spec.json',
  'evaluations/base',
  ...['warmup/1', 'phase-1/1', 'phase-2/1'].flatMap(attempt => [1, 2, 3].map(step => `${attempt}/steps/${step}`)),
  'evaluations/final',
  'result.json',
];

/** With the first `count` of ORDER. */
export function viewOf(store: FolderStore, count: number): EarlierStore {
  const view = new EarlierStore(store.root);
  const later = ORDER.slice(count).map(name => `store:runs/run/${name}`);
  const begins = (uri: string, name: string) =>
    uri === name || uri.startsWith(`${name}/`) || uri.startsWith(`${name}.`);
  const stages = (uri: string) => /^store:runs\/run\/(warmup|phase-\d)$/.exec(uri)?.[0];
  view.shows = uri => {
    const stage = stages(uri);
    if (stage) return !later.includes(`${stage}/1/steps/1`);
    return !later.some(name => begins(uri, name));
  };
  return view;
}

export const recordOf = async <T>(store: FolderStore, uri: string): Promise<T> =>
  readJson<T>(store, (await store.find(uri))!);
