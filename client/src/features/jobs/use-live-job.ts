import { useCallback, useEffect, useReducer, useRef } from "react";
import { useJob, useJobEvents, useJobProgress, type JobEvent, type JobState, type Progress } from "../../api/jobs";
import { useSocketState } from "../../api/socket";
import { isFinal } from "./job-state";
import { noEvents, nothingYet, takeEvents, takeSnapshot, type EventLog, type Live } from "./live";

/** Without a socket the page asks this often. */
const POLL_MS = 3_000;
/** Events are drawn this often, however many arrive. */
const EVENTS_EVERY_MS = 120;

/** A job, its progress as it comes, and how to load it again. `onRestart` is called when it had ended and is tried again. */
export function useLiveJob(id: string, onRestart: () => void) {
  const answer = useJob(id);
  const { reload } = answer;
  const job = answer.value;
  const socket = useSocketState();
  const [live, take] = useReducer(
    (held: Live, { progress, nowMs }: { progress: Progress; nowMs: number }) => takeSnapshot(held, progress, nowMs),
    nothingYet,
  );
  // A job that was tried again may be known to wait before its old figures are gone.
  const known = job !== null && isFinal(job.progress.state) === isFinal(job.state) ? job.progress : null;
  useEffect(() => {
    if (known) take({ progress: known, nowMs: Date.now() });
  }, [known]);

  useRestart(job?.state, onRestart);

  // A list may learn of the end before this page does; then the result and the last figures are still to come.
  const told = job !== null && isFinal(job.state);
  const settled = told && isFinal(job.progress.state);
  const following = job !== null && !settled;
  const state = settled ? job.state : (live.progress?.state ?? job?.state);
  useEffect(() => {
    if (told && !settled) reload();
  }, [told, settled, reload]);
  const onProgress = useCallback(
    (progress: Progress) => {
      take({ progress, nowMs: Date.now() });
      // The last snapshot brings no result: that is the job's own.
      if (isFinal(progress.state)) reload();
    },
    [reload],
  );
  useJobProgress(id, following, onProgress);

  const cutOff = following && socket !== "open";
  useEffect(() => {
    if (!cutOff) return;
    const timer = setInterval(reload, POLL_MS);
    return () => clearInterval(timer);
  }, [cutOff, reload]);

  return { answer, job, state, live, cutOff: following && socket === "lost" };
}

function useRestart(state: JobState | undefined, onRestart: () => void) {
  const before = useRef(state);
  useEffect(() => {
    const restarted = before.current !== undefined && state !== undefined && isFinal(before.current) && !isFinal(state);
    before.current = state;
    if (restarted) onRestart();
  }, [state, onRestart]);
}

/** All events of a job, in batches, so that a flood of them does not hold the page up. */
export function useEventLog(jobId: string): EventLog {
  const [log, take] = useReducer(takeEvents, noEvents);
  const arrived = useRef<JobEvent[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const onEvent = useCallback((event: JobEvent) => {
    arrived.current.push(event);
    timer.current ??= setTimeout(() => {
      timer.current = null;
      take(arrived.current);
      arrived.current = [];
    }, EVENTS_EVERY_MS);
  }, []);
  useEffect(
    () => () => {
      if (timer.current) clearTimeout(timer.current);
    },
    [],
  );
  useJobEvents(jobId, onEvent);
  return log;
}
