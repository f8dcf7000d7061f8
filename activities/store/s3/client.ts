/** The client of a bucket: endpoint, region and credentials are found by it as by every AWS tool; this adds what that leaves open. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

/** A server that says nothing for so long is not there. */
const SILENCE_MS = 60_000;

export function createClient(environment: NodeJS.ProcessEnv): S3Client {
  // It warns of versions of Node that later versions of it will not take: nothing for whoever runs this one.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return new S3Client(clientSettings(environment));
}

function clientSettings(environment: NodeJS.ProcessEnv): S3ClientConfig {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL;
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || (endpoint ? 'us-east-1' : undefined);
  return {
    ...(region && { region }),
    // Servers of one's own seldom have a host name for each bucket.
    forcePathStyle: environment.LONGHAUL_S3_PATH_STYLE ? environment.LONGHAUL_S3_PATH_STYLE !== '0' : Boolean(endpoint),
    // What is read is checked by its SHA-256, and damage is the store's to tell: the client would only fail.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 10_000, socketTimeout: SILENCE_MS },
  };
}
