"""The way of events from the thread of a run to its reader."""

import asyncio
import threading

from compute.spec import Canceled, Event, Progress, TaskProgress, TaskStarted
from compute.stream import MAX_PENDING, Stream


def progress(fraction: float, *shards: int) -> Progress:
    tasks = tuple(
        TaskProgress(0, shard, "RUNNING", 1, int(fraction * 100), 100, 0, None, None, None, None)
        for shard in shards
    )
    return Progress(fraction, 0, 0, 0, 0, 0, 0.0, 0.0, None, (), tasks, 0.0)


def stream() -> Stream:
    return Stream(lambda: False)


def read(events: Stream) -> list[Event]:
    events.close()
    return list(iter(events.take, None))


def test_events_come_in_order() -> None:
    events = stream()
    for shard in range(5):
        events.put(TaskStarted(0, shard, 1, None))
    events.put(Canceled())
    assert [getattr(event, "shard", None) for event in read(events)] == [0, 1, 2, 3, 4, None]


def test_latest_progress_wins_and_keeps_the_tasks_of_the_one_it_replaces() -> None:
    events = stream()
    events.put(progress(0.1, 1, 2))
    events.put(TaskStarted(0, 9, 1, None))
    events.put(progress(0.2, 2, 3))
    first, second = read(events)
    assert isinstance(first, TaskStarted)
    assert isinstance(second, Progress)
    assert second.fraction == 0.2
    assert [(task.shard, task.bytes_read) for task in second.tasks] == [(1, 10), (2, 20), (3, 20)]


def test_full_stream_holds_the_writer_up_until_there_is_room() -> None:
    events = stream()
    for shard in range(MAX_PENDING):
        events.put(TaskStarted(0, shard, 1, None))
    writer = threading.Thread(target=events.put, args=(Canceled(),))
    writer.start()
    writer.join(0.05)
    assert writer.is_alive()
    events.take()
    writer.join(5.0)
    assert not writer.is_alive()


def test_stop_gets_through_a_full_stream() -> None:
    stopping = threading.Event()
    events = Stream(stopping.is_set)
    for shard in range(MAX_PENDING):
        events.put(TaskStarted(0, shard, 1, None))
    stopping.set()
    events.put(Canceled())
    assert isinstance(read(events)[-1], Canceled)


def test_abandoned_stream_takes_everything_and_keeps_nothing() -> None:
    events = stream()
    events.abandon()
    for shard in range(2 * MAX_PENDING):
        events.put(TaskStarted(0, shard, 1, None))
    assert read(events) == []


async def test_event_loop_reads_without_being_blocked() -> None:
    events = stream()
    loop, free = asyncio.get_running_loop(), asyncio.Event()
    reading = asyncio.create_task(events.take_async())
    loop.call_soon(loop.call_soon, free.set)
    await asyncio.wait_for(free.wait(), 5.0)
    assert not reading.done()
    threading.Thread(target=events.put, args=(Canceled(),)).start()
    assert isinstance(await asyncio.wait_for(reading, 5.0), Canceled)
    events.close()
    assert await asyncio.wait_for(events.take_async(), 5.0) is None
