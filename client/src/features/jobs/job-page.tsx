import { Button, Group, Stack, Text } from "@mantine/core";
import { IconCopy, IconMoodEmpty, IconPlayerStop } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { useJobActions, type Job, type JobState } from "../../api/jobs";
import type { Problem } from "../../api/errors";
import { formatDateTime, formatDuration } from "../../ui/format";
import { Page } from "../../ui/page";
import { Empty, Failure, LoadingLines } from "../../ui/states";
import { BalancePanel } from "./balance-panel";
import { EventsPanel } from "./events-panel";
import { isFinal } from "./job-state";
import type { Live } from "./live";
import { ProgressPanel } from "./progress-panel";
import { QueryPanel } from "./query-panel";
import { ResultPanels } from "./result-panels";
import { StagesPanel } from "./stages-panel";
import { StateBadge } from "./state-badge";
import { ThroughputPanel } from "./throughput-panel";
import { useLiveJob } from "./use-live-job";
import classes from "./job-page.module.css";

export default function JobPage() {
  const { id = "" } = useParams();
  return <LoadedJob key={id} id={id} />;
}

function LoadedJob({ id }: { id: string }) {
  const { answer, job, state, live, cutOff } = useLiveJob(id);
  if (answer.loading) return <LoadingLines label="Loading the job" lines={10} />;
  if (job && state) return <JobView job={job} state={state} live={live} cutOff={cutOff} />;
  if (answer.problem) {
    return <Failure title="The job could not be loaded" message={answer.problem.message} onRetry={answer.reload} />;
  }
  return (
    <Page title="No such job">
      <Empty icon={IconMoodEmpty} title="This job does not exist, or is not yours" />
    </Page>
  );
}

type JobViewProps = { job: Job; state: JobState; live: Live; cutOff: boolean };

function JobView({ job, state, live, cutOff }: JobViewProps) {
  const { cancel } = useJobActions();
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [asked, setAsked] = useState(false);
  const ended = isFinal(state);
  const progress = live.progress ?? job.progress;
  const [problem] = problems;

  async function stop() {
    setAsked(true);
    const outcome = await cancel(job.id);
    setProblems(outcome.problems);
    if (outcome.problems.length > 0) setAsked(false);
  }

  return (
    <Page
      title={job.name}
      badge={<StateBadge state={state} />}
      lead={<Lead job={job} ended={ended} />}
      actions={
        <>
          <Button
            variant="default"
            component={Link}
            to={`/jobs/new?from=${encodeURIComponent(job.id)}`}
            leftSection={<IconCopy size={15} aria-hidden />}
          >
            Edit and run again
          </Button>
          {ended ? null : (
            <Button
              variant="default"
              c="var(--k-bad)"
              leftSection={<IconPlayerStop size={15} aria-hidden />}
              loading={asked && state !== "CANCELING"}
              disabled={state === "CANCELING"}
              onClick={() => void stop()}
            >
              Cancel
            </Button>
          )}
        </>
      }
    >
      {problem ? <Failure title="The job was not canceled" message={problem.message} /> : null}
      {job.failure ? (
        <Failure title="The job failed" message={job.failure.message} hint={job.failure.hint} />
      ) : null}
      {ended && state === "SUCCEEDED" ? null : <ProgressPanel progress={progress} live={live} cutOff={cutOff} />}
      {job.rowBalance ? <BalancePanel balance={job.rowBalance} progress={progress} job={job} /> : null}
      {ended ? <ResultPanels artifacts={job.artifacts} /> : null}
      <div className={classes.grid}>
        <Stack gap="md" miw={0}>
          <StagesPanel stages={progress.stages} />
          {live.samples.length > 1 ? <ThroughputPanel live={live} /> : null}
        </Stack>
        <Stack gap="md" miw={0}>
          <QueryPanel job={job} />
          <EventsPanel jobId={job.id} />
        </Stack>
      </div>
    </Page>
  );
}

function Lead({ job, ended }: { job: Job; ended: boolean }) {
  const took = job.startedAt && job.finishedAt ? (Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1000 : null;
  return (
    <Group gap={6}>
      <Text size="sm" c="dimmed" className="numeric">
        {job.sources.map(({ name }) => name).join(", ")} · created {formatDateTime(job.createdAt)}
        {ended && took !== null ? ` · took ${formatDuration(took)}` : ""}
      </Text>
    </Group>
  );
}
