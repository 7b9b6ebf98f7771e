import { useMemo } from "react";
import { useClient, useQuery, useSubscription } from "urql";
import { outcomeOf, problemOf, type Problem } from "./errors";
import {
  ArtifactPreviewDocument,
  CancelJobDocument,
  CloneJobDocument,
  CreateJobDocument,
  DeleteJobDocument,
  ExplainJobDocument,
  JobDocument,
  JobEventsDocument,
  JobProgressDocument,
  JobsDocument,
  JobTasksDocument,
  JobUpdatesDocument,
  PauseJobDocument,
  ResumeJobDocument,
  RetryJobDocument,
  type CloneJobInput,
  type CreateJobInput,
  type EventFieldsFragment,
  type JobFieldsFragment,
  type JobState,
  type JobSummaryFragment,
  type PreviewFieldsFragment,
  type ProgressFieldsFragment,
  type TaskFieldsFragment,
} from "./generated/graphql";
import { PAGE_SIZE, pageOf, useCursor, type Page } from "./paging";
import { useAnswer, type Answer } from "./query";

export type {
  ArtifactKind,
  BadRowPolicy,
  CreateJobInput,
  EventFieldsFragment as JobEvent,
  FailureFieldsFragment as JobFailure,
  JobFieldsFragment as Job,
  JobState,
  JobSummaryFragment as JobSummary,
  ProgressFieldsFragment as Progress,
  TaskFieldsFragment as Task,
  TaskState,
} from "./generated/graphql";
export type Artifact = JobFieldsFragment["artifacts"][number];
export type Stage = ProgressFieldsFragment["stages"][number];
export type StageTasks = { index: number; tasks: readonly TaskFieldsFragment[] };
export type RowBalance = NonNullable<JobSummaryFragment["rowBalance"]>;

/** Tasks a request; the service's limit. */
export const TASKS_PAGE = 1_000;

export function useJobs(search: string, states: readonly JobState[]): Answer<Page<JobSummaryFragment>> {
  const [after, advance] = useCursor(`${states.join()} ${search}`);
  const filter = useMemo(
    () => ({ search: search === "" ? null : search, states: states.length === 0 ? null : [...states] }),
    [search, states],
  );
  const query = useQuery({
    query: JobsDocument,
    variables: { first: PAGE_SIZE, after, filter },
    requestPolicy: "cache-and-network",
  });
  return useAnswer(query, (data) => data.jobs && pageOf(data.jobs, advance));
}

export function useJob(id: string): Answer<JobFieldsFragment> {
  const query = useQuery({ query: JobDocument, variables: { id }, requestPolicy: "cache-and-network" });
  return useAnswer(query, (data) => data.job);
}

export function useArtifactPreview(id: string, first: number): Answer<PreviewFieldsFragment> {
  const query = useQuery({ query: ArtifactPreviewDocument, variables: { id, first } });
  return useAnswer(query, ({ node }) => (node && "preview" in node ? node.preview : null));
}

/** Calls `onProgress` with every snapshot, until the job has ended or `live` is false. */
export function useJobProgress(jobId: string, live: boolean, onProgress: (progress: ProgressFieldsFragment) => void) {
  useSubscription({ query: JobProgressDocument, variables: { jobId }, pause: !live }, (_previous, data) => {
    onProgress(data.jobProgress);
    return data;
  });
}

/** Calls `onEvent` with every event from the first on; after a lost connection some come twice. */
export function useJobEvents(jobId: string, onEvent: (event: EventFieldsFragment) => void) {
  useSubscription({ query: JobEventsDocument, variables: { jobId, after: 0 } }, (_previous, data) => {
    onEvent(data.jobEvents);
    return data;
  });
}

/** Keeps every list of jobs up to date, for as long as it is mounted. */
export function useJobUpdates() {
  useSubscription({ query: JobUpdatesDocument });
}

export function useJobActions() {
  const client = useClient();
  return useMemo(
    () => ({
      create: async (input: CreateJobInput) =>
        outcomeOf(await client.mutation(CreateJobDocument, { input }).toPromise(), (data) => data.createJob),
      cancel: async (jobId: string) =>
        outcomeOf(await client.mutation(CancelJobDocument, { input: { jobId } }).toPromise(), (data) => data.cancelJob),
      pause: async (jobId: string) =>
        outcomeOf(await client.mutation(PauseJobDocument, { input: { jobId } }).toPromise(), (data) => data.pauseJob),
      resume: async (jobId: string) =>
        outcomeOf(await client.mutation(ResumeJobDocument, { input: { jobId } }).toPromise(), (data) => data.resumeJob),
      retry: async (jobId: string) =>
        outcomeOf(await client.mutation(RetryJobDocument, { input: { jobId } }).toPromise(), (data) => data.retryJob),
      clone: async (input: CloneJobInput) =>
        outcomeOf(await client.mutation(CloneJobDocument, { input }).toPromise(), (data) => data.cloneJob),
      remove: async (jobId: string) =>
        outcomeOf(await client.mutation(DeleteJobDocument, { input: { jobId } }).toPromise(), (data) => data.deleteJob),
      /** One page of tasks of every stage: those after shard number `after`. */
      tasks: async (id: string, after: number | null): Promise<Problem | readonly StageTasks[]> => {
        const { data, error } = await client
          .query(JobTasksDocument, { id, first: TASKS_PAGE, after }, { requestPolicy: "network-only" })
          .toPromise();
        return error ? problemOf(error) : (data?.job?.progress.stages ?? []);
      },
      explain: async (input: CreateJobInput) =>
        outcomeOf(
          await client.query(ExplainJobDocument, { input }, { requestPolicy: "network-only" }).toPromise(),
          (data) => data.explainJob,
        ),
    }),
    [client],
  );
}
