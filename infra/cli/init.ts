/** `longhaul init`: looks at a model and data, and writes a spec for them to start from. */
import { stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { dataIssues, modelIssues } from '../../activities/run/index.js';
import { InvalidSpecError, validateSpec } from '../../activities/spec/index.js';
import { CHECKOUT, PRESETS } from '../checkout.js';
import { type Found, type FoundSource, lookAt } from '../init/look.js';
import { type Plan, planFor } from '../init/plan.js';
import { millions, specText } from '../init/spec-text.js';
import { cacheFolder } from '../local/temporal-binary.js';
import { parseSpec } from '../specs/spec-files.js';
import { UserError } from '../user-error.js';
import { workingFolder } from './options.js';

interface InitFlags {
  model?: string;
  data?: string[];
  output: string;
  force?: boolean;
}

const NEEDS =
  'longhaul init needs a model and data, looks at both and writes a spec for them:\n' +
  '  --model FOLDER    a Hugging Face folder (llama, qwen2 or qwen3), or hf:owner/name\n' +
  '  --data FILE…      questions over documents: your own as JSON lines ({"question", "context", "answer"}),\n' +
  '                    or one of the sets that are read as published (docs/spec.md, data sources)\n' +
  'For example:\n  npx longhaul init --model models/my-model --data train.jsonl --output my.yaml\n' +
  'To see a run without either: npm start';

export function initCommand(): Command {
  return new Command('init')
    .option('--model <folder>', 'a Hugging Face folder, or hf:owner/name')
    .option('--data <files...>', 'files with questions, folders of them, or hf:owner/name/path')
    .option('--output <file>', 'the spec to write', 'my.yaml')
    .option('--force', 'write over a file that is there')
    .description('write a spec for a model and data, by what they are')
    .addHelpText('after', `\n${NEEDS}`)
    .action(async (flags: InitFlags) => {
      const { model, data } = flags;
      if (model === undefined || data === undefined) throw new UserError(missing(flags));
      process.stdout.write(await init({ ...flags, model, data }));
    });
}

function missing({ model, data }: InitFlags): string {
  const flags = [...(model === undefined ? ['--model'] : []), ...(data === undefined ? ['--data'] : [])];
  return `${flags.join(' and ')} ${flags.length > 1 ? 'are' : 'is'} missing.\n\n${NEEDS}`;
}

/** @returns what to say. @throws what `lookAt` and `planFor` do; UserError where the file is there or is no YAML by its name */
async function init({
  model,
  data,
  output,
  force = false,
}: InitFlags & { model: string; data: string[] }): Promise<string> {
  const file = resolve(workingFolder(), output);
  if (!['.yaml', '.yml'].includes(extname(file))) {
    throw new UserError(`--output ${output}: expected a file that ends in .yaml or .yml`);
  }
  if (!force && (await stat(file).catch(() => null))) throw thereAlready(output);
  const note = (doing: string) => {
    if (process.stderr.isTTY) process.stderr.write(`${doing} …\n`);
  };
  const place = (typed: string) => (typed.startsWith('hf:') ? typed : resolve(workingFolder(), typed));
  const cacheDir = join(cacheFolder(), 'models');
  const found = await lookAt(place(model), data.map(place), cacheDir, { note, signal: new AbortController().signal });
  const plan = planFor(found);
  const text = specText(found, plan, { folder: dirname(file), file: output, schema: schemaFrom(dirname(file)) });
  refuseUnfit(found, text, file);
  await write(file, output, text, force);
  return said(found, plan, output);
}

/** As a run with it would be refused. */
function refuseUnfit({ model, data }: Found, text: string, file: string): void {
  const spec = validateSpec(parseSpec(text, file));
  const { warmup } = spec;
  const fit = warmup && data.warmup?.filter(({ promptIds }) => promptIds.length <= warmup.maxTokens!);
  const issues = [...modelIssues(spec, model.text), ...dataIssues(spec, model.text, { ...data, warmup: fit ?? null })];
  if (issues.length > 0) throw new InvalidSpecError(issues, 'proposed spec');
}

const questions = (count: number): string => `${count} question${count === 1 ? '' : 's'}`;

function sourceLines({ path, kind, samples, malformed, firstMalformed, paragraphs }: FoundSource): string[] {
  const skipped = malformed > 0 ? ` (malformed records skipped: ${malformed})` : '';
  return [
    `data    ${kind}, ${questions(samples)}${skipped}: ${path}`,
    ...(firstMalformed ? [`        the first malformed: ${firstMalformed.where}: ${firstMalformed.problem}`] : []),
    ...(paragraphs
      ? [
          `        too long with all paragraphs: each is asked ${paragraphs.length} times, over ${paragraphs.join(' and ')} of them`,
        ]
      : []),
  ];
}

function said({ model, sources, data }: Found, plan: Plan, output: string): string {
  const { architecture, parameters, contextLength, hasChatTemplate } = model;
  const held = data.sets.reduce((sum, { items }) => sum + items.length, 0);
  const cut = data.sources.reduce((sum, source) => sum + source.cut, 0);
  return [
    `model   ${architecture}, ${millions(parameters)} million weights, context ${contextLength}, ${hasChatTemplate ? 'with a' : 'without'} chat template`,
    ...sources.flatMap(sourceLines),
    `train   ${questions(data.train.length)}, ${data.warmup?.length ?? 0} with traces; ${held} held out`,
    ...(plan.beyond > 0 ? [`        ${plan.beyond} of them fit no phase: too long for the model's context`] : []),
    ...(cut > 0 ? [`        up to ${cut} held-out prompts lose their middle: too long for the model's context`] : []),
    ...(held === 0
      ? ['warning nothing is held out, so nothing will be evaluated: there are too few questions to spare any']
      : []),
    `phases  ${plan.phases.map(({ maxTokens, steps }) => `${steps} steps up to ${maxTokens} tokens`).join(', ')}`,
    '',
    `${output} is written. Look at it, then:`,
    `  npx longhaul data inspect ${output}    # what each phase would train on`,
    `  npm start -- ${output}`,
    '',
  ].join('\n');
}

/** Beside the checkout's own files the way there, elsewhere the whole path. */
function schemaFrom(folder: string): string {
  const schema = join(PRESETS, 'spec.schema.json');
  const inside = !relative(CHECKOUT, folder).startsWith('..');
  return inside ? relative(folder, schema) : schema;
}

async function write(file: string, typed: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(file, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw thereAlready(typed);
    throw new UserError(`--output ${typed}: cannot be written: ${(error as Error).message}`);
  }
}

const thereAlready = (typed: string): UserError =>
  new UserError(`${typed} is there already: give another name with --output, or --force to write over it.`);
