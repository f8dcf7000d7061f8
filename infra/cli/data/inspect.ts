/** `longhaul data inspect`: reads everything a spec names as its run would, and says what came of it. No server, no store. */
import { join } from 'node:path';
import { Command } from 'commander';
import { openSource } from '../../../activities/datasets/index.js';
import { dataIssues, modelIssues, type RunData, readRunData, summaryOf } from '../../../activities/run/index.js';
import { InvalidSpecError, type RunSpec } from '../../../activities/spec/index.js';
import { createModels, openModel, type TextModel } from '../../../activities/text/index.js';
import { inBand } from '../../../activities/training/index.js';
import { cacheFolder } from '../../local/temporal-binary.js';
import { loadSpec } from '../../specs/spec-files.js';
import { collect, workingFolder } from '../options.js';
import type { Inspected } from './inspected.js';
import { reportLines } from './report.js';

interface InspectFlags {
  set?: string[];
  json?: boolean;
  example?: boolean;
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .argument('<preset-or-file>', 'preset or spec file')
    .option('--set <path=value>', 'lay a value over the spec, e.g. phases.0.maxTokens=512 (repeatable)', collect)
    .option('--json', 'print it as JSON')
    .option('--example', "one example prompt of each phase's own lengths")
    .description("what a spec's data comes to: lengths, what each phase trains on, what is left out, contamination")
    .addHelpText(
      'after',
      '\nReads as a run does, with its tokenizer, and writes nothing; names on the Hub (hf:…) are fetched into the same cache.\n' +
        'Ends with exit code 1 where the run would be refused.\n\n' +
        'Examples:\n  longhaul data inspect tiny\n  longhaul data inspect my.yaml --set phases.0.maxTokens=1024 --example',
    )
    .action(async (nameOrFile: string, flags: InspectFlags) => {
      const { spec } = await loadSpec(nameOrFile, flags.set ?? [], workingFolder());
      const inspected = await inspect(spec, flags.example ?? false, note => {
        if (process.stderr.isTTY) process.stderr.write(`${note} …\n`);
      });
      const text = flags.json ? JSON.stringify(inspected, null, 1) : reportLines(inspected).join('\n');
      process.stdout.write(`${text}\n`);
      if (inspected.issues.length > 0) throw new InvalidSpecError(inspected.issues);
    });
}

/** @throws InvalidSpecError and DataError where there is nothing to show */
async function inspect(spec: RunSpec, examples: boolean, note: (doing: string) => void): Promise<Inspected> {
  const cacheDir = join(cacheFolder(), 'models');
  const reading = { note, signal: new AbortController().signal };
  const { model } = await openModel(createModels(cacheDir), spec.model, reading, { weights: !spec.engine.kind });
  const unfit = modelIssues(spec, model);
  if (unfit.length > 0) throw new InvalidSpecError(unfit);
  const deps = { openSource: (source: Parameters<typeof openSource>[0]) => openSource(source, { cacheDir }) };
  const data = await readRunData(deps, spec, model, reading);
  const summary = summaryOf(spec, model, data);
  const issues = dataIssues(spec, model, data);
  return { ...summary, issues, ...(examples ? { examples: examplesOf(spec, model, data) } : {}) };
}

function examplesOf(spec: RunSpec, model: TextModel, { train }: RunData): NonNullable<Inspected['examples']> {
  return spec.phases.flatMap((_, k) => {
    const item = train.find(one => inBand(spec, k, one));
    if (!item) return [];
    const { id, promptIds } = item;
    return [{ phase: `phase-${k + 1}`, id, tokens: promptIds.length, prompt: model.documentText(promptIds) }];
  });
}
