import { Progress as Bar, Text } from "@mantine/core";
import { IconClockExclamation, IconPlugConnectedX } from "@tabler/icons-react";
import type { Progress } from "../../api/jobs";
import { formatAge, formatBytes, formatByteRate, formatCount, formatFraction, formatShort } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { Stat, Stats } from "../../ui/stat";
import { useNow } from "../../ui/use-now";
import { isFinal } from "./job-state";
import { formatRange } from "./eta";
import { etaRange, staleForMs, type Live } from "./live";
import classes from "./progress-panel.module.css";

type ProgressPanelProps = { progress: Progress; live: Live; cutOff: boolean };

/** How far the job is, how fast, and how sure the page is of it. */
export function ProgressPanel({ progress, live, cutOff }: ProgressPanelProps) {
  const nowMs = useNow(1_000);
  const stale = staleForMs(live, nowMs);
  const still = isFinal(progress.state) || progress.state === "PAUSED";
  const tone = progress.state === "FAILED" ? "red" : progress.state === "CANCELED" || progress.state === "PAUSED" ? "gray" : undefined;
  return (
    <Panel
      title="Progress"
      actions={
        cutOff ? (
          <span className={classes.warning} role="status">
            <IconPlugConnectedX size={15} aria-hidden /> Live updates are interrupted; reconnecting
          </span>
        ) : stale === null ? undefined : (
          <span className={classes.warning} role="status">
            <IconClockExclamation size={15} aria-hidden /> Last report {formatAge(stale)} ago
          </span>
        )
      }
    >
      <div className={classes.head}>
        <Text component="span" className={classes.percent} data-testid="fraction">
          {formatFraction(progress.fraction)}
        </Text>
        <Text size="sm" c="dimmed" className="numeric">
          {formatBytes(progress.bytesRead)} of {formatBytes(progress.bytesTotal)} read
        </Text>
      </div>
      <Bar.Root size={10} radius="xl" mb="md">
        <Bar.Section
          value={progress.fraction * 100}
          color={tone}
          aria-label="Progress of the job"
          striped={progress.state === "FINALIZING"}
          animated={progress.state === "FINALIZING"}
        />
      </Bar.Root>
      <Stats label="Figures of the job">
        <Stat name="Throughput" value={still ? "–" : formatByteRate(progress.bytesPerSecond)} />
        <Stat name="Rows a second" value={still ? "–" : formatShort(progress.rowsPerSecond)} />
        <Stat name="Time left" value={formatRange(etaRange(live)) ?? "–"} />
        <Stat name="Rows read" value={formatCount(progress.rowsRead)} />
        <Stat name="Rows written" value={formatCount(progress.rowsWritten)} />
        <Stat
          name="Rows rejected"
          value={formatCount(progress.rowsRejected)}
          tone={progress.rowsRejected > 0 ? "warn" : "plain"}
        />
      </Stats>
    </Panel>
  );
}
