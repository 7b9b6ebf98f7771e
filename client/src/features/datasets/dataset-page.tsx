import { Button, Group, Loader, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDatabaseOff, IconPlayerPlay, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useDataset, useDatasetActions, type Dataset, type UpdateDatasetInput } from "../../api/datasets";
import type { Problem } from "../../api/errors";
import { formatBytes, formatDateTime, plural } from "../../ui/format";
import { Page } from "../../ui/page";
import { Empty, Failure, LoadingLines } from "../../ui/states";
import { ColumnsPanel } from "./columns-panel";
import classes from "./dataset-page.module.css";
import { DeleteDialog } from "./delete-dialog";
import { DialectPanel } from "./dialect-panel";
import { PreviewPanel } from "./preview-panel";

export function DatasetPage() {
  const { id = "" } = useParams();
  const { value, loading, problem, reload } = useDataset(id);
  if (loading) return <LoadingLines label="Loading the dataset" lines={10} />;
  if (value) return <DatasetView key={value.id} dataset={value} />;
  if (problem) return <Failure title="The dataset could not be loaded" message={problem.message} onRetry={reload} />;
  return (
    <Page title="No such dataset">
      <Empty icon={IconDatabaseOff} title="This dataset does not exist, or is not yours" />
    </Page>
  );
}

function DatasetView({ dataset }: { dataset: Dataset }) {
  const { update, remove } = useDatasetActions();
  const navigate = useNavigate();
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [busy, setBusy] = useState(false);
  const [deleting, { open, close }] = useDisclosure(false);
  const inspecting = dataset.status === "INSPECTING";

  async function correct(change: Omit<UpdateDatasetInput, "datasetId">) {
    setBusy(true);
    const outcome = await update({ datasetId: dataset.id, ...change });
    setBusy(false);
    setProblems(outcome.problems);
  }

  async function forget() {
    setBusy(true);
    const outcome = await remove(dataset.id);
    setBusy(false);
    close();
    setProblems(outcome.problems);
    if (outcome.payload?.deletedId) void navigate("/datasets");
  }

  const [first] = problems;
  return (
    <Page
      title={dataset.name}
      badge={inspecting ? <Loader size={16} aria-label="Being inspected" /> : undefined}
      lead={
        <Text size="sm" c="dimmed" className="numeric">
          {dataset.format} · {formatBytes(dataset.sizeBytes)} · {plural(dataset.fileCount, "file")} ·{" "}
          {dataset.columns.length > 0 ? `${plural(dataset.columns.length, "column")} · ` : ""}
          added {formatDateTime(dataset.createdAt)}
        </Text>
      }
      actions={
        <>
          <Button
            variant="default"
            leftSection={<IconTrash size={15} aria-hidden />}
            onClick={open}
          >
            Delete
          </Button>
          {dataset.status === "READY" ? (
            <Button
              component={Link}
              to={`/jobs/new?dataset=${encodeURIComponent(dataset.id)}`}
              leftSection={<IconPlayerPlay size={15} aria-hidden />}
            >
              New job
            </Button>
          ) : null}
        </>
      }
    >
      <DeleteDialog name={dataset.name} opened={deleting} busy={busy} onClose={close} onDelete={() => void forget()} />
      {first ? <Failure title="The change was not made" message={first.message} /> : null}
      {dataset.status === "INVALID" ? (
        <Failure
          title="This file cannot be read as it is"
          message={dataset.problem ?? "The service gave no reason."}
          hint="Correct how it is read, and it is looked at again."
        />
      ) : null}
      <div className={classes.grid}>
        <div className={classes.wide}>
          <PreviewPanel dataset={dataset} />
          <ColumnsPanel columns={dataset.columns} busy={busy || inspecting} onChange={(columns) => void correct({ columns })} />
        </div>
        <Group className={classes.aside} align="stretch">
          <DialectPanel dataset={dataset} busy={busy || inspecting} onChange={(change) => void correct(change)} />
        </Group>
      </div>
    </Page>
  );
}
