/** Flags for a store in a bucket. */
import { type Command, Option } from 'commander';
import { checkSettings, type ObjectSettings, SSE } from '../../activities/store/index.js';
import { BUCKET_FLAGS } from '../local/bucket-flags.js';
import { UserError } from '../user-error.js';

const GROUP = 'Store in a bucket (credentials as every AWS tool finds them: AWS_ACCESS_KEY_ID, AWS_PROFILE, …):';

export interface S3Flags {
  endpointUrl?: string;
  region?: string;
  pathStyle?: string;
}

/** The flags of whatever opens a store. */
export function withS3Flags(command: Command): Command {
  for (const { flag, value, description, variable, passedAs } of BUCKET_FLAGS) {
    const option = new Option(`${flag} ${value}`, description).helpGroup(GROUP).argParser((typed: string) => {
      process.env[variable] = passedAs(typed);
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
