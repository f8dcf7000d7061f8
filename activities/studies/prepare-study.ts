/**
 * The first activity of a study: everything that can be wrong with its spec is found here. Publishes the spec of each
 * variant, once: a study may grow by variants, seeds and hypotheses, but what it has begun stays what it is.
 */
import type { Cell, StudySpecInput } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import {
  differences,
  InvalidSpecError,
  type RunSpec,
  runNameSchema,
  type SpecIssue,
  type StudySpec,
  type Variant,
  validateSpec,
  validateStudy,
} from '../spec/index.js';
import { type ArtifactRef, jsonText, readJson, resultUri, type Store } from '../store/index.js';
import { supervised } from '../supervision/index.js';
import { studySpecUri, variantUri } from './places.js';
import { cellsOf } from './report.js';

export interface PrepareStudyInput {
  study: string;
  input: StudySpecInput;
}

export interface StudyPlan {
  /** As validated, every default filled in. */
  spec: ArtifactRef;
  /** Seed by seed of each variant in turn, so that those which share most do not all begin at once. */
  cells: (Cell & { done: boolean })[];
  atOnce: number;
}

export function prepareStudy(deps: Dependencies) {
  return ({ study: name, input }: PrepareStudyInput): Promise<StudyPlan> =>
    supervised('validating the study', async supervision => {
      const { store } = deps;
      checkName(name);
      const { study, variants } = await validateStudy(input, deps.readPreset);
      const cells = namedCells(name, study);
      refuse((await Promise.all(variants.map((variant, k) => othersThanBegun(store, name, variant, k)))).flat());
      supervision.check();
      for (const { name: variant, spec } of variants) await store.publishFirst(variantUri(name, variant), textOf(spec));
      const spec = await store.publishFirst(studySpecUri(name, study), jsonText(study));
      return {
        spec,
        cells: await Promise.all(cells.map(async cell => ({ ...cell, done: await store.has(resultUri(cell.run)) }))),
        atOnce: study.atOnce,
      };
    });
}

/** The seed is each cell's own. */
const textOf = (spec: RunSpec): string => jsonText({ ...spec, seed: 0 });

function checkName(name: string): void {
  const checked = runNameSchema.safeParse(name);
  const path = `the study's name "${name}", which is its workflow id`;
  if (!checked.success) refuse([{ path, problem: checked.error.issues[0]!.message }]);
}

function namedCells(study: string, spec: StudySpec): Cell[] {
  try {
    return cellsOf(study, spec);
  } catch {
    const problem = 'expected a shorter one: with those of its variants it is too long for the names of runs';
    throw new InvalidSpecError([{ path: `the study's name "${study}"`, problem }], 'study');
  }
}

function refuse(issues: SpecIssue[]): void {
  if (issues.length > 0) throw new InvalidSpecError(issues, 'study');
}

/** In what a variant differs from the one of that name that the study has begun with. */
async function othersThanBegun(store: Store, study: string, { name, spec }: Variant, k: number): Promise<SpecIssue[]> {
  const ref = await store.find(variantUri(study, name));
  if (!ref) return [];
  const begun = validateSpec(await readJson(store, ref));
  const changeable = { seed: 0, checkpoints: null, shards: null, export: null };
  const differing = differences({ ...begun, ...changeable }, { ...spec, ...changeable });
  if (differing.length === 0) return [];
  const problem = `differs from the variant "${name}" that the study has in the store, in ${differing.join(', ')}: give it another name, or the study`;
  return [{ path: `variants[${k}]`, problem }];
}
