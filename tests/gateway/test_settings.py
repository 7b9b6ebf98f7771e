import os
from pathlib import Path
from typing import Any

import pytest

from gateway.app import create_app
from gateway.settings import BadSetting, Settings, describe

DOCS = Path(__file__).parents[2] / "docs"


def read(**environment: str) -> Settings:
    return Settings.from_environment({f"KARYAKSHAM_{name}": value for name, value in environment.items()})


def test_every_kind_of_setting_is_read() -> None:
    settings = read(
        PORT="9000",
        DEVELOPMENT="true",
        DATA_ROOTS=f"/a{os.pathsep}/b",
        ALLOWED_ORIGINS="https://a, https://b",
        RAY_NUM_CPUS="",
        RAY_ADDRESS="ray://x",
        DATA_DIR="/somewhere",
    )
    assert settings.port == 9000 and settings.development is True
    assert settings.data_roots == (Path("/a"), Path("/b"))
    assert settings.allowed_origins == ("https://a", "https://b")
    assert settings.ray_num_cpus is None and settings.ray_address == "ray://x"
    assert settings.root == Path("/somewhere")


@pytest.mark.parametrize(
    "environment",
    [
        {"PORT": "many"},
        {"PORT": "-1"},
        {"DEVELOPMENT": "perhaps"},
        {"SECRET_KEY": "short"},
        {"DATABASE_URL": "mysql://x"},
        {"REDIS_URL": "http://x"},
        {"DATABASE_URL": "postgres://localhost/x"},
        {"LOG_FORMAT": "xml"},
        {"DATA_BUCKETS": "http://host/bucket"},
        {"OBJECT_ACCESS_KEY_ID": "alone"},
    ],
)
def test_what_can_not_be_read_names_its_setting(environment: dict[str, str]) -> None:
    with pytest.raises(BadSetting, match="KARYAKSHAM_"):
        read(**environment)


def test_object_storage_is_handed_on_and_never_shown() -> None:
    settings = read(
        DATA_BUCKETS="s3://a/b, gs://c",
        OBJECT_ENDPOINT="http://minio:9000",
        OBJECT_ACCESS_KEY_ID="id",
        OBJECT_SECRET_ACCESS_KEY="swordfish",
        OBJECT_PATH_STYLE="0",
    )
    assert settings.data_buckets == ("s3://a/b", "gs://c")
    assert settings.objects == {
        "endpoint": "http://minio:9000",
        "region": None,
        "access_key_id": "id",
        "secret_access_key": "swordfish",
        "session_token": None,
        "path_style": False,
    }
    assert "swordfish" not in repr(settings)


def test_overrides_win() -> None:
    assert Settings.from_environment({"KARYAKSHAM_PORT": "1"}, port=2).port == 2


def test_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    first = Settings.from_environment({}, data_dir=tmp_path).prepare()
    second = Settings.from_environment({}, data_dir=tmp_path).prepare()
    assert first.secret_key == second.secret_key and len(first.secret_key) >= 32


def test_damaged_secret_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("short")
    with pytest.raises(BadSetting, match="damaged"):
        Settings.from_environment({}, data_dir=tmp_path).prepare()


def test_every_setting_has_unit_and_reason_and_is_in_the_docs() -> None:
    documented = (DOCS / "setup" / "settings.md").read_text()
    for name, unit, _, reason in describe():
        assert unit and reason.endswith(".")
        assert f"`{name}`" in documented, "run `make schema`"


@pytest.mark.parametrize(
    ("given", "runs_jobs"),
    [
        ({}, True),
        ({"dispatcher": False}, False),
        ({"database_url": "postgres://nobody@127.0.0.1:1/none"}, False),
    ],
)
def test_who_runs_the_jobs_is_a_setting(given: dict[str, Any], runs_jobs: bool, tmp_path: Path) -> None:
    settings = Settings.from_environment({}, data_dir=tmp_path, secret_key="x" * 40, **given)
    assert (create_app(settings).state.dispatcher is not None) is runs_jobs
