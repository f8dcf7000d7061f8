/**
 * Rollouts of one group with llama.cpp (node-llama-cpp): 8 sequences of one context, whose next tokens are computed in one
 * batch. Sequences share no keys and values there; the best there is for a common prompt is to compute it in one of them
 * and to load its state, by way of a file, into the others.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { atExit } from '../../local/at-exit.js';
import { serve } from '../serve.js';
import type { Assignment, Work } from '../work.js';

/** What is used of node-llama-cpp, which is not installed with this project. */
interface LlamaCpp {
  getLlama(options: { gpu: false; build: 'never'; maxThreads: number; logLevel: string }): Promise<{
    loadModel(options: { modelPath: string }): Promise<{
      createContext(options: { sequences: number; contextSize: number; threads: number }): Promise<{
        getSequence(): Sequence;
      }>;
    }>;
  }>;
}
interface Sequence {
  clearHistory(): Promise<void>;
  evaluateWithoutGeneratingNewTokens(ids: number[]): Promise<void>;
  saveStateToFile(path: string): Promise<unknown>;
  loadStateFromFile(path: string, risk: { acceptRisk: true }): Promise<void>;
  evaluate(
    ids: number[],
    sampling: { temperature: number; topP: number; topK: number; yieldEogToken: boolean },
  ): AsyncIterable<number>;
}

const [modules, weights] = process.argv.slice(2) as [string, string];
const folder = join(modules, 'node_modules', 'node-llama-cpp');

serve<Assignment>(async ({ work, tokens, threads }) => {
  const { group, newTokens, promptTokens, temperature, topP } = work as Extract<Work, { kind: 'rollouts' }>;
  const { getLlama } = (await import(pathToFileURL(join(folder, 'dist', 'index.js')).href)) as LlamaCpp;
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: 'error' });
  const model = await llama.loadModel({ modelPath: weights });
  const context = await model.createContext({ sequences: group, contextSize: promptTokens + newTokens, threads });
  const sequences = Array.from({ length: group }, () => context.getSequence());
  const scratch = mkdtempSync(join(tmpdir(), 'longhaul-bench-llama-'));
  atExit(() => rmSync(scratch, { recursive: true, force: true }));
  const state = join(scratch, 'prompt');
  const [first, ...others] = sequences as [Sequence, ...Sequence[]];
  const prompt = tokens.prompts[0]!;

  const respond = async (sequence: Sequence): Promise<void> => {
    let count = 0;
    const sampling = { temperature, topP, topK: 0, yieldEogToken: true };
    for await (const _ of sequence.evaluate(prompt.slice(-1), sampling)) if (++count === newTokens) break;
    if (count !== newTokens) throw new Error(`a response has ${count} tokens, expected ${newTokens}`);
  };

  return {
    versions: { 'node-llama-cpp': versionIn(folder) },
    perform: async () => {
      for (const sequence of sequences) await sequence.clearHistory();
      await first.evaluateWithoutGeneratingNewTokens(prompt.slice(0, -1));
      await first.saveStateToFile(state);
      for (const sequence of others) await sequence.loadStateFromFile(state, { acceptRisk: true });
      await Promise.all(sequences.map(respond));
      return {};
    },
  };
});

const versionIn = (of: string): string =>
  (JSON.parse(readFileSync(join(of, 'package.json'), 'utf8')) as { version: string }).version;
