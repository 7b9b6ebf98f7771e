"""Dashboards and alerts ask for metrics that the service and its Ray have."""

import json
import re
from pathlib import Path

import httpx

from compute.cluster import _short
from tests.deploy.test_deploy import metrics_of
from tests.gateway import journeys
from tests.gateway.test_subscriptions import PROGRESS, all_items

from . import orders
from .conftest import Keeper, Process, until

DEADLINE_S = 60.0


def samples(text: str) -> set[str]:
    return set(re.findall(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{| )", text, re.MULTILINE))


def ray_metrics(folder: Path) -> set[str]:
    """Of every target that Ray names for Prometheus."""
    found: set[str] = set()
    for listed in folder.rglob("prom_metrics_service_discovery.json"):
        for group in json.loads(listed.read_text()):
            for target in group["targets"]:
                try:
                    found |= samples(httpx.get(f"http://{target}/metrics", timeout=5).text)
                except httpx.TransportError:
                    continue
    return found


async def test_metrics_of_dashboards_exist(shared: tuple[Keeper, Process]) -> None:
    keeper, process = shared
    api = await process.member()
    await api.ask("{ viewer { id } }")
    async with httpx.AsyncClient() as http:
        told = samples((await http.get(f"{process.url}/metrics")).text)
    assert metrics_of("karyaksham") <= told
    wanted = metrics_of("ray")
    dataset = await api.upload("orders.csv", orders.make(100, broken_each=50).content)
    ready = await journeys.inspected(api, dataset["id"])
    job = await journeys.created(api, ready, orders.SQL, badRows={"policy": "REJECT_ROW"})
    await all_items(api, PROGRESS, id=job["id"])  # Tasks are counted once there were some.
    until(lambda: wanted <= ray_metrics(_short(str(keeper.data_dir / "ray"))), DEADLINE_S)
