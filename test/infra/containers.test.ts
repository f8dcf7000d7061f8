/** The image, the compose file and the Kubernetes files: what they name is there, and what they run is what longhaul takes. */
import { readdirSync, readFileSync } from 'node:fs';
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
const manifests: Json[] = readdirSync(KUBERNETES)
  .filter(file => file !== 'kustomization.yaml')
  .flatMap(file => parseAllDocuments(text(KUBERNETES, file)).map(document => ({ file, ...document.toJS() })));
const kustomization: Json = parse(text(KUBERNETES, 'kustomization.yaml'));

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
  expect(kustomization.images).toEqual([{ name: IMAGE, newName: IMAGE, newTag: version }]);
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

test('addresses lead to services, and to ports that something listens on', () => {
  const told = (words: string[]): number[] =>
    words.flatMap(word => [...(/^--(?:\w+-)*port=(?::)?(\d+)$/.exec(word)?.slice(1) ?? [])]).map(Number);
  const defaults: Record<string, number> = { prometheus: 9090, grafana: 3000 };
  const composed = new Map(
    Object.entries<Json>(compose.services).map(([name, { command }]) => [
      name,
      [...told(command ?? []), defaults[name]],
    ]),
  );
  const served = new Map(
    ofKind('Service').map(({ metadata, spec }) => [metadata.name, spec.ports.map((p: Json) => p.port)]),
  );
  const config = (file: string): string => text(CONTAINERS, file);
  const addresses = (where: string[]) => where.flatMap(value => ADDRESS.exec(value)?.slice(1, 3).join(':') ?? []);
  const files = ['prometheus.yaml', 'grafana-sources.yaml'].flatMap(file => config(file).split('\n'));
  const inCompose = addresses([...IN_COMPOSE.flatMap(({ environment }) => Object.values(environment)), ...files]);
  const inKubernetes = addresses(
    ofKind('ConfigMap').flatMap(({ data }) => Object.values<string>(data).join('\n').split('\n')),
  );
  expect(new Set(inCompose)).toEqual(new Set(['temporal:7233', 's3:7070', 'temporal:9233', 'prometheus:9090']));
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
      const listening = told(pod.containers[0].args ?? []);
      if (listening.length > 0) expect(listening).toContain(port);
    }
  }
});

test('what is the same in both says the same', () => {
  const { data } = ofKind('ConfigMap').find(({ metadata }) => metadata.name === 'prometheus')!;
  expect(parse(data['prometheus.yaml'])).toEqual(parse(text(CONTAINERS, 'prometheus.yaml')));
  const sources = ofKind('ConfigMap').find(({ metadata }) => metadata.name === 'grafana-sources')!;
  expect(parse(sources.data['longhaul.yaml'])).toEqual(parse(text(CONTAINERS, 'grafana-sources.yaml')));
  for (const name of ['TEMPORAL_ADDRESS', 'LONGHAUL_STORE', 'AWS_ENDPOINT_URL_S3'])
    expect(compose.services.cpu.environment[name]).toBe(settings[name]);
});

test('every manifest is applied, selects its own pods, and runs as nobody in particular, within bounds', () => {
  const files = readdirSync(KUBERNETES).filter(file => file !== 'kustomization.yaml');
  expect([...kustomization.resources].sort()).toEqual(files.sort());
  const maps = ofKind('ConfigMap').map(({ metadata }) => metadata.name);
  for (const { kind, spec, pod } of podsOf()) {
    if (kind !== 'Job') expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels);
    expect(pod.securityContext.runAsNonRoot).toBe(true);
    for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
      expect(container.securityContext).toEqual({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
      expect(container.resources).toEqual({ requests: expect.anything(), limits: { memory: expect.any(String) } });
      for (const { configMapRef, secretRef } of container.envFrom ?? []) {
        if (configMapRef) expect(maps).toContain(configMapRef.name);
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
