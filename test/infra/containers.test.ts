/** The image, the compose file and the Kubernetes files: what they name is there, and what they run is what longhaul takes. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { program } from '../../infra/cli/main';
import { SERVER_SETTINGS, serverArguments } from '../../infra/local/stack';
import { version } from '../../package.json';
import { ROOT } from '../support/pages';
import { parseCommand } from '../support/shell';

const CONTAINERS = join(ROOT, 'infra/containers');
const KUBERNETES = join(ROOT, 'infra/kubernetes');
const IMAGE = 'longhaul';

interface Container {
  at: string;
  image: string;
  /** What follows the image's entry point. */
  words: string[];
  environment: Record<string, string>;
  /** Ports that its processes are told to listen on. */
  ports: number[];
}

// biome-ignore lint/suspicious/noExplicitAny: files of others' formats, whose shape the tests below are about
type Json = Record<string, any>;

const text = (folder: string, file: string): string => readFileSync(join(folder, file), 'utf8');
const compose: Json = parse(text(CONTAINERS, 'compose.yaml'), { merge: true });

interface Kustomized {
  manifests: Json[];
  /** What each generated ConfigMap holds, by its keys. */
  maps: Map<string, Map<string, string>>;
  /** Manifests of the folder that it leaves out. */
  forgotten: string[];
  images?: unknown;
}

/** What a kustomization puts together, those that it names included. */
function kustomized(folder: string): Kustomized {
  const { resources = [], configMapGenerator = [], images }: Json = parse(text(folder, 'kustomization.yaml'));
  const found: Kustomized = { manifests: [], maps: new Map(), forgotten: [], images };
  for (const { name, files } of configMapGenerator) {
    const named = (files as string[]).map(file => /^(?:(.*)=)?(.*?([^/]*))$/.exec(file)!);
    found.maps.set(name, new Map(named.map(([, key, path, base]) => [key ?? base!, text(folder, path!)])));
  }
  for (const resource of resources as string[]) {
    if (resource.endsWith('.yaml')) {
      const documents = parseAllDocuments(text(folder, resource)).map(document => document.toJS());
      found.manifests.push(...documents.map(document => ({ file: resource, ...document })));
      continue;
    }
    const below = kustomized(join(folder, resource));
    found.manifests.push(...below.manifests);
    for (const [name, map] of below.maps) found.maps.set(name, map);
    found.forgotten.push(...below.forgotten);
  }
  if (resources.length > 0)
    found.forgotten.push(
      ...readdirSync(folder).filter(name => name !== 'kustomization.yaml' && !resources.includes(name)),
    );
  return found;
}

const { manifests, maps, forgotten, images } = kustomized(KUBERNETES);

const ofKind = (kind: string): Json[] => manifests.filter(one => one.kind === kind);
const settings: Record<string, string> = ofKind('ConfigMap').find(({ metadata }) => metadata.name === 'longhaul')!.data;
const podsOf = (): Json[] =>
  manifests.filter(({ spec }) => spec?.template).map(one => ({ ...one, pod: one.spec.template.spec }));

const IN_COMPOSE: Container[] = Object.entries<Json>(compose.services).map(([name, service]) => ({
  at: `compose.yaml: ${name}`,
  image: service.image,
  words: service.command ?? [],
  environment: service.environment ?? {},
  ports: [],
}));
const IN_KUBERNETES: Container[] = podsOf().flatMap(({ file, pod }) =>
  [...(pod.initContainers ?? []), ...pod.containers].map((container: Json) => ({
    at: `${file}: ${container.name}`,
    image: container.image,
    words: container.args ?? [],
    environment: container.envFrom ? settings : {},
    ports: (container.ports ?? []).map(({ containerPort }: Json) => containerPort),
  })),
);
const ALL = [...IN_COMPOSE, ...IN_KUBERNETES];
const OURS = ALL.filter(({ image }) => image.split(':')[0] === IMAGE);

test.each(OURS)('$at runs a command that longhaul has, with flags that it takes', ({ words }) => {
  if (words.length > 0) expect(parseCommand(program(), words).path[0]).toMatch(/^(worker|store)$/);
});

test('workers of both kinds are run, and a store is begun', () => {
  for (const where of [IN_COMPOSE, IN_KUBERNETES]) {
    const commands = where.filter(one => OURS.includes(one)).map(({ words }) => words.slice(0, 2).join(' '));
    expect(commands).toEqual(expect.arrayContaining(['worker cpu', 'worker gpu', 'store create']));
  }
});

