"""The client of an S3-compatible store: address, credentials, and errors as one clear line."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from diffusion import OutputError, SettingError
from pipelines.folders.manifest import names_artifact

CREDENTIALS_BELONG = "credentials belong into the environment or the AWS files"

_REFUSED = {
    "403", "AccessDenied", "AuthorizationHeaderMalformed", "ExpiredToken", "Forbidden", "InvalidAccessKeyId",
    "InvalidToken", "SignatureDoesNotMatch", "Unauthorized",
}  # fmt: skip
_ABSENT = {"404", "NoSuchKey", "NotFound"}
_WITHOUT_CREDENTIALS = re.compile(r"Credential|Profile|SSO|Token|Login|MFA")


@dataclass(frozen=True, slots=True)
class Address:
    """Address of a folder in a store."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def key(self, name: str) -> str:
        """Return the key of a file in the folder."""
        return f"{self.prefix}/{name}" if self.prefix else name


def parse_address(remote: str) -> Address:
    """Return the bucket and prefix of ``s3://BUCKET/PREFIX``.

    Raises
    ------
    SettingError
        When the address has another form, or has credentials, which the message does not repeat.

    Examples
    --------
    >>> parse_address("s3://charts/study/raw/")
    Address(bucket='charts', prefix='study/raw')
    """
    scheme, _, rest = remote.partition("://")
    bucket, _, prefix = rest.partition("/")
    prefix = prefix.strip("/")
    if "@" in remote or ":" in rest or "?" in remote:
        raise SettingError(
            f"the address of the store holds more than s3://BUCKET/PREFIX; {CREDENTIALS_BELONG}, "
            "the server into --endpoint-url"
        )
    if scheme != "s3" or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]", bucket):
        raise SettingError(f"'{remote}' is not of the form s3://BUCKET/PREFIX")
    if prefix and not names_artifact(prefix):
        raise SettingError(f"the prefix of '{remote}' is not a plain path; name another one")
    return Address(bucket, prefix)


def open_client(address: Address, endpoint_url: str | None, *, connections: int) -> Any:
    """Return a client with the credentials of the environment or the AWS files.

    Parameters
    ----------
    endpoint_url
        Address of the server if it is not AWS (default: from ``AWS_ENDPOINT_URL_S3``, ``AWS_ENDPOINT_URL`` or the AWS
        files).
    connections
        Most requests at the same time.

    Raises
    ------
    SettingError
        When the client is not installed, or the endpoint is not a server or has credentials, which the message does not
        repeat.
    """
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise SettingError("sync needs the extra [s3]: pip install 'chart-diffusion[s3]'") from error
    endpoint = endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None
    if endpoint:
        _check_endpoint(endpoint)
    config = Config(
        connect_timeout=10,
        retries={"mode": "standard"},
        max_pool_connections=connections,
        s3={"addressing_style": "path" if endpoint else "auto"},
        # R2, and MinIO before 2025, support only the checksum Content-MD5
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with store_errors(address, "the store"):
        try:
            client = boto3.session.Session().client("s3", endpoint_url=endpoint, config=config)
        except ValueError as error:
            if type(error) is not ValueError:  # the client's own errors may be ValueErrors too
                raise
            raise SettingError("the endpoint that the AWS files name is not of the form https://SERVER") from None
    _check_endpoint(client.meta.endpoint_url)
    return client


def server_of(client: Any) -> str:
    """Return the client's server, without credentials, for messages."""
    return str(urlsplit(client.meta.endpoint_url).netloc).rpartition("@")[2]


@contextmanager
def store_errors(address: Address, server: str, *, absent_is_fine: bool = False) -> Iterator[None]:
    """Raise each error of the client as one clear line without credentials.

    Raises
    ------
    OutputError
        When the store cannot be reached or refuses.
    SettingError
        When there are no credentials.
    """
    from boto3.exceptions import Boto3Error, RetriesExceededError
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
    from botocore.exceptions import ConnectionError as Unreachable
    from botocore.exceptions import ParamValidationError as WrongParameter

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "an unknown error"))
        if code not in _ABSENT or not absent_is_fine:
            raise OutputError(_answer(address, server, code)) from None
    except (HTTPClientError, Unreachable, IncompleteReadError, RetriesExceededError) as error:
        kind = type(error).__name__
        raise OutputError(f"cannot reach {server} for '{address}' ({kind}); try again when it can be reached") from None
    except WrongParameter:
        raise SettingError(f"'{address}' cannot be the address of a folder in a store; name another one") from None
    except (BotoCoreError, Boto3Error) as error:
        kind = type(error).__name__
        if _WITHOUT_CREDENTIALS.search(kind):
            raise SettingError(
                f"no usable credentials for '{address}' ({kind}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or AWS_PROFILE for the AWS files"
            ) from None
        raise OutputError(f"{server} cannot be used for '{address}' ({kind}); check the AWS settings") from None


def _answer(address: Address, server: str, code: str) -> str:
    if code == "NoSuchBucket":
        return f"no bucket '{address.bucket}' at {server}; make it first, or name another one"
    if code in _REFUSED:
        return f"{server} refuses the credentials for '{address}' ({code}); check them and their rights"
    return f"{server} answers {code} for '{address}'; try again, or check the address"


def _check_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise SettingError(f"the endpoint holds more than https://SERVER; {CREDENTIALS_BELONG}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingError(f"the endpoint '{endpoint}' is not of the form https://SERVER")
