"""A real S3 service for tests: the object gateway of Ceph on this machine, and a client that is not ours.

One monitor, one store in memory and one gateway; all of it is gone at the end. Nothing is mocked: signatures, ETags,
conditional requests and multipart uploads are those of a service that people run.
"""

import hashlib
import hmac
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import httpx

from karyaksham_engine.types import StorageOptions

PROGRAMS = ("radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-osd", "ceph-authtool", "monmaptool")
START_DEADLINE_S = 120.0
STOP_DEADLINE_S = 20.0
POLL_S = 0.2
STORE_BYTES = 4 << 30
CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon},v1:127.0.0.1:{mon_v1}]
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms client mode = crc
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data = {folder}/mon
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = {store_bytes}
keyring = {folder}/keyring
run dir = {folder}
log file = {folder}/$name.log
admin socket = {folder}/$name.asok
pid file = {folder}/$name.pid
public addr = 127.0.0.1
cluster addr = 127.0.0.1
"""


@dataclass(frozen=True)
class S3:
    """A service and the keys of one user: what a test needs to prepare objects and to look at them."""

    endpoint: str
    access_key_id: str = "testing"
    secret_access_key: str = "testing-secret"

    @property
    def options(self) -> StorageOptions:
        return {
            "endpoint": self.endpoint,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
        }

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }

    def bucket(self) -> str:
        """A new one."""
        name = f"test-{secrets.token_hex(6)}"
        self.ask("PUT", f"/{name}")
        return name

    def put(self, uri: str, content: bytes) -> str:
        """Write an object; its ETag."""
        return self.ask("PUT", _path(uri), content=content).headers["etag"]

    def get(self, uri: str) -> bytes:
        return self.ask("GET", _path(uri)).content

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        answer = self.ask("GET", f"/{bucket}", {"list-type": "2", "prefix": prefix})
        return _texts(answer, "Key")

    def uploads(self, bucket: str) -> list[str]:
        """The keys of multipart uploads that were neither completed nor aborted."""
        return _texts(self.ask("GET", f"/{bucket}", {"uploads": ""}), "Key")

    def ask(
        self, method: str, path: str, query: dict[str, str] | None = None, content: bytes = b""
    ) -> httpx.Response:
        """One request, signed as Amazon describes in "Signature Version 4"; fails unless it succeeds."""
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(content).hexdigest()
        headers = {
            "host": urlsplit(self.endpoint).netloc,
            "x-amz-content-sha256": digest,
            "x-amz-date": at,
        }
        pairs = "&".join(f"{quote(k, '')}={quote(v, '')}" for k, v in sorted((query or {}).items()))
        signed = ";".join(headers)
        canonical = [
            method,
            quote(path),
            pairs,
            *(f"{k}:{v}" for k, v in headers.items()),
            "",
            signed,
            digest,
        ]
        scope = f"{at[:8]}/us-east-1/s3/aws4_request"
        hashed = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
        key = f"AWS4{self.secret_access_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashed}".encode(), "sha256").hexdigest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key_id}/{scope}, "
            f"SignedHeaders={signed}, Signature={signature}"
        )
        url = f"{self.endpoint}{quote(path)}" + (f"?{pairs}" if pairs else "")
        answer = httpx.request(method, url, headers=headers, content=content, timeout=60)
        answer.raise_for_status()
        return answer


@contextmanager
def running() -> Iterator[S3]:
    """The service, up and ready. Its daemons end with the block."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    assert not missing, f"{missing[0]} of Ceph is missing; deploy/debian-packages.sh installs it"
    with tempfile.TemporaryDirectory(prefix="rgw-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        daemons: list[subprocess.Popen[bytes]] = []
        try:
            yield _start(folder, daemons)
        finally:
            for daemon in reversed(daemons):
                daemon.terminate()
            for daemon in reversed(daemons):
                try:
                    daemon.wait(STOP_DEADLINE_S)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()


def _start(folder: Path, daemons: list[subprocess.Popen[bytes]]) -> S3:
    port, mon, mon_v1 = free_ports(3)
    fsid = str(uuid.uuid4())
    configuration = folder / "ceph.conf"
    configuration.write_text(
        CONFIGURATION.format(fsid=fsid, mon=mon, mon_v1=mon_v1, folder=folder, store_bytes=STORE_BYTES)
    )
    for name in ("mon", "osd"):
        (folder / name).mkdir()

    def run(program: str, *arguments: str, own: bool = True) -> str:
        command = [program, *(("-c", str(configuration)) if own else ()), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=START_DEADLINE_S)
        assert done.returncode == 0, f"{program}: {done.stderr[-2000:]}"
        return done.stdout.strip()

    def daemon(program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (folder / f"{program}.out").open("wb") as out:
            command = [program, "-c", str(configuration), *arguments]
            started = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
        daemons.append(started)
        return started

    keys = [
        "ceph-authtool",
        "--create-keyring",
        "keyring",
        "--gen-key",
        "-n",
        "mon.",
        "--cap",
        "mon",
        "allow *",
    ]
    run(*keys, own=False)
    caps = [word for kind in ("mon", "osd", "mgr") for word in ("--cap", kind, "allow *")]
    run("ceph-authtool", "keyring", "--gen-key", "-n", "client.admin", *caps, own=False)
    addresses = f"[v2:127.0.0.1:{mon},v1:127.0.0.1:{mon_v1}]"
    run("monmaptool", "--create", "--addv", "a", addresses, "--fsid", fsid, "monmap", own=False)
    run("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "keyring")
    daemon("ceph-mon", "-i", "a", "-f")
    number = run("ceph", "--connect-timeout", "60", "osd", "create")
    run("ceph-osd", "-i", number, "--mkfs", "--osd-uuid", str(uuid.uuid4()))
    daemon("ceph-osd", "-i", number, "-f")
    run("ceph", "osd", "crush", "add", f"osd.{number}", "1.0", "root=default", "host=h")
    service = S3(f"http://127.0.0.1:{port}")
    names = ["--uid", "t", "--display-name", "t"]
    pair = ["--access-key", service.access_key_id, "--secret", service.secret_access_key]
    run("radosgw-admin", "user", "create", *names, *pair)
    frontend = f"beast endpoint=127.0.0.1:{port}"
    gateway = daemon("radosgw", "-n", "client.admin", "--rgw_frontends", frontend, "-f")
    deadline = time.monotonic() + START_DEADLINE_S
    while not _answers(service.endpoint):
        assert gateway.poll() is None, (folder / "radosgw.out").read_text()
        assert time.monotonic() < deadline, "the object gateway did not come up"
        time.sleep(POLL_S)
    return service


def _answers(endpoint: str) -> bool:
    try:
        return httpx.get(endpoint, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def free_ports(count: int) -> list[int]:
    """Of this machine, different ones."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def _path(uri: str) -> str:
    return "/" + uri.removeprefix("s3://")


def _texts(answer: httpx.Response, name: str) -> list[str]:
    root = ElementTree.fromstring(answer.content)  # noqa: S314 -- of our own service
    return [element.text or "" for element in root.iter() if element.tag.rpartition("}")[2] == name]
