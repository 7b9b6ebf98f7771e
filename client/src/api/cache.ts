import type { Exchange } from "@urql/core";
import { cacheExchange, type Cache } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { JobsDocument, type JobFilter, type JobSummaryFragment } from "./generated/graphql";

const embedded = () => null;

/** The normalised cache: a job that changes changes in every list and on every page that shows it. */
export function cache(): Exchange {
  return cacheExchange({
    keys: {
      Cluster: embedded,
      ClusterNode: embedded,
      Column: embedded,
      Dialect: embedded,
      JobEvent: embedded,
      JobFailure: embedded,
      JobPlan: embedded,
      JobProgress: embedded,
      PlannedStage: embedded,
      Preview: embedded,
      RecipeVersion: embedded,
      RowBalance: embedded,
      SignedPart: embedded,
      Stage: embedded,
      Task: embedded,
      Usage: embedded,
      UserLimits: embedded,
    },
    resolvers: {
      Query: {
        jobs: relayPagination(),
        datasets: relayPagination(),
        users: relayPagination(),
        auditLog: relayPagination(),
        recipes: relayPagination(),
      },
    },
    updates: {
      Mutation: {
        cloneJob: (_result, _args, store) => store.invalidate("Query", "jobs"),
        deleteJob: (_result, _args, store) => store.invalidate("Query", "jobs"),
        createJob: (_result, _args, store) => store.invalidate("Query", "jobs"),
        completeUpload: (_result, _args, store) => store.invalidate("Query", "datasets"),
        registerDataset: (_result, _args, store) => store.invalidate("Query", "datasets"),
        updateDataset: (_result, args, store) => dropPreview(store, args["input"]),
        createApiToken: (_result, _args, store) => store.invalidate("Query", "apiTokens"),
        revokeApiToken: (_result, _args, store) => store.invalidate("Query", "apiTokens"),
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
  const pages = store.inspectFields("Query").filter(({ fieldName }) => fieldName === "jobs");
  const grown = new Set<string>();
  for (const { arguments: given } of pages) {
    if (typeof given?.["first"] !== "number" || given["after"]) continue;
    const filter = isFilter(given["filter"]) ? given["filter"] : null;
    if (filter?.search) continue;
    if (filter?.states && filter.states.length > 0 && !filter.states.includes(job.state)) continue;
    store.updateQuery({ query: JobsDocument, variables: { first: given["first"], after: null, filter } }, (data) => {
      if (!data?.jobs || data.jobs.edges.some(({ node }) => node.id === job.id)) return data;
      grown.add(JSON.stringify(given["filter"]));
      const edge = { __typename: "JobEdge", cursor: `live:${job.id}`, node: job };
      return { ...data, jobs: { ...data.jobs, totalCount: data.jobs.totalCount + 1, edges: [edge, ...data.jobs.edges] } };
    });
  }
  // The count that is shown is that of the last page; it is asked for again.
  for (const { arguments: given, fieldKey } of pages) {
    if (given?.["after"] && grown.has(JSON.stringify(given["filter"]))) store.invalidate("Query", fieldKey);
  }
}

function isFilter(value: unknown): value is JobFilter {
  return typeof value === "object" && value !== null;
}
