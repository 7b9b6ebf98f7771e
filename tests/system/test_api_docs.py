"""What docs/api shows is run, each page as one program, against a service that runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.gateway.conftest import Api

from . import orders
from .conftest import Keeper, Process

ROOT = Path(__file__).parents[2]
API = ROOT / "docs" / "api"
DEADLINE_S = 120


@pytest.fixture
async def place(
    shared: tuple[Keeper, Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, dict[str, str]]:
    """A folder with orders.csv, and the environment that the pages speak of."""
    api: Api = await shared[1].member()
    (tmp_path / "orders.csv").write_bytes(orders.make(2_000, broken_each=900).content)
    environment = os.environ | {
        "KARYAKSHAM_URL": shared[1].url,
        "KARYAKSHAM_TOKEN": api.token or "",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'engine' / 'python'}",
    }
    return tmp_path, environment


def blocks(page: str, language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```$", (API / page).read_text(), re.MULTILINE | re.DOTALL)
    assert found, page
    return "\n".join(found)


def done(folder: Path, environment: dict[str, str], *command: str) -> str:
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def countries(folder: Path) -> list[str]:
    header, *rows = (folder / "by_country.csv").read_text().splitlines()
    assert header.startswith("country,orders")
    return sorted(row.split(",")[0] for row in rows)


def test_the_page_for_python(place: tuple[Path, dict[str, str]]) -> None:
    folder, environment = place
    said = done(folder, environment, sys.executable, "-c", blocks("python.md", "python"))
    assert "BAD_USER_INPUT" in said and "SUCCEEDED" in said
    assert countries(folder) == sorted(orders.COUNTRIES)


def test_the_page_for_curl(place: tuple[Path, dict[str, str]]) -> None:
    folder, environment = place
    said = done(folder, environment, "bash", "-euo", "pipefail", "-c", blocks("curl.md", "bash"))
    assert "event: complete" in said
    assert countries(folder) == sorted(orders.COUNTRIES)


def test_the_page_for_typescript(place: tuple[Path, dict[str, str]]) -> None:
    folder, environment = place
    (folder / "page.mts").write_text(blocks("typescript.md", "typescript"))
    tools = ROOT / "client" / "node_modules"
    options = ["--strict", "--target", "es2023", "--module", "nodenext", "--skipLibCheck"]
    types = ["--types", "node", "--typeRoots", str(tools / "@types")]
    done(folder, environment, str(tools / ".bin" / "tsc"), *options, *types, "page.mts")
    said = done(folder, environment, "node", "page.mjs")
    assert "event: complete" in said
    assert countries(folder) == sorted(orders.COUNTRIES)


def test_the_notebook(place: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, environment = place
    for name in ("KARYAKSHAM_URL", "KARYAKSHAM_TOKEN", "PYTHONPATH"):
        monkeypatch.setenv(name, environment[name])
    notebook = nbformat.read(API / "quickstart.ipynb", as_version=4)
    NotebookClient(notebook, timeout=DEADLINE_S, resources={"metadata": {"path": str(folder)}}).execute()
    shown = [
        output["data"].get("text/html", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    assert any("orders.csv" in html and "country" in html for html in shown)
    assert countries(folder) == sorted(orders.COUNTRIES)
