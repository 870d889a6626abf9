"""A vault in an S3-compatible store, through boto3, which is loaded only when a setting asks for it."""

from collections.abc import Iterator
from contextlib import closing
from typing import IO, Any

from planwerk.files.stored import CHUNK_BYTES, Missing, Stored, check, check_environment

ABSENT = ("404", "NoSuchKey", "NotFound")  # S3 answers HEAD with the bare status, for want of a body


class Bucket:
    """Files are objects of one bucket, their keys after a prefix. `client` is an S3 client of boto3, or what acts like one."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self.client = client
        self.bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def place(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.prefix + check(key)}

    def put(self, key: str, content: IO[bytes], size_bytes: int, content_type: str) -> None:
        # One request, not upload_fileobj: that closes the caller's file, and an upload is far below S3's 5 GiB.
        content.seek(0)
        self.client.put_object(**self.place(key), Body=content, ContentLength=size_bytes, ContentType=content_type)

    def stored(self, key: str) -> Stored:
        head = self.ask(self.client.head_object, key)
        return Stored(head["ContentLength"], head["ContentType"])

    def open(self, key: str) -> Iterator[bytes]:
        # Not `with body`: that would give the raw stream, which counts nothing and so misses a broken transfer.
        with closing(self.ask(self.client.get_object, key)["Body"]) as body:
            yield from body.iter_chunks(CHUNK_BYTES)

    def ask(self, method: Any, key: str) -> Any:
        try:
            return method(**self.place(key))
        except self.client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                raise Missing(key) from None
            raise

    def delete(self, key: str) -> None:
        self.client.delete_object(**self.place(key))

    def clear(self, environment_id: str) -> None:
        asked = {"Bucket": self.bucket, "Prefix": f"{self.prefix}{check_environment(environment_id)}/"}
        while found := self.client.list_objects_v2(**asked).get("Contents", ()):
            for item in found:
                self.client.delete_object(Bucket=self.bucket, Key=item["Key"])
            asked["StartAfter"] = found[-1]["Key"]

    def is_writable(self) -> bool:
        place = {"Bucket": self.bucket, "Key": f"{self.prefix}.writable"}
        try:
            self.client.put_object(**place, Body=b"?")
            self.client.delete_object(**place)
        except Exception:  # the network, the credentials, the store: each has exceptions of its own
            return False
        return True


def connect(endpoint: str) -> Any:
    """An S3 client with the credentials of the environment; raises ValueError when boto3 is not installed."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise ValueError("setting files: an address with s3:// needs the package boto3, install planwerk[s3]") from None
    # Stores other than Amazon's often refuse the checksums that boto3 adds by itself.
    config = Config(request_checksum_calculation="when_required", response_checksum_validation="when_required")
    return boto3.client("s3", endpoint_url=endpoint or None, config=config)
