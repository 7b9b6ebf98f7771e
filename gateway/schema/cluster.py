"""The machines that run jobs."""

import asyncio

import strawberry

from gateway import jobs, users
from gateway.schema.context import Info, signed_in
from gateway.schema.permissions import SIGNED_IN
from gateway.schema.relay import BigInt


@strawberry.type
class ClusterNode:
    name: str
    alive: bool
    cpus: float
    cpus_used: float
    memory_bytes: BigInt
    memory_used_bytes: BigInt


@strawberry.type
class Cluster:
    nodes: list[ClusterNode] = strawberry.field(description="Empty until Ray is reached.")
    dashboard_url: str | None = strawberry.field(description="Ray's own page; for administrators.")
    running_tasks: int
    queued_jobs: int


@strawberry.type
class ClusterQuery:
    @strawberry.field(extensions=[SIGNED_IN])
    async def cluster(self, info: Info) -> Cluster | None:
        dispatcher = info.context.services.dispatcher
        is_admin = signed_in(info).user.role is users.Role.ADMIN
        reached = dispatcher.cluster if dispatcher is not None else None
        return Cluster(
            nodes=[
                ClusterNode(
                    name=node.name,
                    alive=node.alive,
                    cpus=node.cpus,
                    cpus_used=node.cpus_used,
                    memory_bytes=BigInt(node.memory_bytes),
                    memory_used_bytes=BigInt(node.memory_used_bytes),
                )
                for node in (await asyncio.to_thread(reached.nodes) if reached is not None else [])
            ],
            dashboard_url=reached.dashboard_url if reached is not None and is_admin else None,
            running_tasks=await jobs.tasks_running(),
            queued_jobs=await jobs.queued(),
        )
