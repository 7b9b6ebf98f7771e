"""The command line on objects: as on files, with the environment variables that other tools read."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import objects
from karyaksham_engine.errors import InvalidJob
from tests.rgw import S3

CSV = b'id,city\n1,"New\nYork"\n2,Pune\n3,Oslo\n'


def karyaksham(s3: S3, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=cwd,
        env=os.environ | s3.environment | {"PYTHONPATH": str(Path(__file__).parents[2])} | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def cities(s3: S3, bucket: str) -> str:
    uri = f"s3://{bucket}/geo/cities.csv"
    s3.put(uri, CSV)
    return uri


def test_every_local_command_takes_objects(s3: S3, cities: str, tmp_path: Path) -> None:
    done = karyaksham(s3, "run", "SELECT city FROM cities WHERE id < 3", cities, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, 'city\n"New\nYork"\nPune\n'), done.stderr
    (tmp_path / "local.csv").write_text("id,score\n1,10\n3,30\n")
    joined = ("--input", f"c={cities}", "--input", "s=local.csv")
    done = karyaksham(s3, "run", "SELECT city, score FROM c JOIN s USING (id)", *joined, cwd=tmp_path)
    assert sorted(done.stdout.splitlines()) == sorted(["city,score", '"New', 'York",10', "Oslo,30"])
    found = json.loads(karyaksham(s3, "inspect", cities, "--json", cwd=tmp_path).stdout)
    assert (found["format"], found["size_bytes"]) == ("csv", len(CSV))
    assert "Pune" in karyaksham(s3, "preview", cities, cwd=tmp_path).stdout
    profiled = json.loads(karyaksham(s3, "profile", cities, "--json", cwd=tmp_path).stdout)
    assert [column["count"] for column in profiled] == [3, 3]
    folder = cities.rpartition("/")[0]
    done = karyaksham(s3, "run", "SELECT count(*) AS n FROM input", f"{folder}/*.csv", cwd=tmp_path)
    assert done.stdout == "n\n3\n"


def test_results_and_rejects_are_objects(s3: S3, cities: str, tmp_path: Path) -> None:
    s3.put(cities, CSV + b'4,"A"b\n')
    folder = cities.rpartition("/")[0]
    options = ("-o", f"{folder}/out.ndjson.gz", "--bad-rows", "reject", "--rejects", f"{folder}/rejects.csv")
    done = karyaksham(s3, "run", "SELECT id FROM cities", cities, *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    lines = gzip.decompress(s3.get(f"{folder}/out.ndjson.gz")).splitlines()
    assert [json.loads(line)["id"] for line in lines] == [1, 2, 3]
    assert b"INVALID_QUOTE" in s3.get(f"{folder}/rejects.csv")
    s3.put(cities, CSV)
    parts = ("-o", f"{folder}/by-id", "--partition-by", "id")
    assert karyaksham(s3, "run", "SELECT * FROM cities", cities, *parts, cwd=tmp_path).returncode == 0
    done = karyaksham(s3, "run", "SELECT city FROM input WHERE id = 2", f"{folder}/by-id", cwd=tmp_path)
    assert done.stdout == "city\nPune\n", done.stderr


def test_tasks_on_ray_read_and_write_objects(s3: S3, cities: str, tmp_path: Path) -> None:
    target = f"{cities}.sum"
    query = ("SELECT sum(id) AS s FROM cities", cities, "-o", target)
    done = karyaksham(s3, "run", "--ray", *query, cwd=tmp_path)
    assert (done.returncode, s3.get(target)) == (0, b"s\n6\n"), done.stderr


def test_what_is_wrong_is_said_in_a_sentence(s3: S3, cities: str, tmp_path: Path) -> None:
    done = karyaksham(s3, "inspect", f"{cities}x", cwd=tmp_path)
    assert (done.returncode, f"There is no object {cities}x." in done.stderr) == (5, True)
    done = karyaksham(s3, "inspect", cities, cwd=tmp_path, AWS_SECRET_ACCESS_KEY="swordfish")
    assert (done.returncode, "[ACCESS_DENIED]" in done.stderr) == (5, True)
    assert "swordfish" not in done.stdout + done.stderr


def test_variables_are_those_of_other_tools(tmp_path: Path) -> None:
    environment = {
        "AWS_ENDPOINT_URL": "http://one",
        "AWS_ENDPOINT_URL_S3": "http://two",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
    }
    found = objects.storage(["a.csv", "s3://b/c"], environment)
    assert found is not None
    assert (found["endpoint"], found["region"], found["session_token"]) == (
        "http://two",
        "eu-central-1",
        "token",
    )
    assert objects.storage(["a.csv", None], environment) is None
    (tmp_path / "key.json").write_text('{"type": "service_account"}')
    found = objects.storage(["gs://b/c"], {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json")})
    assert found is not None and found["service_account"] == '{"type": "service_account"}'
    with pytest.raises(InvalidJob):
        objects.storage(["gs://b/c"], {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "none.json")})
