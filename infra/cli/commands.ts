/**
 * The commands, in the order of the help. Each is loaded when it is asked for: all of them together take most of a second,
 * which would be each command's first.
 */
import type { Command } from 'commander';

const load = <M>(path: string): M => require(path);

export const COMMANDS: Record<string, () => Command> = {
  init: () => load<typeof import('./init.js')>('./init.js').initCommand(),
  start: () => load<typeof import('./start.js')>('./start.js').startCommand(),
  up: () => load<typeof import('./up.js')>('./up.js').upCommand(),
  run: () => load<typeof import('./run.js')>('./run.js').runCommand(),
  watch: () => load<typeof import('./watch.js')>('./watch.js').watchCommand(),
  show: () => load<typeof import('./show.js')>('./show.js').showCommand(),
  ui: () => load<typeof import('./ui.js')>('./ui.js').uiCommand(),
  data: () => load<typeof import('./data.js')>('./data.js').dataCommand(),
  export: () => load<typeof import('./export.js')>('./export.js').exportCommand(),
  'export-metrics': () => load<typeof import('./export-metrics.js')>('./export-metrics.js').exportMetricsCommand(),
  verify: () => load<typeof import('./verify.js')>('./verify.js').verifyCommand(),
  tokens: () => load<typeof import('./tokens.js')>('./tokens.js').tokensCommand(),
  lineage: () => load<typeof import('./lineage.js')>('./lineage.js').lineageCommand(),
  evaluate: () => load<typeof import('./evaluate.js')>('./evaluate.js').evaluateCommand(),
  study: () => load<typeof import('./study.js')>('./study.js').studyCommand(),
  table: () => load<typeof import('./table.js')>('./table.js').tableCommand(),
  schedule: () => load<typeof import('./schedule.js')>('./schedule.js').scheduleCommand(),
  worker: () => load<typeof import('./worker.js')>('./worker.js').workerCommand(),
  store: () => load<typeof import('./store.js')>('./store.js').storeCommand(),
  engine: () => load<typeof import('./engine.js')>('./engine.js').engineCommand(),
  reward: () => load<typeof import('./reward.js')>('./reward.js').rewardCommand(),
  temporal: () => load<typeof import('./temporal.js')>('./temporal.js').temporalCommand(),
};
