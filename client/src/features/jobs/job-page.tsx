import { Alert, Group, Stack, Text } from "@mantine/core";
import { IconMoodEmpty, IconPlayerPause, IconPlayerStop, type TablerIcon } from "@tabler/icons-react";
import { useReducer, useState } from "react";
import { useParams } from "react-router";
import type { Job, JobState } from "../../api/jobs";
import type { Problem } from "../../api/errors";
import { formatDateTime, formatDuration } from "../../ui/format";
import { Page } from "../../ui/page";
import { Empty, Failure, LoadingLines } from "../../ui/states";
import { BalancePanel } from "./balance-panel";
import { EventsPanel } from "./events-panel";
import { JobActions } from "./job-actions";
import { isFinal } from "./job-state";
import type { Live } from "./live";
import { ProgressPanel } from "./progress-panel";
import { QueryPanel } from "./query-panel";
import { ResultPanels } from "./result-panels";
import { StagesPanel } from "./stages-panel";
import { StateBadge } from "./state-badge";
import { text } from "./text";
import { ThroughputPanel } from "./throughput-panel";
import { useLiveJob } from "./use-live-job";
import classes from "./job-page.module.css";

export default function JobPage() {
  const { id = "" } = useParams();
  const [run, restart] = useReducer((count: number) => count + 1, 0);
  return <LoadedJob key={`${id} ${run}`} id={id} onRestart={restart} />;
}

function LoadedJob({ id, onRestart }: { id: string; onRestart: () => void }) {
  const { answer, job, state, live, cutOff } = useLiveJob(id, onRestart);
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
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const ended = isFinal(state);
  const progress = live.progress ?? job.progress;
  const [problem] = problems;

  return (
    <Page
      title={job.name}
      badge={<StateBadge state={state} />}
      lead={<Lead job={job} ended={ended} />}
      actions={<JobActions job={job} state={state} onProblems={setProblems} />}
    >
      {problem ? <Failure title={text.actions.refused} message={problem.message} /> : null}
      {job.failure && ended ? (
        <Failure title={text.failed.title} message={job.failure.message} hint={job.failure.hint} />
      ) : null}
      {state === "PAUSED" ? <Notice icon={IconPlayerPause} {...text.paused} /> : null}
      {state === "CANCELED" ? <Notice icon={IconPlayerStop} {...text.canceled} /> : null}
      {ended && state === "SUCCEEDED" ? null : <ProgressPanel progress={progress} live={live} cutOff={cutOff} />}
      {job.rowBalance ? <BalancePanel balance={job.rowBalance} progress={progress} job={job} /> : null}
      {ended ? <ResultPanels artifacts={job.artifacts} /> : null}
      <div className={classes.grid}>
        <Stack gap="md" miw={0}>
          <StagesPanel jobId={job.id} stages={progress.stages} ended={ended} />
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

function Notice({ icon: Icon, title, says }: { icon: TablerIcon; title: string; says: string }) {
  return (
    <Alert color="gray" variant="default" icon={<Icon aria-hidden />} title={title} role="status">
      {says}
    </Alert>
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
