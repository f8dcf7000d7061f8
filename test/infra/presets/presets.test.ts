import { listPresets, loadSpec } from '../../../infra/specs/spec-files.js';

test('every preset is a valid spec', async () => {
  const names = await listPresets();
  expect(names).toEqual(['smollm2-2wiki', 'smollm2-hotpotqa', 'tiny']);
  for (const name of names) expect((await loadSpec(name, [], '/')).spec.phases.length).toBeGreaterThan(1);
});

test('no two uses of generated documents share a seed', async () => {
  const { spec } = await loadSpec('tiny', [], '/');
  const sources = [...spec.data, ...spec.warmup!.data, ...spec.evaluation.sets.map(set => set.source)];
  const seeds = sources.map(source => (source.type === 'world' ? source.seed : null));
  expect(seeds).not.toContain(null);
  expect(new Set(seeds).size).toBe(seeds.length);
});

test.each(['smollm2-2wiki', 'smollm2-hotpotqa'])('no two uses of a file share a question: %s', async preset => {
  const { spec } = await loadSpec(preset, [], '/');
  const uses = [spec.data, spec.warmup!.data, [spec.evaluation.sets[0]!.source]];
  const asked = uses.map(sources => {
    const questions = new Set<string>();
    for (const source of sources)
      if ('path' in source && source.type !== 'jsonl')
        for (let i = source.from; i < (source.to ?? 1000); i++) questions.add(`${source.path} ${i}`);
    return questions;
  });
  for (const [a, questions] of asked.entries())
    for (const other of asked.slice(a + 1)) expect(disjoint(questions, other)).toBe(true);
});

const disjoint = (a: Set<string>, b: Set<string>): boolean => [...a].every(x => !b.has(x));
