#!/usr/bin/env bash
# The AWS SDK tells the client that won a create-only write that it lost, where the first answer does not arrive.
#
# Seen with: @aws-sdk/client-s3 3.1175.0 (npm), Node 20, against moto 5.2.5 (PyPI) behind a proxy that passes everything on
#            and drops the connection in place of the first answer to a PUT.
# Expected:  PutObject with IfNoneMatch "*" succeeds for who wrote the object, and fails with 412 for who did not.
# Seen:      the object is written, its answer is lost, the SDK asks again by itself (3 attempts are the default), and that
#            one finds the object there: PreconditionFailed, 412, with $metadata.attempts 2. The bytes that lie there are the
#            caller's own. Who takes 412 for "another was first" gives up a lock that it holds.
# Instead:   after 412 read the object and compare; write something of one's own (an id, a hash) into it.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${moto:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[server]==5.2.5'
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @aws-sdk/client-s3@3.1175.0
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/moto_server -H 127.0.0.1 -p "$port" >/dev/null 2>&1 &
moto=$!
cat > check.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

const port = Number(process.argv[2]);
let dropping = false;
let puts = 0;
const proxy = createServer((asked, answer) => {
  if (asked.method === 'PUT' && dropping) puts++;
  const drop = dropping && puts === 1;
  const { method, url: path, headers } = asked;
  const onward = request({ port, host: '127.0.0.1', method, path, headers }, given => {
    if (drop) return given.resume().on('end', () => asked.socket.destroy());
    answer.writeHead(given.statusCode, given.headers);
    given.pipe(answer);
  });
  onward.on('error', () => asked.socket.destroy());
  asked.pipe(onward);
});
await new Promise(listening => proxy.listen(0, '127.0.0.1', listening));
const client = new S3Client({
  endpoint: `http://127.0.0.1:${proxy.address().port}`,
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
});
for (let tries = 0; ; tries++) {
  try {
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    break;
  } catch (error) {
    if (tries > 60) throw error;
    await sleep(500);
  }
}
dropping = true;
const put = new PutObjectCommand({ Bucket: 'bucket', Key: 'lock', Body: 'mine', IfNoneMatch: '*' });
const failure = await client.send(put).then(() => null, error => error);
const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'lock' }));
const content = await Body.transformToString();
console.log(`PutObject, IfNoneMatch "*": ${failure?.name} ${failure?.$metadata.httpStatusCode},`, `attempts ${failure?.$metadata.attempts}`);
console.log(`the object: ${JSON.stringify(content)}; PUTs that arrived: ${puts}`);
assert.equal(failure?.name, 'PreconditionFailed');
assert.equal(failure.$metadata.attempts, 2);
assert.equal(content, 'mine');
process.exit(0);
JAVASCRIPT
node --no-warnings check.mjs "$port"
