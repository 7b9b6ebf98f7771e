import { ActionIcon, Button, CloseButton, Group, Progress, Text } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { Link } from "react-router";
import { assertNever } from "../../ui/assert-never";
import { formatByteRate, formatBytes, formatDuration, formatFraction } from "../../ui/format";
import { Panel } from "../../ui/panel";
import classes from "./uploads-panel.module.css";
import { useUploads } from "./uploads-provider";
import type { UploadItem, UploadsStore } from "./uploads-store";

/** The files on their way, and those that an earlier visit left unfinished. */
export function UploadsPanel() {
  const { items, store } = useUploads();
  const unfinished = store.getUnfinished();
  if (items.length === 0 && unfinished.length === 0) return null;
  return (
    <Panel title="Uploads" flush>
      <ul className={classes.list}>
        {items.map((item) => (
          <UploadRow key={item.key} item={item} store={store} />
        ))}
        {unfinished.map(({ fingerprint, filename, sizeBytes }) => (
          <li key={fingerprint} className={classes.row}>
            <div className={classes.name}>
              <Text fw={550} truncate>
                {filename}
              </Text>
              <Text size="xs" c="dimmed" className="numeric">
                {formatBytes(sizeBytes)} · unfinished. Choose the same file again to go on.
              </Text>
            </div>
            <CloseButton aria-label={`Forget ${filename}`} onClick={() => store.forget(fingerprint)} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function statusOf(item: UploadItem): string {
  const { phase } = item;
  switch (phase.kind) {
    case "waiting":
      return `${formatBytes(item.sizeBytes)} · waits for its turn`;
    case "preparing":
      return `${formatBytes(item.sizeBytes)} · preparing`;
    case "sending": {
      const sent = `${formatBytes(item.sentBytes)} of ${formatBytes(item.sizeBytes)}`;
      const parts = `part ${item.storedCount} of ${item.partCount}`;
      if (item.bytesPerSecond === null || item.bytesPerSecond <= 0) return `${sent} · ${parts}`;
      const left = (item.sizeBytes - item.sentBytes) / item.bytesPerSecond;
      return `${sent} · ${parts} · ${formatByteRate(item.bytesPerSecond)} · ${formatDuration(left)} left`;
    }
    case "paused":
      return `Paused at ${formatBytes(item.sentBytes)} of ${formatBytes(item.sizeBytes)}`;
    case "completing":
      return "Putting the parts together and reading the first rows";
    case "failed":
      return phase.message;
    case "done":
      return `${formatBytes(item.sizeBytes)} · uploaded`;
    default:
      return assertNever(phase);
  }
}

function UploadRow({ item, store }: { item: UploadItem; store: UploadsStore }) {
  const { phase, key, filename } = item;
  const fraction = phase.kind === "done" ? 1 : item.sizeBytes === 0 ? 0 : item.sentBytes / item.sizeBytes;
  return (
    <li className={classes.row}>
      <div className={classes.name}>
        <Group justify="space-between" wrap="nowrap" gap="sm">
          <Text fw={550} truncate>
            {filename}
          </Text>
          {phase.kind === "sending" || phase.kind === "paused" ? (
            <Text size="sm" className="numeric">
              {formatFraction(fraction)}
            </Text>
          ) : null}
        </Group>
        {phase.kind === "done" ? null : (
          <Progress
            my={6}
            size="sm"
            value={fraction * 100}
            color={phase.kind === "failed" ? "red" : phase.kind === "paused" ? "gray" : undefined}
            striped={phase.kind === "completing"}
            animated={phase.kind === "completing"}
            aria-label={`Upload of ${filename}`}
          />
        )}
        <Text
          size="xs"
          c={phase.kind === "failed" ? "var(--k-bad)" : "dimmed"}
          className="numeric"
          role={phase.kind === "failed" ? "alert" : undefined}
        >
          {statusOf(item)}
        </Text>
      </div>
      {phase.kind === "sending" ? (
        <ActionIcon variant="default" title="Pause" aria-label={`Pause ${filename}`} onClick={() => store.pause(key)}>
          <IconPlayerPause size={16} aria-hidden />
        </ActionIcon>
      ) : null}
      {phase.kind === "paused" ? (
        <ActionIcon variant="default" title="Go on" aria-label={`Go on with ${filename}`} onClick={() => store.resume(key)}>
          <IconPlayerPlay size={16} aria-hidden />
        </ActionIcon>
      ) : null}
      {phase.kind === "failed" ? (
        <Button size="xs" variant="default" onClick={() => store.resume(key)}>
          Try again
        </Button>
      ) : null}
      {phase.kind === "done" ? (
        <Button size="xs" variant="light" component={Link} to={`/datasets/${encodeURIComponent(phase.datasetId)}`}>
          Open dataset
        </Button>
      ) : null}
      {phase.kind === "completing" ? null : (
        <CloseButton
          aria-label={phase.kind === "done" ? `Dismiss ${filename}` : `Cancel the upload of ${filename}`}
          onClick={() => store.remove(key)}
        />
      )}
    </li>
  );
}
