import { expect, test } from "vitest";
import { TASKS_PAGE, type Stage, type Task } from "../../api/jobs";
import { countShards, cursorOf, emptyBook, isComplete, nextPage, shardsOfNote, takePage } from "./shard-book";

function stage(taskCount: number, index = 0): Stage {
  return { index, name: "scan", state: "RUNNING", taskCount, tasksDone: 0, bytesRead: 0, bytesTotal: 0 };
}

function tasks(from: number, to: number, state: Task["state"], attempt = 1): Task[] {
  return Array.from({ length: to - from }, (_, offset) => ({
    shard: from + offset,
    state,
    attempt,
    bytesRead: 0,
    bytesTotal: 0,
    rowsRead: 0,
    node: null,
    startedAt: null,
    finishedAt: null,
    failure: null,
  }));
}

test("every page is asked for once before one is asked for again", () => {
  const stages = [stage(2 * TASKS_PAGE + 1)];
  let book = emptyBook;
  const asked: (number | null)[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const page = nextPage(book, stages, false);
    asked.push(page);
    expect(isComplete(book, stages)).toBe(turn >= 3);
    book = takePage(book, page ?? 0, [{ index: 0, tasks: tasks((page ?? 0) * TASKS_PAGE, Math.min(2 * TASKS_PAGE + 1, ((page ?? 0) + 1) * TASKS_PAGE), "RUNNING") }]);
  }
  expect(asked).toEqual([0, 1, 2, 0, 1]);
  expect([cursorOf(0), cursorOf(2)]).toEqual([null, 2 * TASKS_PAGE - 1]);
});

test("a page whose tasks are all done is not asked for again", () => {
  const stages = [stage(2 * TASKS_PAGE)];
  let book = takePage(emptyBook, 0, [{ index: 0, tasks: tasks(0, TASKS_PAGE, "SUCCEEDED") }]);
  book = takePage(book, 1, [{ index: 0, tasks: tasks(TASKS_PAGE, 2 * TASKS_PAGE, "RUNNING") }]);
  expect(nextPage(book, stages, false)).toBe(1);
  book = takePage(book, 1, [{ index: 0, tasks: tasks(TASKS_PAGE, 2 * TASKS_PAGE, "SUCCEEDED") }]);
  expect(nextPage(book, stages, false)).toBeNull();
});

test("waiting tasks of a job that has ended wait for ever, and are not asked for", () => {
  const stages = [stage(3)];
  const book = takePage(emptyBook, 0, [{ index: 0, tasks: tasks(0, 3, "PENDING") }]);
  expect(nextPage(book, stages, false)).toBe(0);
  expect(nextPage(book, stages, true)).toBeNull();
});

test("a page counts for all stages, the short ones too", () => {
  const stages = [stage(2), stage(TASKS_PAGE + 1, 1)];
  let book = takePage(emptyBook, 0, [{ index: 0, tasks: tasks(0, 2, "SUCCEEDED") }, { index: 1, tasks: tasks(0, TASKS_PAGE, "SUCCEEDED") }]);
  expect(nextPage(book, stages, false)).toBe(1);
  book = takePage(book, 1, [{ index: 0, tasks: [] }, { index: 1, tasks: tasks(TASKS_PAGE, TASKS_PAGE + 1, "SUCCEEDED") }]);
  expect(book.stages.get(0)).toHaveLength(2);
  expect(nextPage(book, stages, false)).toBeNull();
});

test("tasks are counted by state, and those that need a look come first", () => {
  const known = [...tasks(0, 3, "SUCCEEDED"), ...tasks(3, 4, "SUCCEEDED", 2), ...tasks(4, 5, "FAILED", 4)];
  expect(countShards(known, 10)).toEqual({ PENDING: 5, RUNNING: 0, SUCCEEDED: 4, FAILED: 1, SKIPPED: 0, retried: 2 });
  expect(shardsOfNote(known, 5).map(({ shard }) => shard)).toEqual([4, 3]);
  expect(shardsOfNote(known, 1)).toHaveLength(1);
});
