/**
 * Where a bucket's server is, as a flag says it and as a variable does. Flags are passed on by variables: to the client, and to
 * the processes that are started.
 */
import { UserError } from '../user-error.js';

interface BucketVariable {
  flag: string;
  variable: string;
  /** The variable's value; throws UserError for what it cannot be. */
  passedAs: (typed: string) => string;
  typedAs: (value: string) => string;
}

const asTyped = (text: string): string => text;

/** Those that every AWS tool takes, and one of our own. */
export const BUCKET_VARIABLES = {
  endpointUrl: {
    flag: '--endpoint-url',
    variable: 'AWS_ENDPOINT_URL_S3',
    passedAs: typed => {
      if (!/^https?:\/\/[^/]+/.test(typed))
        throw new UserError(`--endpoint-url ${typed}: expected http://… or https://…`);
      return typed;
    },
    typedAs: asTyped,
  },
  region: { flag: '--region', variable: 'AWS_REGION', passedAs: asTyped, typedAs: asTyped },
  pathStyle: {
    flag: '--path-style',
    variable: 'LONGHAUL_S3_PATH_STYLE',
    passedAs: typed => {
      if (typed !== 'on' && typed !== 'off') throw new UserError(`--path-style ${typed}: expected on or off`);
      return typed === 'on' ? '1' : '0';
    },
    typedAs: value => (value === '0' ? 'off' : 'on'),
  },
} satisfies Record<string, BucketVariable>;

/** The flags that say what this process's variables do. */
export function bucketFlags(environment: NodeJS.ProcessEnv = process.env): string[] {
  return Object.values<BucketVariable>(BUCKET_VARIABLES).flatMap(({ flag, variable, typedAs }) => {
    const value = environment[variable];
    return value ? [flag, typedAs(value)] : [];
  });
}
