import type { Usage } from "../../api/account";
import { formatBytes, formatCount, formatDuration, formatShort } from "../../ui/format";
import { Stat, Stats } from "../../ui/stat";
import { account } from "../../words/account";

const words = account.usage;

type UsageStatsProps = { label: string; usage: Usage; quotaBytes?: number | null };

/** What a user has used, in figures side by side. */
export function UsageStats({ label, usage, quotaBytes = null }: UsageStatsProps) {
  return (
    <Stats label={label}>
      <Stat name={words.jobs} value={formatCount(usage.jobs)} note={words.succeeded(formatCount(usage.jobsSucceeded))} />
      <Stat name={words.read} value={formatBytes(usage.bytesRead)} note={words.rows(formatShort(usage.rowsRead))} />
      <Stat name={words.time} value={formatDuration(usage.cpuSeconds)} />
      <Stat
        name={words.stored}
        value={formatBytes(usage.storedBytes)}
        note={quotaBytes === null ? words.storedNote : words.quota(formatBytes(quotaBytes))}
      />
    </Stats>
  );
}
