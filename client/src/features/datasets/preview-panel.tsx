import { IconRowRemove } from "@tabler/icons-react";
import { useDatasetPreview, type Dataset } from "../../api/datasets";
import { DataTable } from "../../ui/data-table";
import { plural } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { Empty, Failure, LoadingLines } from "../../ui/states";

const PREVIEW_ROWS = 50;

/** The first rows, read with the dialect and types as they are now. */
export function PreviewPanel({ dataset }: { dataset: Dataset }) {
  const ready = dataset.status === "READY";
  const { value, loading, problem, reload } = useDatasetPreview(dataset.id, PREVIEW_ROWS, ready);

  function content() {
    if (dataset.status === "INVALID") return <Empty icon={IconRowRemove} title="No rows can be shown" />;
    if (!ready || loading) return <LoadingLines label="Reading the first rows" lines={8} height={18} />;
    if (value === null) {
      return (
        <div style={{ padding: 14 }}>
          <Failure title="The first rows could not be read" message={problem?.message ?? ""} onRetry={reload} />
        </div>
      );
    }
    if (value.rows.length === 0) return <Empty icon={IconRowRemove} title="The file has no rows" />;
    return <DataTable label={`First rows of ${dataset.name}`} columns={value.columns} rows={value.rows} />;
  }

  const note =
    ready && value ? `${value.truncated ? "the first " : ""}${plural(value.rows.length, "row")}` : undefined;
  return (
    <Panel title="Preview" note={note} flush>
      {content()}
    </Panel>
  );
}
