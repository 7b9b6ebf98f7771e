"""One job as its driver holds it: the plan, the schedule, the board, the writer, and how they act on each other."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import karyaksham_engine as engine
from karyaksham_engine.types import Job as EngineJob
from karyaksham_engine.types import PlannedStage, RecordIndex, Reject, Source

from .attempt import Ended, Executor, Message, Started, final_counters
from .commit import Targets, Writer
from .indexes import Indexes
from .memory import machine_bytes
from .progress import Board
from .results import Attempt, Counters, Keep, Piece, TaskKey, TaskResult, from_record, to_record
from .schedule import (
    BadRow,
    Decision,
    Done,
    Ending,
    Launch,
    Limits,
    Proved,
    Schedule,
    StageTasks,
    Superseded,
)
from .spec import (
    Event,
    Failure,
    JobSpec,
    Planned,
    StageProgress,
    TaskFailed,
    TaskFinished,
    TaskStarted,
)
from .workspace import Basis, Staging, check_unchanged, look

HELD_BLOCKS_SHARE: Final = 8
"""Of the memory of a task, or of the machine, this part holds blocks for later stages; further ones go to files."""
HELD_BLOCKS_LEAST_BYTES: Final = 64 << 20
HELD_SHARD_BYTES: Final = 60 << 20
"""Of larger shards, a part as large as its input would be more than the engine holds in memory."""
ROUNDS: Final = 8
"""Tasks for each slot at least, so that all slots are done at about the same time."""
AHEAD_OF_WRITER: Final = 2
"""Tasks, beside those that run, whose parts may wait in memory for the writer."""
WRITER_CHECK_S: Final = 0.01
SQUEEZED_LEAST_BYTES: Final = 64 << 20
"""What a task that ran out of memory is given at least when it runs again with less."""


class Job:
    """Plans at once, and raises what is wrong with the job. All calls from one thread."""

    def __init__(
        self,
        spec: JobSpec,
        executor: Executor,
        targets: Targets,
        resume: Sequence[TaskFinished],
        tell: Callable[[Event], None],
    ) -> None:
        self._spec, self._executor, self._tell = spec, executor, tell
        self._seen = look(spec.sources)
        self._staging = Staging(spec.staging_dir)
        self._indexes = Indexes(spec.index_dir, spec.sources)
        indexed = self._indexes.known(spec.sources)
        fresh = Basis(engine.version(), time.time_ns() // 1000, executor.slots(), _is_indexed(indexed))
        basis = self._staging.basis(fresh)
        if basis.indexed:
            spec = spec._replace(sources=tuple(indexed))
        if executor.in_memory:
            spec = spec._replace(shard_size_bytes=_shard_bytes_in_memory(spec, executor.slots()))
        asked = to_engine(spec, parallelism=basis.parallelism, planned_at_us=basis.planned_at_us)
        plan = engine.plan(asked, storage=spec.storage)
        self._stages = plan.stages
        self._tasks = {
            TaskKey(stage["index"], task.shard): task
            for stage in self._stages
            for task in plan.tasks(stage["index"])
        }
        self._blocks: dict[TaskKey, Piece] = {}
        self._held_bytes = 0
        self._stopped: set[tuple[TaskKey, int]] = set()
        """Attempts that were told to stop, and do not count."""
        self._merge_bytes: dict[int, int] = {}
        share = (spec.memory_bytes or machine_bytes()) // HELD_BLOCKS_SHARE
        self._held_limit_bytes = max(HELD_BLOCKS_LEAST_BYTES, share)
        stages = [self._stage_tasks(stage) for stage in self._stages]
        self._schedule = Schedule(spec.job_id, stages, self._limits())
        progress = tuple(_pending(stage) for stage in self._stages)
        task_bytes = [[self._tasks[key].bytes_total for key in self._keys(stage)] for stage in self._stages]
        scans = {stage["index"] for stage in self._stages if stage["kind"] == "scan"}
        self._board = Board(progress, task_bytes, scans, time.monotonic())
        self.writer = Writer(
            targets,
            spec.output,
            spec.layout,
            plan.columns,
            part_keys=[
                key for stage in self._stages if stage["output"] == "part" for key in self._keys(stage)
            ],
            reject_keys=[
                key for stage in self._stages if stage["kind"] == "scan" for key in self._keys(stage)
            ],
        )
        tell(Planned(tuple(plan.columns), plan.effective_sql, progress, plan.bytes_to_read))
        self._restore(resume)

    @property
    def ending(self) -> Ending | None:
        return self._schedule.ending

    def step(self, now: float, patience_s: float) -> None:
        """Start what may start, and take in what happens within `patience_s`."""
        for launch in self._schedule.next(
            now, in_flight=self._executor.in_flight(), written=self.writer.written
        ):
            self._launch(launch)
        due_at = self._schedule.due_at()
        if due_at is not None:
            patience_s = min(patience_s, due_at - now)
        if self.writer.behind:
            patience_s = min(patience_s, WRITER_CHECK_S)
        for message in self._executor.wait(max(0.0, patience_s)):
            self._handle(message)
        self.writer.check()

    def tell_progress(self, now: float, *, committed: bool = False) -> None:
        furthest: dict[TaskKey, Counters] = {}
        for (key, attempt), counters in self._executor.counters().items():
            total = self._bytes_of(key)
            share = min(1.0, counters.bytes_read / total) if total else None
            self._schedule.moved(key, attempt, counters, share, now)
            if key not in furthest or counters.bytes_read > furthest[key].bytes_read:
                furthest[key] = counters
        for key, counters in furthest.items():
            self._board.counted(key, counters)
        self._apply(self._schedule.give_up(now))
        self._tell(self._board.snapshot(now, time.time(), committed=committed))

    def check_sources(self) -> None:
        """Raises SourceError where a file has changed while it was read."""
        check_unchanged(self._seen)

    def keep_indexes(self) -> None:
        """Keep where records begin of all files that were read to their end."""
        for chain in self._schedule.chains:
            if chain.whole and chain.keys:
                key = chain.keys[0]
                if source := self._source(self._stages[key.stage]):
                    found: RecordIndex = {"rows": chain.rows, "marks": chain.marks}
                    self._indexes.keep(source, self._tasks[key].file, found)

    def fail(self, ending: Ending) -> Failure:
        """The reason of a job that did not get done; its task is told of, and its reject written."""
        if isinstance(ending, Done):
            raise ValueError("a job that is done has not failed")
        if isinstance(ending, BadRow):
            key, attempt = ending.proved.key, ending.proved.attempt
            line_base = self._line_base(ending.proved)
            failure = _bad_row(ending.reject, ending.proved.row_base, line_base)
            self.writer.add(ending.proved, line_base)
        else:
            failure = ending.failure
            if ending.key is None:
                return failure
            key, attempt = ending.key, ending.attempt
        self._board.gone(key, attempt, failure, time.time(), again=False)
        self._tell(TaskFailed(key.stage, key.shard, attempt, failure, will_retry=False))
        return failure

    def close(self, *, keep_artifacts: bool) -> None:
        if not keep_artifacts:
            self.writer.abort()
        self.writer.close()

    def _stage_tasks(self, stage: PlannedStage) -> StageTasks:
        files = tuple(self._tasks[key].file for key in self._keys(stage))
        source = self._source(stage)
        sizes = (
            tuple(
                file["size_bytes"] if _is_plain(source, number) else None
                for number, file in enumerate(source["files"])
            )
            if source
            else ()
        )
        return StageTasks(stage["index"], stage["kind"], files, sizes, makes_output=stage["output"] == "part")

    def _source(self, stage: PlannedStage) -> Source | None:
        """The table that a scan stage reads."""
        if stage["kind"] != "scan":
            return None
        named = [source for source in self._spec.sources if stage["name"] == f"scan {source['name']}"]
        return named[0] if named else None

    def _keys(self, stage: PlannedStage) -> list[TaskKey]:
        return [TaskKey(stage["index"], shard) for shard in range(stage["task_count"])]

    def _limits(self) -> Limits:
        bad_rows = self._spec.bad_rows
        return Limits(
            max_attempts=self._spec.max_attempts,
            window=self._executor.slots() + AHEAD_OF_WRITER if self._executor.in_memory else None,
            max_rejected_rows=bad_rows.get("max_rejected_rows"),
            max_rejected_ratio=bad_rows.get("max_rejected_ratio"),
            stall_s=self._spec.stall_s if self._executor.moves else None,
            late_s=self._spec.late_s if self._executor.moves else None,
        )

    def _restore(self, resume: Iterable[TaskFinished]) -> None:
        kept: set[str] = set()
        for key, done in {TaskKey(done.stage, done.shard): done for done in resume}.items():
            if key not in self._tasks:
                continue
            result = from_record(done.record, staging_dir=self._spec.staging_dir, digest=self._digest(key))
            if result is None:
                continue
            kept.update(piece.path for piece in result.pieces if piece.path is not None)
            self._board.counted(key, final_counters(result, self._bytes_of(key)))
            self._apply(self._schedule.restore(key, done.attempt, result, time.monotonic()), known=True)
        self._staging.sweep(kept)

    def _launch(self, launch: Launch) -> None:
        stage = self._stages[launch.key.stage]
        inputs: tuple[tuple[Piece, ...], ...] = ()
        if stage["kind"] == "merge":
            inputs = tuple(
                tuple(self._blocks[key] for key in self._keys(earlier))
                if earlier["index"] in stage["inputs"]
                else ()
                for earlier in self._stages[: stage["index"]]
            )
            self._resize(stage, sum(block.size_bytes for made in inputs for block in made))
        self._executor.launch(
            Attempt(
                job_id=self._spec.job_id,
                key=launch.key,
                number=launch.attempt,
                stage_name=stage["name"],
                payload=self._tasks[launch.key].payload,
                start=launch.start,
                folder=self._staging.attempt(launch.key, launch.attempt),
                keep=self._keep(stage),
                memory_bytes=self._memory(launch.squeezed),
                inputs=inputs,
                cores=1 << launch.squeezed,
            )
        )

    def _memory(self, squeezed: int) -> int | None:
        """What an attempt may hold before it spills: half as much each time that its task ran out of memory."""
        given = self._spec.memory_bytes
        if not squeezed:
            return given
        return max(SQUEEZED_LEAST_BYTES, (given or machine_bytes() // self._executor.slots()) >> squeezed)

    def _resize(self, stage: PlannedStage, bytes_total: int) -> None:
        """What a stage reads is known once the stages before it are done. Its tasks share it alike."""
        if stage["index"] not in self._merge_bytes:
            self._merge_bytes[stage["index"]] = bytes_total // stage["task_count"]
            self._board.resized(stage["index"], bytes_total)

    def _bytes_of(self, key: TaskKey) -> int:
        return self._merge_bytes.get(key.stage, self._tasks[key].bytes_total)

    def _drop_blocks(self, done: PlannedStage) -> None:
        """Let go of the blocks in memory that no stage will read any more, now that `done` has read them."""
        for number in done["inputs"]:
            readers = [stage for stage in self._stages if number in stage["inputs"]]
            if all(self._schedule.stage_done(stage["index"]) for stage in readers):
                for key in self._keys(self._stages[number]):
                    block = self._blocks.pop(key, None)
                    self._held_bytes -= block.size_bytes if block is not None and block.path is None else 0

    def _keep(self, stage: PlannedStage) -> Keep:
        if not self._executor.in_memory or (stage["output"] == "part" and self._spec.layout == "PARTS"):
            return "file"
        return "file" if self._held_bytes > self._held_limit_bytes else "memory"

    def _handle(self, message: Message) -> None:
        key, now = message.key, time.monotonic()
        if isinstance(message, Started):
            if self._schedule.started(key, message.attempt, now):
                self._board.started(key, message.attempt, message.node, time.time())
            self._tell(TaskStarted(key.stage, key.shard, message.attempt, message.node))
        elif (key, message.attempt) in self._stopped:
            self._stopped.discard((key, message.attempt))
            self._staging.discard(self._staging.attempt(key, message.attempt))
        elif isinstance(message, Ended) and isinstance(message.outcome, TaskResult):
            self._board.counted(key, final_counters(message.outcome, self._bytes_of(key)))
            self._apply(self._schedule.finished(key, message.attempt, message.outcome, now))
        elif isinstance(message, Ended) and isinstance(message.outcome, Failure):
            self._apply(self._schedule.failed(key, message.attempt, message.outcome, now))

    def _apply(self, decisions: Iterable[Decision], *, known: bool = False) -> None:
        for decision in decisions:
            key, attempt = decision.key, decision.attempt
            if isinstance(decision, Proved):
                self._accept(decision)
                if not known:
                    record = to_record(
                        decision.result, staging_dir=self._spec.staging_dir, digest=self._digest(key)
                    )
                    self._tell(TaskFinished(key.stage, key.shard, attempt, record))
            elif isinstance(decision, Superseded):
                self._stop(key, attempt)
            else:
                if decision.runs_on:
                    self._stop(key, attempt)
                else:
                    self._staging.discard(self._staging.attempt(key, attempt))
                if decision.is_only:
                    self._board.gone(key, attempt, decision.failure, time.time(), again=True)
                self._tell(TaskFailed(key.stage, key.shard, attempt, decision.failure, will_retry=True))

    def _stop(self, key: TaskKey, attempt: int) -> None:
        self._stopped.add((key, attempt))
        self._executor.cancel(key, attempt)

    def _accept(self, proved: Proved) -> None:
        result = proved.result
        counters = final_counters(result, self._bytes_of(proved.key))
        self._board.succeeded(proved.key, proved.attempt, counters, time.time())
        if result.block is not None:
            self._blocks[proved.key] = result.block
            self._held_bytes += result.block.size_bytes if result.block.path is None else 0
        stage = self._stages[proved.key.stage]
        if stage["inputs"] and self._schedule.stage_done(stage["index"]):
            self._drop_blocks(stage)
        self.writer.add(proved, self._line_base(proved))

    def _line_base(self, proved: Proved) -> int:
        """Lines of the file before the shard, those of the header among them."""
        return self._tasks[proved.key].header_lines + proved.line_base

    def _digest(self, key: TaskKey) -> str:
        return self._tasks[key].digest


def _is_indexed(sources: Sequence[Source]) -> bool:
    return any("index" in file for source in sources for file in source["files"])


def to_engine(spec: JobSpec, *, parallelism: int, planned_at_us: int | None = None) -> EngineJob:
    """The job as the engine takes it."""
    return {
        "planned_at_us": planned_at_us,
        "sql": spec.sql,
        "sources": list(spec.sources),
        "output": spec.output,
        "bad_rows": spec.bad_rows,
        "shard_size_bytes": spec.shard_size_bytes,
        "exchange_partitions": spec.exchange_partitions,
        "parallelism": parallelism,
    }


def _shard_bytes_in_memory(spec: JobSpec, slots: int) -> int | None:
    """The size of shards whose parts stay in memory; None where the engine's own choice is smaller anyway."""
    if spec.shard_size_bytes is not None:
        return spec.shard_size_bytes
    size_bytes = sum(file["size_bytes"] for source in spec.sources for file in source["files"])
    return HELD_SHARD_BYTES if size_bytes > HELD_SHARD_BYTES * slots * ROUNDS else None


def _pending(stage: PlannedStage) -> StageProgress:
    return StageProgress(
        index=stage["index"],
        name=stage["name"],
        state="PENDING",
        task_count=stage["task_count"],
        tasks_done=0,
        bytes_read=0,
        bytes_total=stage["bytes_total"],
    )


def _is_plain(source: Source, file: int) -> bool:
    """Whether offsets of records are surely offsets of the file: text that is neither compressed nor transcoded."""
    dialect = source["files"][file].get("dialect") or source.get("dialect")
    plain = not dialect or (not dialect["compression"] and dialect["encoding"] == "utf-8")
    return source["format"] in ("csv", "ndjson") and plain


def _bad_row(reject: Reject, row_base: int, line_base: int) -> Failure:
    name = reject["file"]
    row, line = reject["row"] + row_base, reject["line"] + line_base
    return Failure(
        kind="DATA",
        code=reject["code"],
        message=f"Row {row:,} (line {line:,}) of {name} can't be read: {reject['message']}",
        hint="Mend the row, or let the job set bad rows aside, which collects all of them in a file.",
        detail={**reject, "file": name, "row": row, "line": line},
    )
