import { useEffect, useReducer, useRef } from "react";
import { useJobActions, type Stage, type StageTasks } from "../../api/jobs";
import { cursorOf, emptyBook, isComplete, nextPage, takePage, type ShardBook } from "./shard-book";

/** Between two questions, once every page has been seen. */
const EVERY_MS = 900;
/** Before the service is asked again after it could not be reached. */
const AFTER_FAILURE_MS = 3_000;

/** The tasks of a job's stages, kept up to date for as long as they change. */
export function useShards(jobId: string, stages: readonly Stage[], ended: boolean) {
  const { tasks } = useJobActions();
  const [{ book, failed }, take] = useReducer(
    (held: { book: ShardBook; failed: boolean }, answer: { page: number; arrived: readonly StageTasks[] } | null) =>
      answer === null ? { ...held, failed: true } : { book: takePage(held.book, answer.page, answer.arrived), failed: false },
    { book: emptyBook, failed: false },
  );
  const latest = useRef(stages);
  useEffect(() => {
    latest.current = stages;
  });
  const planned = stages.reduce((sum, { taskCount }) => sum + taskCount, 0);
  const page = nextPage(book, stages, ended);

  useEffect(() => {
    if (planned === 0 || page === null) return;
    let gone = false;
    const waitMs = failed ? AFTER_FAILURE_MS : isComplete(book, latest.current) ? EVERY_MS : 0;
    const timer = setTimeout(() => {
      void tasks(jobId, cursorOf(page)).then((answer) => {
        if (!gone) take("code" in answer ? null : { page, arrived: answer });
      });
    }, waitMs);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
    // `book` changes with every answer, which is what the next question waits for.
  }, [tasks, jobId, planned, page, book, failed]);

  return { book, failed };
}