test('every image is of one release, ours of this one', () => {
  for (const { at, image } of ALL.filter(one => !OURS.includes(one)))
    expect([at, image]).toEqual([at, expect.stringMatching(/:v?\d+\.\d+\.\d+$/)]);
  for (const { image } of OURS.filter(one => IN_COMPOSE.includes(one))) expect(image).toBe(`${IMAGE}:${version}`);
  expect(images).toEqual([{ name: IMAGE, newName: IMAGE, newTag: version }]);
  const others = (where: Container[]) => new Set(where.filter(one => !OURS.includes(one)).map(({ image }) => image));
  expect(others(IN_KUBERNETES)).toEqual(others(IN_COMPOSE));
});

test('the Temporal server is told what the local one is told', () => {
  const local = serverArguments('/data', 7233, 8233, '0.0.0.0')
    .join(' ')
    .replace(/ (?=[^-])/g, '=')
    .split(/ (?=--)/);
  const settings = SERVER_SETTINGS.map(setting => `--dynamic-config-value=${setting}`);
  for (const { words } of ALL.filter(({ image }) => image.startsWith('temporalio/'))) {
    expect(words).toEqual(expect.arrayContaining(settings));
    for (const flag of local.filter(one => one.startsWith('--'))) expect(words).toContain(flag);
  }
});

/** `host:port`, as they are in settings, and what reads them. */
const ADDRESS = /(?:^|\/\/|\[)([a-z][a-z0-9]*):(\d+)/;
const toldPorts = (words: string[]): number[] =>
  words.flatMap(word => /^--(?:\w+-)*port=(?::)?(\d+)$/.exec(word)?.slice(1) ?? []).map(Number);

test('addresses lead to services, and to ports that something listens on', () => {
  const defaults: Record<string, number> = { prometheus: 9090, grafana: 3000 };
  const composed = new Map(
    Object.entries<Json>(compose.services).map(([name, { command }]) => [
      name,
      [...toldPorts(command ?? []), defaults[name]],
    ]),
  );
  const served = new Map(
    ofKind('Service').map(({ metadata, spec }) => [metadata.name, spec.ports.map((p: Json) => p.port)]),
  );
  const addresses = (where: string[]) => where.flatMap(value => ADDRESS.exec(value)?.slice(1, 3).join(':') ?? []);
  const prometheus: Json = parse(text(CONTAINERS, 'prometheus.yaml'));
  const workers = prometheus.scrape_configs
    .flatMap(({ dns_sd_configs = [] }: Json) => dns_sd_configs)
    .flatMap(({ names, port }: Json) => names.map((name: string) => `${name}:${port}`));
  const scraped = prometheus.scrape_configs
    .flatMap(({ static_configs = [] }: Json) => static_configs)
    .flatMap(({ targets }: Json) => targets);
  const told = [...scraped, ...workers, ...addresses(text(CONTAINERS, 'grafana-sources.yaml').split('\n'))];
  const inCompose = [...told, ...addresses(IN_COMPOSE.flatMap(({ environment }) => Object.values(environment)))];
  const inKubernetes = [...told, ...addresses(Object.values(settings))];
  expect(workers).toEqual(['cpu:9464', 'gpu:9464']);
  expect(new Set(inCompose)).toEqual(
    new Set(['temporal:7233', 's3:7070', 'temporal:9233', 'prometheus:9090', ...workers]),
  );
  expect(new Set(inKubernetes)).toEqual(new Set(inCompose));
  for (const address of inCompose) {
    const [name, port] = address.split(':') as [string, string];
    expect([address, composed.get(name)]).toEqual([address, expect.arrayContaining([Number(port)])]);
    expect([address, served.get(name)]).toEqual([address, expect.arrayContaining([Number(port)])]);
  }
  // In Kubernetes also from the service's port to the container's.
  for (const { metadata, spec } of ofKind('Service')) {
    const { pod } = podsOf().find(({ spec: { template } }) => template.metadata.labels.app === spec.selector.app)!;
    for (const { port, targetPort } of spec.ports) {
      const [{ ports }] = pod.containers;
      expect([metadata.name, ports]).toEqual([
        metadata.name,
        expect.arrayContaining([{ name: targetPort, containerPort: port }]),
      ]);
      const listening = toldPorts(pod.containers[0].args ?? []);
      if (listening.length > 0) expect(listening).toContain(port);
    }
  }
});

test('what is the same in both says the same', () => {
  for (const name of ['TEMPORAL_ADDRESS', 'LONGHAUL_STORE', 'AWS_ENDPOINT_URL_S3'])
    expect(compose.services.cpu.environment[name]).toBe(settings[name]);
});

test('every worker can be asked for its metrics by others', () => {
  const workers = OURS.filter(({ words }) => words[0] === 'worker');
  expect(workers.length).toBe(4);
  for (const { at, words } of workers)
    expect([at, words]).toEqual([at, expect.arrayContaining(['--metrics-port=9464', '--metrics-host=0.0.0.0'])]);
  // Every pod by itself, not whichever a service picks.
  for (const name of ['cpu', 'gpu'])
    expect(ofKind('Service').find(({ metadata }) => metadata.name === name)!.spec.clusterIP).toBe('None');
});

describe('Prometheus and Grafana', () => {
  /** Files that a container is given, by where it finds them. */
  const inCompose = (service: string): Map<string, string> =>
    new Map(
      compose.services[service].volumes
        .filter((volume: string) => volume.startsWith('.'))
        .flatMap((volume: string) => {
          const [from, to] = volume.split(':') as [string, string];
          const path = join(CONTAINERS, from);
          if (statSync(path).isFile()) return [[to, text(path, '')]];
          return readdirSync(path).map(name => [`${to}/${name}`, text(path, name)]);
        }),
    );
  const inKubernetes = (app: string): Map<string, string> => {
    const { pod } = podsOf().find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === app)!;
    const volumes = new Map<string, Json>(pod.volumes.map((volume: Json) => [volume.name, volume]));
    return new Map(
      pod.containers[0].volumeMounts.flatMap(({ name, mountPath }: Json) => {
        const { configMap, projected } = volumes.get(name)!;
        const sources: Json[] = projected?.sources ?? (configMap ? [{ configMap }] : []);
        return sources.flatMap(source =>
          [...maps.get(source.configMap.name)!].map(([key, content]) => [`${mountPath}/${key}`, content]),
        );
      }),
    );
  };

  test.each(['prometheus', 'grafana'])('%s finds the same files in both', service => {
    expect(inKubernetes(service)).toEqual(inCompose(service));
  });

  test('find what they are told of', () => {
    const [config, rules] = ['prometheus', 'rules'].map(name =>
      inCompose('prometheus').get(`/etc/prometheus/${name}.yaml`),
    );
    expect(parse(config!).rule_files).toEqual(['rules.yaml']);
    expect(parse(rules!).groups.length).toBeGreaterThan(0);
    const files = inCompose('grafana');
    const { providers } = parse(files.get('/etc/grafana/provisioning/dashboards/longhaul.yaml')!);
    const dashboard = JSON.parse(files.get(`${providers[0].options.path}/longhaul.json`)!);
    const { datasources } = parse(files.get('/etc/grafana/provisioning/datasources/longhaul.yaml')!);
    const variable = dashboard.templating.list.find(({ type }: Json) => type === 'datasource');
    expect(datasources.map(({ type }: Json) => type)).toEqual([variable.query]);
  });
});

