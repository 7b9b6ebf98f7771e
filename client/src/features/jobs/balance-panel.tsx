import { IconAlertTriangle, IconCircleCheck } from "@tabler/icons-react";
import type { Job, Progress, RowBalance } from "../../api/jobs";
import { formatBytes, formatByteRate, formatCount, formatDuration, formatFraction } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { Stat, Stats } from "../../ui/stat";
import classes from "./balance-panel.module.css";

type BalancePanelProps = { balance: RowBalance; progress: Progress; job: Job };

/** Every row of the input accounted for: read = passed + rejected. */
export function BalancePanel({ balance, progress, job }: BalancePanelProps) {
  const { read, passed, rejected, written, closes } = balance;
  const share = (part: number) => (read === 0 ? 0 : (part / read) * 100);
  const seconds =
    job.startedAt && job.finishedAt ? (Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1000 : null;
  const Icon = closes ? IconCircleCheck : IconAlertTriangle;
  return (
    <Panel
      title="Row balance"
      note={`${formatFraction(progress.fraction)} of ${formatBytes(progress.bytesTotal)} read`}
      actions={
        <span className={classes.verdict} data-closes={closes}>
          <Icon size={16} aria-hidden />
          {closes ? "Closes: every row is accounted for" : "Does not close"}
        </span>
      }
    >
      <div
        className={classes.bar}
        role="img"
        aria-label={`${formatCount(passed)} of ${formatCount(read)} rows passed, ${formatCount(rejected)} were rejected`}
      >
        <span className={classes.passed} style={{ width: `${share(passed)}%` }} />
        {rejected > 0 ? <span className={classes.rejected} style={{ width: `max(${share(rejected)}%, 4px)` }} /> : null}
      </div>
      <Stats label="Row balance">
        <Stat name="Read" value={formatCount(read)} note="rows" />
        <Stat name="Passed" value={formatCount(passed)} />
        <Stat name="Rejected" value={formatCount(rejected)} tone={rejected > 0 ? "warn" : "plain"} />
        <Stat name="Written" value={formatCount(written)} note="rows" />
        {seconds === null ? null : (
          <Stat
            name="Took"
            value={formatDuration(seconds)}
            note={seconds > 0 ? formatByteRate(progress.bytesTotal / seconds) : undefined}
          />
        )}
      </Stats>
    </Panel>
  );
}
