/** Two policies on one evaluation set, item by item: won, lost, the same. */
import type { EvaluationResult } from '../../activities/evaluation/index.js';
import { evaluationNamed, readJson, type Store, storeUri } from '../../activities/store/index.js';
import { BadRequestError, NotThereError } from './errors.js';
import { labelledRecords } from './firings.js';

export interface ItemsWanted {
  set: string;
  a: string;
  b: string;
  /** Which of the set's items; null for the list of them. */
  item: string | null;
}

/** Of a question so much is listed. */
const LISTED_CHARACTERS = 240;

type Item = EvaluationResult['items'][number];
type Outcome = 'won' | 'lost' | 'same' | 'unscored';

/** @param where a run's own evaluations, or those of a name */
export async function itemsPage(store: Store, where: { run: string } | { name: string }, wanted: ItemsWanted) {
  const results = 'run' in where ? resultsOfRun(store, where.run) : resultsOfName(store, where.name);
  const [a, b] = [await itemsOf(results, wanted.a, wanted.set), await itemsOf(results, wanted.b, wanted.set)];
  const other = new Map(b.map(item => [item.id, item]));
  const pairs = a.flatMap(item => {
    const theirs = other.get(item.id);
    return theirs ? [{ a: item, b: theirs, outcome: outcomeOf(item, theirs) }] : [];
  });
  if (wanted.item !== null) {
    const found = pairs.find(pair => pair.a.id === wanted.item);
    if (!found) throw new NotThereError(`The set "${wanted.set}" has no item "${wanted.item}" that both answered.`);
    return found;
  }
  return {
    ...{ set: wanted.set, a: wanted.a, b: wanted.b },
    items: pairs.map(({ a, b, outcome }) => ({
      id: a.id,
      question: a.question.slice(0, LISTED_CHARACTERS),
      promptTokens: a.promptTokens,
      scores: [scoreOf(a), scoreOf(b)],
      outcome,
    })),
  };
}

/** Mean reward of the item's answers; null of one that is unscored. */
function scoreOf({ answers, unscored }: Item): number | null {
  if (unscored !== undefined || answers.length === 0) return null;
  return answers.reduce((sum, { reward }) => sum + (reward ?? 0), 0) / answers.length;
}

function outcomeOf(a: Item, b: Item): Outcome {
  const [before, after] = [scoreOf(a), scoreOf(b)];
  if (before === null || after === null) return 'unscored';
  return after === before ? 'same' : after > before ? 'won' : 'lost';
}

interface Results {
  /** Gives the results of a set by one whose label is such, or nothing. */
  of(label: string, set: string): Promise<EvaluationResult | null>;
}

async function itemsOf(results: Results, label: string, set: string): Promise<Item[]> {
  const result = await results.of(label, set);
  if (!result) throw new BadRequestError(`"${label}" was not evaluated on "${set}".`);
  return result.items;
}

function resultsOfRun(store: Store, run: string): Results {
  const folder = storeUri('runs', run, 'evaluations');
  return {
    async of(policy, set) {
      // `label`, or `label@beginning` of the policy's name where several are called so.
      const [label = '', name = ''] = policy.split('@');
      const file = (await store.list(folder)).find(one => {
        const named = evaluationNamed(one);
        return named?.label === label && named.set === set && named.policy.startsWith(name);
      });
      const ref = file === undefined ? null : await store.find(`${folder}/${file}`);
      return ref && readJson<EvaluationResult>(store, ref);
    },
  };
}

function resultsOfName(store: Store, name: string): Results {
  return {
    async of(wanted, set) {
      const labelled = (await labelledRecords(store, name)).find(({ label }) => label === wanted);
      const found = labelled?.record.sets.find(one => one.name === set);
      return found ? readJson<EvaluationResult>(store, found.result) : null;
    },
  };
}
