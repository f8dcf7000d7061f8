/**
 * Receivers in place of MLflow's and trackio's servers, for measurements: they count what they are given and forget it, so
 * that what a step takes longer is what sending costs. The real servers need more of a processor than all that sends to them.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { ExportSettings } from '../../../activities/spec/index.js';
import { exportSettings } from './servers.js';

interface Tag {
  key: string;
  value: string;
}

/** As far as our own client asks. */
interface Body {
  filter?: string;
  run_id?: string;
  tags?: Tag[];
  kwargs?: { run_id?: string; logs?: { run_id: string; log_id: string }[] };
}

export class StandIns {
  readonly #server: Server;
  /** MLflow's runs: their tags, by id. */
  readonly #runs = new Map<string, Map<string, string>>();
  /** trackio's: the points that each has. */
  readonly #logs = new Map<string, Set<string>>();

  private constructor(readonly folder: string) {
    this.#server = createServer(async (request, response) => {
      const body = (await json(request)) as Body;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(this.#answer(request, body)));
    });
  }

  static async start(folder: string): Promise<StandIns> {
    const all = new StandIns(folder);
    await new Promise<void>(resolve => all.#server.listen(0, '127.0.0.1', resolve));
    return all;
  }

  get settings(): ExportSettings {
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return exportSettings(this.folder, { mlflow: url, trackio: url });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer({ url = '' }: IncomingMessage, { filter = '', run_id = '', tags = [], kwargs = {} }: Body): object {
    switch (url.split('/').slice(-2).join('/')) {
      case 'experiments/search':
        return { experiments: [{ experiment_id: '0' }] };
      case 'runs/search':
        return { runs: [...this.#runs].filter(([, known]) => isOf(filter, known)).map(shown) };
      case 'runs/create':
        this.#runs.set(`run-${this.#runs.size}`, new Map(tags.map(({ key, value }) => [key, value])));
        return {};
      case 'runs/log-batch':
        for (const { key, value } of tags) this.#runs.get(run_id)!.set(key, value);
        return {};
      case 'api/bulk_log':
        for (const { run_id: of, log_id } of kwargs.logs ?? [])
          this.#logs.set(of, (this.#logs.get(of) ?? new Set()).add(log_id));
        return { data: null };
      case 'api/get_run_summary':
        return { data: { num_logs: this.#logs.get(kwargs.run_id ?? '')?.size ?? 0 } };
      default:
        return {};
    }
  }
}

/** "tags.`KEY` = 'VALUE'" */
function isOf(filter: string, tags: Map<string, string>): boolean {
  const [, key = '', value] = /^tags\.`(.*)` = '(.*)'$/.exec(filter) ?? [];
  return tags.get(key) === value;
}

const shown = ([run_id, tags]: [string, Map<string, string>]) => ({
  info: { run_id, start_time: 0 },
  data: { tags: [...tags].map(([key, value]) => ({ key, value })) },
});
