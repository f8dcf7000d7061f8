/** `npm run bench -- overhead`: how much of a run is neither the engine's work nor the judge's. */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { collect } from '../cli/options.js';
import { loadSpec } from '../specs/spec-files.js';
import { overheadRemarks, overheadTable } from './overhead/report.js';
import { measureOverhead } from './overhead/run.js';
import { asMarkdown, asText } from './table.js';
import { callersFolder, typed } from './typed-path.js';

interface Flags {
  preset: string;
  set?: string[];
  markdown?: boolean;
  json?: string;
}

export function overheadBench(): Command {
  return new Command('overhead')
    .description('runs a preset undisturbed and says where the time goes that is neither the engine’s nor the judge’s')
    .option('--preset <name>', 'preset or spec file', 'tiny')
    .option('--set <path=value>', 'lay a value over the spec (repeatable)', collect)
    .option('--markdown', 'print Markdown')
    .option('--json <file>', 'write the result there')
    .addHelpText(
      'after',
      `
A development server with its data in a file, a CPU worker and a GPU worker, each a process of its own, as the local stack
has them; their activities, the engine's operations and the judge's verdicts are timed as they pass. Counted is everything
from the run's start to its end. Outside of engine and judge is
  on the way   no activity at work: the server, the workflow, the worker's taking it
  before       in an activity, before it asks engine or judge for the first time; all of it where it asks neither
  after        in an activity, between its questions and after the last: publishing, mostly
The preset tiny takes four minutes; --set phases.0.steps=5 and the like make it shorter.`,
    )
    .action(bench);
}

async function bench({ preset, set = [], markdown, json }: Flags): Promise<void> {
  const { spec } = await loadSpec(preset, set, callersFolder());
  const result = await measureOverhead(spec, line => void process.stderr.write(`${line}\n`));
  process.stdout.write(`${(markdown ? asMarkdown : asText)(overheadTable(result))}\n\n`);
  process.stdout.write(`${overheadRemarks(result).join('\n')}\n`);
  if (json) await writeFile(typed(json), `${JSON.stringify(result, null, 1)}\n`);
}
