import type { JobState, TaskState } from "../../api/jobs";

export type Tone = "idle" | "run" | "ok" | "warn" | "bad";

export const JOB_STATES = [
  "QUEUED",
  "PLANNING",
  "RUNNING",
  "PAUSED",
  "FINALIZING",
  "CANCELING",
  "SUCCEEDED",
  "FAILED",
  "CANCELED",
] as const satisfies readonly JobState[];

const looks: Record<JobState, { label: string; tone: Tone }> = {
  QUEUED: { label: "Queued", tone: "idle" },
  PLANNING: { label: "Planning", tone: "run" },
  RUNNING: { label: "Running", tone: "run" },
  PAUSED: { label: "Paused", tone: "warn" },
  FINALIZING: { label: "Finalizing", tone: "run" },
  CANCELING: { label: "Canceling", tone: "warn" },
  SUCCEEDED: { label: "Succeeded", tone: "ok" },
  FAILED: { label: "Failed", tone: "bad" },
  CANCELED: { label: "Canceled", tone: "warn" },
};

const taskLooks: Record<TaskState, { label: string; tone: Tone }> = {
  PENDING: { label: "waiting", tone: "idle" },
  RUNNING: { label: "running", tone: "run" },
  SUCCEEDED: { label: "done", tone: "ok" },
  FAILED: { label: "failed", tone: "bad" },
  SKIPPED: { label: "skipped", tone: "idle" },
};

export function lookOf(state: JobState) {
  return looks[state];
}

export function taskLookOf(state: TaskState) {
  return taskLooks[state];
}

export function isFinal(state: JobState): boolean {
  return state === "SUCCEEDED" || state === "FAILED" || state === "CANCELED";
}

export function isJobState(text: string): text is JobState {
  return JOB_STATES.some((state) => state === text);
}

/** What can be done to a job in a state; the service has the last word. */
export function allowed(state: JobState) {
  return {
    pause: state === "QUEUED" || state === "PLANNING" || state === "RUNNING",
    resume: state === "PAUSED",
    cancel: !isFinal(state) && state !== "CANCELING",
    retry: state === "FAILED" || state === "CANCELED",
    remove: isFinal(state),
  };
}
