/** `longhaul worker`: one worker, until it is asked to stop. */
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import type { EngineSettings } from '../../activities/engine/process/index.js';
import type { ConnectionFlags } from '../../workers/connection.js';
import type { LonghaulWorkerOptions } from '../../workers/worker.js';
import { inHandOf } from '../local/stack.js';
import { cacheFolder } from '../local/temporal-binary.js';
import { readPreset } from '../specs/spec-files.js';
import { UserError } from '../user-error.js';
import { type DeploymentFlags, deploymentOf, howToGiveWork, withDeploymentFlags } from './deployment-flags.js';
import { engineSettingsOf, withEngineSettings } from './engine-settings.js';
import { type ExportFlags, exportSettingsOf, TRACKER_FLAGS, withExportFlags } from './export-flags.js';
import {
  type StateFlags,
  type StoreFlags,
  stateOf,
  storeOf,
  withConnectionFlags,
  withStateFlag,
  withStoreFlag,
} from './options.js';
import { type ServiceFlags, serviceOf, withServiceFlags } from './service-flags.js';
import { type TelemetryFlags, telemetryOf, withTelemetryFlags } from './telemetry-flags.js';

type WorkerFlags = ConnectionFlags &
  StoreFlags &
  StateFlags &
  DeploymentFlags &
  ServiceFlags &
  TelemetryFlags &
  ExportFlags &
  Partial<EngineSettings> & { acceptOtherNumerics?: boolean };

/** Loaded when asked for: they bring native libraries that other commands do without. */
const KINDS = {
  cpu: async () => (await import('../../workers/cpu.js')).runCpuWorker,
  gpu: async (flags: WorkerFlags) => {
    const service = await serviceOf(flags);
    if (!service) return (await import('../../workers/gpu.js')).runGpuWorker;
    const { runTinkerWorker } = await import('../../workers/tinker.js');
    return (options: LonghaulWorkerOptions) => runTinkerWorker({ ...options, service });
  },
};

export function workerCommand(): Command {
  const kind = new Argument('<kind>', 'cpu: workflows, data, scores; gpu: the engine, one policy at a time').choices(
    Object.keys(KINDS),
  );
  const command = withStateFlag(withStoreFlag(new Command('worker').addArgument(kind)));
  const engine = withServiceFlags(withEngineSettings(command)).addOption(acceptOtherNumerics());
  const trackers = withExportFlags(engine, 'Trackers, for runs whose specs name none (cpu):');
  return withTelemetryFlags(withDeploymentFlags(withConnectionFlags(trackers)), 'this port')
    .description('run one worker until Ctrl-C: it finishes or hands back its step first')
    .addHelpText(
      'after',
      '\nA run needs at least one of each kind; all of them share one store.\n\n' +
        'Examples:\n  longhaul worker cpu\n  longhaul worker gpu --address temporal.example.com:7233 --namespace rl --store /mnt/store\n  longhaul worker gpu --engine tinker --engine-url http://trainer:8000',
    )
    .action(async (kind: keyof typeof KINDS, flags: WorkerFlags, command: Command) => {
      const engine = engineSettingsOf(flags);
      const [setting] = Object.keys(engine);
      if (kind === 'cpu' && setting)
        throw new UserError(`--${setting} is about the engine, which only "worker gpu" runs`);
      if (kind === 'cpu' && command.getOptionValueSource('engine') === 'cli')
        throw new UserError('--engine is about the engine, which only "worker gpu" runs');
      const deployment = deploymentOf(flags);
      const telemetry = telemetryOf(flags);
      if (kind === 'gpu' && deployment?.pinned)
        throw new UserError('--pinned is about workflows, which only "worker cpu" runs');
      const exportTo = exportSettingsOf(flags);
      // The local stack's workers share one environment.
      const typed = TRACKER_FLAGS.find(name => command.getOptionValueSource(name) === 'cli');
      if (kind === 'gpu' && typed)
        throw new UserError(`--${typed} is about trackers, which only "worker cpu" keeps up`);
      const parent = new AbortController();
      // Started by the local stack: when that is killed, nobody else would end this worker.
      process.once('disconnect', () => parent.abort());
      process.channel?.unref(); // listening must not keep a worker alive that has failed
      const run = await KINDS[kind](flags);
      await run({
        connection: flags,
        store: storeOf(flags),
        inHand: inHandOf(stateOf(flags)),
        ...(deployment && { deployment }),
        engine,
        telemetry,
        ...(flags.acceptOtherNumerics && { acceptOtherNumerics: true }),
        ...(exportTo && { exportTo }),
        modelCache: join(cacheFolder(), 'models'),
        readPreset,
        stop: parent.signal,
        onReady: engine => {
          const more = [...(engine === undefined ? [] : [engine]), ...(deployment ? [howToGiveWork(deployment)] : [])];
          process.stdout.write(`${[`${kind} worker ready`, ...more].join(', ')}\n`);
        },
      });
    });
}

/** From the environment too, where the local stack starts the worker. */
function acceptOtherNumerics(): Option {
  const help = 'gpu: go on with runs whose last step was made by an engine that computes other bits than this one';
  return new Option('--accept-other-numerics', help).env('LONGHAUL_ACCEPT_OTHER_NUMERICS');
}
