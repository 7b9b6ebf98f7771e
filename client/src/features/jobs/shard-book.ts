/**
 * What the page knows of the tasks of a job, a page of tasks at a time. Pure.
 *
 * A stage may have 100,000 tasks, and the service gives 1,000 at a time. A page all of whose tasks are done does not
 * change while the job runs, so it is not asked for again: what is asked is in proportion to what is going on.
 */
import { TASKS_PAGE, type Stage, type StageTasks, type Task, type TaskState } from "../../api/jobs";

export type ShardBook = {
  /** By stage, then by shard; a hole is a task that nobody has told of yet. */
  stages: ReadonlyMap<number, readonly (Task | undefined)[]>;
  /** When each page was asked for last, as a count of questions. */
  askedAt: ReadonlyMap<number, number>;
  questions: number;
};

export const emptyBook: ShardBook = { stages: new Map(), askedAt: new Map(), questions: 0 };

/** The shard after which a page begins, as the service is asked for it. */
export function cursorOf(page: number): number | null {
  return page === 0 ? null : page * TASKS_PAGE - 1;
}

/** Writes down a page of tasks of every stage. */
export function takePage(book: ShardBook, page: number, arrived: readonly StageTasks[]): ShardBook {
  const stages = new Map(book.stages);
  for (const { index, tasks } of arrived) {
    if (tasks.length === 0) continue;
    const known = [...(stages.get(index) ?? [])];
    for (const task of tasks) known[task.shard] = task;
    stages.set(index, known);
  }
  return { stages, askedAt: new Map(book.askedAt).set(page, book.questions), questions: book.questions + 1 };
}

/** The page to ask for next: one never asked for, else the one of which it has been longest; null when all is settled. */
export function nextPage(book: ShardBook, stages: readonly Stage[], ended: boolean): number | null {
  const pages = Math.max(0, ...stages.map(({ taskCount }) => Math.ceil(taskCount / TASKS_PAGE)));
  let next: number | null = null;
  let oldest = Number.POSITIVE_INFINITY;
  for (let page = 0; page < pages; page += 1) {
    const asked = book.askedAt.get(page) ?? -1;
    if (asked >= oldest) continue;
    if (asked >= 0 && isSettled(book, stages, page, ended)) continue;
    next = page;
    oldest = asked;
  }
  return next;
}

/** Whether pages are missing, so that the next question should not wait. */
export function isComplete(book: ShardBook, stages: readonly Stage[]): boolean {
  const pages = Math.max(0, ...stages.map(({ taskCount }) => Math.ceil(taskCount / TASKS_PAGE)));
  return book.askedAt.size >= pages;
}

function isSettled(book: ShardBook, stages: readonly Stage[], page: number, ended: boolean): boolean {
  return stages.every(({ index, taskCount }) => {
    const known = book.stages.get(index) ?? [];
    const end = Math.min(taskCount, (page + 1) * TASKS_PAGE);
    for (let shard = page * TASKS_PAGE; shard < end; shard += 1) {
      const state = known[shard]?.state;
      if (state === undefined) return false;
      if (state === "RUNNING" || (state === "PENDING" && !ended)) return false;
    }
    return true;
  });
}

export type ShardCounts = Record<TaskState, number> & { retried: number };

/** How many tasks of a stage are in each state; those not known of wait. */
export function countShards(tasks: readonly (Task | undefined)[], taskCount: number): ShardCounts {
  const counts: ShardCounts = { PENDING: taskCount, RUNNING: 0, SUCCEEDED: 0, FAILED: 0, SKIPPED: 0, retried: 0 };
  for (const task of tasks) {
    if (task === undefined) continue;
    counts.PENDING -= 1;
    counts[task.state] += 1;
    if (task.attempt > 1) counts.retried += 1;
  }
  return counts;
}

/** The shards that someone should look at: failed ones first, then those that took more than one attempt. */
export function shardsOfNote(tasks: readonly (Task | undefined)[], most: number): readonly Task[] {
  const failed: Task[] = [];
  const retried: Task[] = [];
  for (const task of tasks) {
    if (task?.state === "FAILED") failed.push(task);
    else if (task !== undefined && task.attempt > 1) retried.push(task);
  }
  return [...failed, ...retried].slice(0, most);
}
