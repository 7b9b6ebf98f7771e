import { useEffect } from "react";
import { useClient, useQuery } from "urql";
import { outcomeOf } from "./errors";
import {
  DatasetDocument,
  DatasetPreviewDocument,
  DatasetsDocument,
  DeleteDatasetDocument,
  RegisterDatasetDocument,
  UpdateDatasetDocument,
  type DatasetShapeFragment,
  type DatasetSummaryFragment,
  type PreviewFieldsFragment,
  type RegisterDatasetInput,
  type UpdateDatasetInput,
} from "./generated/graphql";
import { PAGE_SIZE, pageOf, useCursor, type Page } from "./paging";
import { useAnswer, type Answer } from "./query";

export type {
  ColumnFieldsFragment as Column,
  DatasetShapeFragment as Dataset,
  DatasetStatus,
  DatasetSummaryFragment as DatasetSummary,
  DialectInput,
  FileFormat,
  PreviewFieldsFragment as Preview,
  UpdateDatasetInput,
} from "./generated/graphql";

export function useDatasets(search: string): Answer<Page<DatasetSummaryFragment>> {
  const [after, advance] = useCursor(search);
  const query = useQuery({
    query: DatasetsDocument,
    variables: { first: PAGE_SIZE, after, search: search === "" ? null : search },
    requestPolicy: "cache-and-network",
  });
  return useAnswer(query, (data) => data.datasets && pageOf(data.datasets, advance));
}

/** How often to ask whether a dataset has been inspected. */
const INSPECTING_POLL_MS = 700;

/** One dataset; asks again while it is being inspected. */
export function useDataset(id: string): Answer<DatasetShapeFragment> {
  const query = useQuery({ query: DatasetDocument, variables: { id }, requestPolicy: "cache-and-network" });
  const answer = useAnswer(query, (data) => data.dataset);
  const { reload } = answer;
  const inspecting = answer.value?.status === "INSPECTING";
  useEffect(() => {
    if (!inspecting) return;
    const timer = setInterval(reload, INSPECTING_POLL_MS);
    return () => clearInterval(timer);
  }, [inspecting, reload]);
  return answer;
}

/** The first rows; reads them only once `ready` says that there is something to read. */
export function useDatasetPreview(id: string, first: number, ready: boolean): Answer<PreviewFieldsFragment> {
  const query = useQuery({ query: DatasetPreviewDocument, variables: { id, first }, pause: !ready });
  return useAnswer(query, (data) => data.dataset?.preview);
}

export function useDatasetActions() {
  const client = useClient();
  return {
    register: async (input: RegisterDatasetInput) =>
      outcomeOf(await client.mutation(RegisterDatasetDocument, { input }).toPromise(), (data) => data.registerDataset),
    update: async (input: UpdateDatasetInput) =>
      outcomeOf(await client.mutation(UpdateDatasetDocument, { input }).toPromise(), (data) => data.updateDataset),
    remove: async (datasetId: string) =>
      outcomeOf(
        await client.mutation(DeleteDatasetDocument, { input: { datasetId } }).toPromise(),
        (data) => data.deleteDataset,
      ),
    /** Columns of several datasets at once, for a query over all of them. */
    columns: async (ids: readonly string[]) => {
      const results = await Promise.all(ids.map((id) => client.query(DatasetDocument, { id }).toPromise()));
      return results.flatMap(({ data }) => (data?.dataset ? [data.dataset] : []));
    },
  };
}
