/** The addresses that there are: of pages, and below /data/ and /live/ of what they show. */

/** `:name` stands for any segment, `#name` for a number. */
const PATTERNS = {
  runs: 'runs',
  control: 'control',
  compare: 'compare',
  compareDifferences: 'compare/differences',
  evaluations: 'evaluations',
  evaluation: 'evaluations/:name',
  evaluationDifferences: 'evaluations/:name/differences',
  evaluationItems: 'evaluations/:name/items',
  studies: 'studies',
  study: 'studies/:name',
  run: 'runs/:run',
  curriculum: 'runs/:run/curriculum',
  runEvaluations: 'runs/:run/evaluations',
  runDifferences: 'runs/:run/evaluations/differences',
  runItems: 'runs/:run/evaluations/items',
  proof: 'runs/:run/proof',
  curves: 'runs/:run/curves.csv',
  question: 'runs/:run/questions/#index',
  step: 'runs/:run/:stage/#attempt/#step',
  group: 'runs/:run/:stage/#attempt/#step/#round/#line',
} as const;

export type RouteName = keyof typeof PATTERNS;

export interface Route {
  name: RouteName;
  texts: Record<string, string>;
  numbers: Record<string, number>;
}

/** Those that are pages: the rest is what pages ask for. `/` is the page of all runs. */
const PAGES: readonly RouteName[] = [
  ...(['compare', 'evaluations', 'evaluation', 'run', 'curriculum', 'runEvaluations'] as const),
  ...(['proof', 'question', 'step', 'studies', 'study'] as const),
];

/** @param path decoded segments */
export function routeOf(path: readonly string[]): Route | null {
  for (const [name, pattern] of Object.entries(PATTERNS)) {
    const parts = pattern.split('/');
    const found: Route = { name: name as RouteName, texts: {}, numbers: {} };
    if (parts.length === path.length && parts.every((part, k) => fits(part, path[k]!, found))) return found;
  }
  return null;
}

function fits(part: string, segment: string, { texts, numbers }: Route): boolean {
  const name = part.slice(1);
  if (part.startsWith(':')) texts[name] = segment;
  else if (part.startsWith('#')) {
    if (!/^(0|[1-9]\d{0,8})$/.test(segment)) return false;
    numbers[name] = Number(segment);
  } else return part === segment;
  return true;
}

export const isPage = (path: readonly string[]): boolean => {
  const route = routeOf(path);
  return path.length === 0 || (route !== null && PAGES.includes(route.name));
};
