/** The options of a multiple choice question, as its text lists them: "(A) 1 (B) 2", or "A. 1", "B) 2" on lines of their own. */

export interface Option {
  letter: string;
  text: string;
}

/** Ways to mark an option, the clearest first; a letter is the pattern's group. */
const MARKS: readonly RegExp[] = [
  /(?<![\p{L}\p{N}])[([]([A-Z])[)\]][ \t.:]*/gu,
  /^[ \t*_#>-]*([A-Z])[.):][ \t*_]+/gmu,
  /(?<![\p{L}\p{N}.])([A-Z])[.):][ \t]+/gu,
  /^[ \t*_#>-]*[([]?([a-z])[.):\]][ \t*_]+/gmu,
  /(?<![\p{L}\p{N}])\(([a-z])\)[ \t]*/gu,
];

const FIRST = 'A'.charCodeAt(0);

/** The last list that runs A, B, C, …, of two options at least; empty where the question has none. */
export function optionsOf(question: string): Option[] {
  for (const mark of MARKS) {
    const options = lastList(question, [...question.matchAll(mark)]);
    if (options.length >= 2) return options;
  }
  return [];
}

function lastList(question: string, marks: RegExpMatchArray[]): Option[] {
  let [run, best]: RegExpMatchArray[][] = [[], []];
  for (const mark of marks) {
    const place = mark[1]!.toUpperCase().charCodeAt(0) - FIRST;
    if (place === run!.length) run!.push(mark);
    else if (place === 0) run = [mark];
    else continue;
    if (run!.length >= 2) best = run!;
  }
  return best!.map((mark, k) => {
    const end = best![k + 1]?.index ?? endOfLast(question, mark.index! + mark[0].length);
    return {
      letter: mark[1]!.toUpperCase(),
      text: question
        .slice(mark.index! + mark[0].length, end)
        .trim()
        .replace(/[;,]$/, ''),
    };
  });
}

/** The last option ends with its paragraph. */
function endOfLast(question: string, from: number): number {
  const end = question.slice(from).search(/\n\s*\n/);
  return end < 0 ? question.length : from + end;
}
