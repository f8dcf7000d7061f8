/**
 * Whole runs of one build of this project, one a turn, each on a server and workers of its own. The build's folder is the
 * argument: spec, workers and engine are that build's.
 */
import type { loadSpec } from '../../specs/spec-files.js';
import { partOf } from '../build-part.js';
import { watchMemory } from '../family.js';
import type { measureOverhead } from '../overhead/run.js';
import { serve } from '../serve.js';
import type { RunAssignment } from './side.js';

const [build] = process.argv.slice(2) as [string];

serve<RunAssignment>(async ({ preset, set }) => {
  const specs = partOf<{ loadSpec: typeof loadSpec }>(build, 'specs/spec-files');
  const runs = partOf<{ measureOverhead: typeof measureOverhead }>(build, 'bench/overhead/run');
  const { spec } = await specs.loadSpec(preset, set, build);
  return {
    versions: {},
    perform: async () => {
      const memory = watchMemory(process.pid);
      const { wall, sha256 } = await runs.measureOverhead(spec, line => console.error(line));
      const peakBytes = memory();
      return { seconds: wall, weights: sha256, ...(peakBytes !== null && { peakBytes }) };
    },
  };
});
