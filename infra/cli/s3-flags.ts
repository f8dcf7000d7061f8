/**
 * Flags for a store in a bucket. What they say is said to the client, and to the processes that are started, by the variables
 * that every AWS tool takes.
 */
import { type Command, Option } from 'commander';
import { checkSettings, type ObjectSettings, SSE } from '../../activities/store/index.js';
import { UserError } from '../user-error.js';

const GROUP = 'Store in a bucket (credentials as every AWS tool finds them: AWS_ACCESS_KEY_ID, AWS_PROFILE, …):';

interface S3Flag {
  flags: string;
  description: string;
  variable: string;
  /** What the variable is set to; throws UserError for what it cannot be. */
  valueFrom: (typed: string) => string;
}

const FLAGS: readonly S3Flag[] = [
  {
    flags: '--endpoint-url <url>',
    description: 'server, if not AWS itself (or AWS_ENDPOINT_URL_S3)',
    variable: 'AWS_ENDPOINT_URL_S3',
    valueFrom: typed => {
      if (!/^https?:\/\/[^/]+/.test(typed))
        throw new UserError(`--endpoint-url ${typed}: expected http://… or https://…`);
      return typed;
    },
  },
  {
    flags: '--region <region>',
    description: 'region of the bucket (or AWS_REGION)',
    variable: 'AWS_REGION',
    valueFrom: typed => typed,
  },
  {
    flags: '--path-style <on|off>',
    description: 'bucket in the path or the host name of an address (default: on with an endpoint, off without)',
    variable: 'LONGHAUL_S3_PATH_STYLE',
    valueFrom: typed => {
      if (typed !== 'on' && typed !== 'off') throw new UserError(`--path-style ${typed}: expected on or off`);
      return typed === 'on' ? '1' : '0';
    },
  },
];

export interface S3Flags {
  endpointUrl?: string;
  region?: string;
  pathStyle?: string;
}

/** The flags of whatever opens a store. */
export function withS3Flags(command: Command): Command {
  for (const { flags, description, variable, valueFrom } of FLAGS) {
    const option = new Option(flags, description).helpGroup(GROUP).argParser((typed: string) => {
      process.env[variable] = valueFrom(typed);
      return typed;
    });
    command.addOption(option);
  }
  return command;
}

export interface ObjectFlags {
  sse?: string;
  sseKmsKeyId?: string;
  storageClass?: string;
}

/** The flags of whatever makes a store: it keeps them, and all who write there go by them. */
export function withObjectFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--sse <how>', 'have the server encrypt what is written from now on').choices(SSE).helpGroup(GROUP),
    )
    .addOption(new Option('--sse-kms-key-id <key>', 'with this KMS key, its id or ARN').helpGroup(GROUP))
    .addOption(new Option('--storage-class <class>', 'class of storage, e.g. STANDARD_IA').helpGroup(GROUP));
}

/** @throws UserError for what cannot be, and for a store that is no bucket's */
export function objectSettingsOf(root: string, { sse, sseKmsKeyId, storageClass }: ObjectFlags): ObjectSettings {
  const settings = { ...(sse && { sse }), ...(sseKmsKeyId && { sseKmsKeyId }), ...(storageClass && { storageClass }) };
  if (Object.keys(settings).length > 0 && !root.startsWith('s3://'))
    throw new UserError(
      `--sse, --sse-kms-key-id and --storage-class are for s3://BUCKET/PREFIX, and ${root} is a folder.`,
    );
  try {
    checkSettings(settings);
  } catch (error) {
    throw new UserError((error as Error).message);
  }
  return settings;
}
