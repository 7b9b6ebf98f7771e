"""Object storage for local commands: how it is reached, from the environment variables that other tools read.

They are read here, once, and handed on as values; neither the engine nor a worker looks at its environment, and workers
of Ray do not inherit them (`compute.cluster`).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from compute.objects import is_object
from karyaksham_engine.errors import InvalidJob
from karyaksham_engine.types import StorageOptions


def storage(paths: Iterable[str | None], environment: Mapping[str, str]) -> StorageOptions | None:
    """How the objects among `paths` are reached; None where all are local files. Raises InvalidJob."""
    if not any(path and is_object(path) for path in paths):
        return None

    def given(*names: str) -> str | None:
        return next((environment[name] for name in names if environment.get(name)), None)

    account = given("GOOGLE_APPLICATION_CREDENTIALS")
    return {
        "endpoint": given("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        "region": given("AWS_REGION", "AWS_DEFAULT_REGION"),
        "access_key_id": given("AWS_ACCESS_KEY_ID"),
        "secret_access_key": given("AWS_SECRET_ACCESS_KEY"),
        "session_token": given("AWS_SESSION_TOKEN"),
        "service_account": None if account is None else _text(account),
    }


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError):
        raise InvalidJob(
            "INVALID_STORAGE",
            "The file that GOOGLE_APPLICATION_CREDENTIALS names can't be read.",
            "Set it to the JSON file of a service account's key, or unset it.",
        ) from None
