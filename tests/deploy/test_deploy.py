"""What deploy/ says of the service is so. Whether its files are well formed is told by `make check`."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import describe

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
RULES = (DEPLOY / "prometheus" / "rules.yml").read_text()
RUNBOOKS = (ROOT / "docs" / "operations" / "alerts.md").read_text()
OWN = {"KARYAKSHAM_VERSION", "KARYAKSHAM_RAY_WAIT_S"}
"""Of compose.yaml and the entry point, not of the service."""
ENTRYPOINT = DEPLOY / "docker" / "entrypoint.sh"


def texts() -> list[Path]:
    kinds = ("*.yaml", "*.yml", "*.env", "*.sh", "Dockerfile")
    found = {path for kind in kinds for path in DEPLOY.rglob(kind) if "node_modules" not in path.parts}
    return sorted(found)


@pytest.mark.parametrize("path", texts(), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_setting_exists(path: Path) -> None:
    known = {name for name, *_ in describe()} | OWN
    named = set(re.findall(r"\bKARYAKSHAM_[A-Z_]*[A-Z]\b", path.read_text()))
    assert {name.removesuffix("_FILE") for name in named} - known - {"KARYAKSHAM"} == set()


def test_versions_are_those_of_this_tree() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    base = DEPLOY / "kubernetes" / "base"
    assert re.findall(r"newTag: (\S+)\}", (base / "kustomization.yaml").read_text()) == [version, version]
    ray = re.search(r"^ray==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert ray is not None
    assert f"rayVersion: {ray[1]}\n" in (base / "ray.yaml").read_text()
    maturin = re.search(r"^maturin==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert maturin is not None
    assert f" {maturin[0]} " in (DEPLOY / "docker" / "Dockerfile").read_text()


def test_every_alert_has_its_runbook() -> None:
    alerts = re.findall(r"- alert: (\w+)", RULES)
    assert len(alerts) > 5
    assert re.findall(r"^## (\w+)$", RUNBOOKS, re.MULTILINE) == alerts
    assert re.findall(r"runbook: docs/operations/alerts.md#(\w+)", RULES) == [name.lower() for name in alerts]


def expressions() -> str:
    boards: list[dict[str, Any]] = [json.loads(path.read_text()) for path in DASHBOARDS]
    of_panels = [
        target["expr"] for board in boards for panel in board["panels"] for target in panel["targets"]
    ]
    return "\n".join([RULES, *of_panels])


def metrics_of(kind: str) -> set[str]:
    """The names of samples that dashboards and alerts ask for."""
    found = set(re.findall(rf"\b{kind}_[a-z_]+(?=[\s{{\[)])", expressions()))
    assert found, kind
    return found


def test_there_is_no_panel_without_a_query() -> None:
    assert len(DASHBOARDS) == 3
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            assert panel["title"] and all(target["expr"] for target in panel["targets"])


def test_a_secret_in_a_file_is_a_setting(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of thirty-two bytes or even more\n")
    environment = os.environ | {"KARYAKSHAM_SECRET_KEY_FILE": str(secret), "HOME": str(tmp_path / "home")}
    shown = subprocess.run(
        [ENTRYPOINT, "bash", "-c", 'echo "$KARYAKSHAM_SECRET_KEY|${KARYAKSHAM_SECRET_KEY_FILE-none}"'],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "of thirty-two bytes or even more|none\n"


def test_a_container_needs_to_be_told_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [ENTRYPOINT], env=os.environ | {"HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "serve, dispatch, migrate" in done.stderr
