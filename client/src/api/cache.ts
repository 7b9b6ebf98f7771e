import type { Exchange } from "@urql/core";
import { cacheExchange, type Cache } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { JobsDocument, type JobFilter, type JobSummaryFragment } from "./generated/graphql";

const embedded = () => null;

/** The normalised cache: a job that changes changes in every list and on every page that shows it. */
export function cache(): Exchange {
  return cacheExchange({
    keys: {
      Column: embedded,
      Dialect: embedded,
      JobEvent: embedded,
      JobFailure: embedded,
      JobPlan: embedded,
      JobProgress: embedded,
      PlannedStage: embedded,
      Preview: embedded,
      RowBalance: embedded,
      SignedPart: embedded,
      Stage: embedded,
      Task: embedded,
    },
    resolvers: {
      Query: {
        jobs: relayPagination(),
        datasets: relayPagination(),
      },
    },
    updates: {
      Mutation: {
        createJob: (_result, _args, store) => store.invalidate("Query", "jobs"),
        completeUpload: (_result, _args, store) => store.invalidate("Query", "datasets"),
        registerDataset: (_result, _args, store) => store.invalidate("Query", "datasets"),
        updateDataset: (_result, args, store) => dropPreview(store, args["input"]),
        deleteDataset: (_result, _args, store) => store.invalidate("Query", "datasets"),
      },
      Subscription: {
        jobUpdates: (result, _args, store) => {
          if (isJobUpdate(result)) addToHistory(store, result.jobUpdates);
        },
      },
    },
  });
}

function isJobUpdate(result: object): result is { jobUpdates: JobSummaryFragment & { __typename: "Job" } } {
  return "jobUpdates" in result;
}

function dropPreview(store: Cache, input: unknown) {
  if (typeof input !== "object" || input === null || !("datasetId" in input)) return;
  if (typeof input.datasetId !== "string") return;
  const key = { __typename: "Dataset", id: input.datasetId };
  for (const field of store.inspectFields(key)) {
    if (field.fieldName === "preview") store.invalidate(key, field.fieldKey);
  }
}

/** A job that began elsewhere appears on top of the lists that would hold it; a known one is already up to date. */
function addToHistory(store: Cache, job: JobSummaryFragment & { __typename: "Job" }) {
  for (const { fieldName, arguments: given } of store.inspectFields("Query")) {
    if (fieldName !== "jobs" || given === null || given["after"]) continue;
    const first = typeof given["first"] === "number" ? given["first"] : null;
    const filter = isFilter(given["filter"]) ? given["filter"] : null;
    if (first === null || filter?.search) continue;
    if (filter?.states && filter.states.length > 0 && !filter.states.includes(job.state)) continue;
    store.updateQuery({ query: JobsDocument, variables: { first, filter } }, (data) => {
      if (!data?.jobs || data.jobs.edges.some(({ node }) => node.id === job.id)) return data;
      const edge = { __typename: "JobEdge", cursor: `live:${job.id}`, node: job };
      return { ...data, jobs: { ...data.jobs, totalCount: data.jobs.totalCount + 1, edges: [edge, ...data.jobs.edges] } };
    });
  }
}

function isFilter(value: unknown): value is JobFilter {
  return typeof value === "object" && value !== null;
}
