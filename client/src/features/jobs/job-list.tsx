import { Text } from "@mantine/core";
import { Link } from "react-router";
import type { JobSummary } from "../../api/jobs";
import type { Page } from "../../api/paging";
import { formatAgo, formatDateTime, formatDuration, formatShort } from "../../ui/format";
import { Rows } from "../../ui/rows";
import { useNow } from "../../ui/use-now";
import classes from "./job-list.module.css";
import { StateBadge } from "./state-badge";

const ROW_HEIGHT_PX = 54;

export function JobList({ page }: { page: Page<JobSummary> }) {
  return (
    <Rows
      label="Jobs"
      items={page.nodes}
      itemKey={({ id }) => id}
      rowHeight={ROW_HEIGHT_PX}
      totalCount={page.totalCount}
      hasMore={page.hasMore}
      onMore={page.loadMore}
      render={(job) => <JobRow job={job} />}
    />
  );
}

function JobRow({ job }: { job: JobSummary }) {
  const nowMs = useNow();
  const { rowBalance: balance, failure } = job;
  const seconds =
    job.startedAt && job.finishedAt ? (Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1000 : null;
  return (
    <div className={classes.row}>
      <div className={classes.state}>
        <StateBadge state={job.state} />
      </div>
      <div className={classes.name}>
        <Link to={`/jobs/${encodeURIComponent(job.id)}`} className={classes.link}>
          {job.name}
        </Link>
        <Text size="xs" c="dimmed" truncate className="numeric">
          {failure
            ? failure.message
            : balance
              ? `${formatShort(balance.read)} rows read, ${formatShort(balance.rejected)} rejected, ${formatShort(balance.written)} written`
              : ""}
        </Text>
      </div>
      <Text size="xs" c="dimmed" className={`${classes.took} numeric`}>
        {seconds === null ? "" : formatDuration(seconds)}
      </Text>
      <Text size="xs" c="dimmed" className={classes.when} title={formatDateTime(job.createdAt)}>
        {formatAgo(job.createdAt, nowMs)}
      </Text>
    </div>
  );
}
