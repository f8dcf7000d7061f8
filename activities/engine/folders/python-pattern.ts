/**
 * Regular expressions that came with an adapter, matched against layers' names as Python matches them. They are programs of
 * a kind, from wherever the adapter is from: one that does not come to an end is stopped.
 */
import { runInNewContext } from 'node:vm';

const MILLISECONDS = 2000;

/** What Python spells otherwise; whatever else JavaScript's strict syntax does not know is refused. */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/\(\?P<(\w+)>/g, '(?<$1>'],
  [/\(\?P=(\w+)\)/g, '\\k<$1>'],
  [/(?<!\\)((?:\\\\)*)\\A/g, '$1^'],
  [/(?<!\\)((?:\\\\)*)\\Z/g, '$1$$'],
];

/**
 * Those of the names that the expression matches whole, as by `re.fullmatch`.
 * @param milliseconds that it may take
 * @throws Error with what is wrong with the expression
 */
export function fullMatches(expression: string, names: readonly string[], milliseconds = MILLISECONDS): Set<string> {
  const ignoreCase = expression.startsWith('(?i)');
  let source = ignoreCase ? expression.slice('(?i)'.length) : expression;
  for (const [python, ours] of SPELLINGS) source = source.replace(python, ours);
  try {
    // Strings alone go in and come out: nothing of this realm is at hand there.
    const given = JSON.stringify({ names, source, flags: ignoreCase ? 'iu' : 'u' });
    const hits: string = runInNewContext(
      'const { names, source, flags } = JSON.parse(given);' +
        'new RegExp(source, flags);' +
        'const pattern = new RegExp("^(?:" + source + ")$", flags);' +
        'JSON.stringify(names.filter(name => pattern.test(name)))',
      { given },
      { timeout: milliseconds },
    );
    return new Set(JSON.parse(hits) as string[]);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const late = code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    throw new Error(late ? `does not come to an end within ${milliseconds / 1000} s` : message);
  }
}
