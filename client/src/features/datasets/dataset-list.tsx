import { Loader, Text } from "@mantine/core";
import { IconAlertTriangle, IconFileTypeCsv, IconFileTypography, IconTable, type TablerIcon } from "@tabler/icons-react";
import { Link } from "react-router";
import { useDataset, type DatasetSummary, type FileFormat } from "../../api/datasets";
import type { Page } from "../../api/paging";
import { formatAgo, formatBytes, formatDateTime, plural } from "../../ui/format";
import { Rows } from "../../ui/rows";
import { useNow } from "../../ui/use-now";
import classes from "./dataset-list.module.css";

const ROW_HEIGHT_PX = 56;

const icons: Record<FileFormat, TablerIcon> = {
  CSV: IconFileTypeCsv,
  NDJSON: IconFileTypography,
  PARQUET: IconTable,
  ARROW: IconTable,
};

export function DatasetList({ page }: { page: Page<DatasetSummary> }) {
  return (
    <Rows
      label="Datasets"
      items={page.nodes}
      itemKey={({ id }) => id}
      rowHeight={ROW_HEIGHT_PX}
      totalCount={page.totalCount}
      hasMore={page.hasMore}
      onMore={page.loadMore}
      render={(dataset) => <DatasetRow dataset={dataset} />}
    />
  );
}

/** Mounted only while a dataset is being inspected: it asks until that is over, and the cache tells the row. */
function Inspecting({ id }: { id: string }) {
  useDataset(id);
  return (
    <span className={classes.state}>
      <Loader size={12} aria-hidden /> Being inspected
    </span>
  );
}

function DatasetRow({ dataset }: { dataset: DatasetSummary }) {
  const Icon = icons[dataset.format];
  const nowMs = useNow();
  return (
    <div className={classes.row}>
      <Icon size={22} stroke={1.5} className={classes.icon} aria-hidden />
      <div className={classes.name}>
        <Link to={`/datasets/${encodeURIComponent(dataset.id)}`} className={classes.link}>
          {dataset.name}
        </Link>
        <Text size="xs" c="dimmed" truncate className="numeric">
          {dataset.format} · {formatBytes(dataset.sizeBytes)}
          {dataset.fileCount > 1 ? ` · ${plural(dataset.fileCount, "file")}` : ""}
        </Text>
      </div>
      {dataset.status === "INSPECTING" ? <Inspecting id={dataset.id} /> : null}
      {dataset.status === "INVALID" ? (
        <span className={classes.state} data-tone="bad">
          <IconAlertTriangle size={14} aria-hidden /> Cannot be read
        </span>
      ) : null}
      <Text size="xs" c="dimmed" className={classes.when} title={formatDateTime(dataset.createdAt)}>
        {formatAgo(dataset.createdAt, nowMs)}
      </Text>
      {dataset.status === "READY" ? (
        <Link
          to={`/jobs/new?dataset=${encodeURIComponent(dataset.id)}`}
          className={classes.query}
          aria-label={`Query ${dataset.name}`}
        >
          Query
        </Link>
      ) : (
        <span className={classes.query} aria-hidden />
      )}
    </div>
  );
}
