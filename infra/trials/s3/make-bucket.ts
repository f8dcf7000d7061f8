/** A bucket on a server of one's own. */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

export async function makeBucket(url: string, keys: { id: string; secret: string }, name: string): Promise<void> {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const credentials = { accessKeyId: keys.id, secretAccessKey: keys.secret };
  const client = new S3Client({ endpoint: url, region: 'us-east-1', forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: name }));
  client.destroy();
}