test('every manifest is applied, selects its own pods, and runs as nobody in particular, within bounds', () => {
  expect(forgotten).toEqual([]);
  for (const { kind, spec, pod } of podsOf()) {
    if (kind !== 'Job') expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels);
    expect(pod.securityContext.runAsNonRoot).toBe(true);
    for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
      expect(container.securityContext).toEqual({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
      expect(container.resources).toEqual({ requests: expect.anything(), limits: { memory: expect.any(String) } });
      for (const { configMapRef, secretRef } of container.envFrom ?? []) {
        if (configMapRef) expect(configMapRef.name).toBe('longhaul');
        else expect(secretRef).toEqual({ name: 's3-keys' });
      }
      const volumes = [
        ...(pod.volumes ?? []),
        ...(spec.volumeClaimTemplates ?? []).map(({ metadata }: Json) => metadata),
      ];
      for (const { name } of container.volumeMounts ?? []) expect(volumes.map((one: Json) => one.name)).toContain(name);
    }
  }
});

describe('the image', () => {
  const lines = text(CONTAINERS, 'Dockerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter(line => /^[A-Z]/.test(line));
  const of = (word: string) =>
    lines.filter(line => line.startsWith(`${word} `)).map(line => line.slice(word.length + 1));

  test('is made in stages from one release of Node, which longhaul takes', () => {
    const bases = of('FROM').map(from => from.split(' ')[0]!);
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/^node:2[02]\.\d+\.\d+-bookworm-slim$/);
  });

  test('copies what there is, of which nothing is kept from it', () => {
    const ignored = text(CONTAINERS, 'Dockerfile.dockerignore').split('\n');
    const names = readdirSync(ROOT);
    const copied = of('COPY')
      .filter(line => !line.startsWith('--from'))
      .flatMap(line => line.split(' ').slice(0, -1));
    for (const name of copied) {
      expect(names).toContain(name);
      expect(ignored).toContain(`!${name}`);
    }
  });

  test('runs longhaul, as a user without rights', () => {
    expect(of('USER')).toEqual(['1000:1000']);
    expect(of('ENTRYPOINT')).toEqual(['["longhaul"]']);
    expect(lines.findIndex(line => line.startsWith('USER'))).toBeGreaterThan(
      lines.findLastIndex(line => line.startsWith('COPY')),
    );
  });
});
