/**
 * Where a bucket's server is, as a flag says it and as a variable does. Flags are passed on by variables: to the client, and to
 * the processes that are started.
 */
import { UserError } from '../user-error.js';

interface BucketFlag {
  flag: string;
  /** What stands behind it, in help. */
  value: string;
  description: string;
  variable: string;
  /** The variable's value; throws UserError for what it cannot be. */
  passedAs: (typed: string) => string;
  typedAs: (value: string) => string;
}

const asTyped = (text: string): string => text;

/** With the variables that every AWS tool takes, and one of our own. */
export const BUCKET_FLAGS: readonly BucketFlag[] = [
  {
    flag: '--endpoint-url',
    value: '<url>',
    description: 'server, if not AWS itself (or AWS_ENDPOINT_URL_S3)',
    variable: 'AWS_ENDPOINT_URL_S3',
    passedAs: typed => {
      if (!/^https?:\/\/[^/]+/.test(typed))
        throw new UserError(`--endpoint-url ${typed}: expected http://… or https://…`);
      return typed;
    },
    typedAs: asTyped,
  },
  {
    flag: '--region',
    value: '<region>',
    description: 'region of the bucket (or AWS_REGION)',
    variable: 'AWS_REGION',
    passedAs: asTyped,
    typedAs: asTyped,
  },
  {
    flag: '--path-style',
    value: '<on|off>',
    description: 'bucket in the path or the host name of an address (default: on with an endpoint, off without)',
    variable: 'LONGHAUL_S3_PATH_STYLE',
    passedAs: typed => {
      if (typed !== 'on' && typed !== 'off') throw new UserError(`--path-style ${typed}: expected on or off`);
      return typed === 'on' ? '1' : '0';
    },
    typedAs: value => (value === '0' ? 'off' : 'on'),
  },
];

/** The flags that say what these variables do. */
export function bucketFlagsIn(environment: NodeJS.ProcessEnv): string[] {
  return BUCKET_FLAGS.flatMap(({ flag, variable, typedAs }) => {
    const value = environment[variable];
    return value ? [flag, typedAs(value)] : [];
  });
}
