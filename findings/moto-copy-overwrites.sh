#!/usr/bin/env bash
# moto honours IfNoneMatch of PutObject and passes over that of CopyObject: a create-only copy overwrites.
#
# Seen with: moto 5.2.5, boto3 1.44.8 (PyPI).
# Expected:  as boto3's documentation of copy_object says of IfNoneMatch: the object is copied only if there is none of the
#            name, else 412.
# Seen:      put_object with IfNoneMatch "*" on an object that is there: 412. copy_object with it: 200, and the object is
#            another. So is a wrong ChecksumSHA256 of put_object taken. A test that passes here says nothing of either.
# Instead:   publish by PutObject; test conditional copies, and checksums, on a server that does them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[s3]==5.2.5' boto3==1.44.8
venv/bin/python - <<'PYTHON'
import base64
import hashlib

import boto3
import moto
from botocore.exceptions import ClientError

BUCKET = "bucket"


def status(call, **options):
    try:
        return call(Bucket=BUCKET, **options)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


with moto.mock_aws():
    s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="first", Body=b"first")
    s3.put_object(Bucket=BUCKET, Key="second", Body=b"second")
    put = status(s3.put_object, Key="first", Body=b"second", IfNoneMatch="*")
    kept = s3.get_object(Bucket=BUCKET, Key="first")["Body"].read()
    copied = status(s3.copy_object, Key="first", CopySource=f"{BUCKET}/second", IfNoneMatch="*")
    left = s3.get_object(Bucket=BUCKET, Key="first")["Body"].read()
    other = base64.b64encode(hashlib.sha256(b"another content").digest()).decode()
    unchecked = status(s3.put_object, Key="third", Body=b"third", ChecksumSHA256=other)
    print(f"moto {moto.__version__}")
    print(f"put_object, IfNoneMatch '*':  {put}, the object is {kept}")
    print(f"copy_object, IfNoneMatch '*': {copied}, the object is {left}")
    print(f"put_object with the checksum of another content: {unchecked}")
    assert (put, kept) == (412, b"first")
    assert (copied, left) == (200, b"second"), "the copy is conditional now"
    assert unchecked == 200, "the checksum is looked at now"
PYTHON
