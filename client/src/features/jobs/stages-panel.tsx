import { Progress as Bar, Text } from "@mantine/core";
import type { Stage, Task } from "../../api/jobs";
import { formatBytes, formatCount, formatFraction, plural } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { taskLookOf } from "./job-state";
import { shardsOfNote } from "./shard-book";
import { describeShard, ShardMap } from "./shard-map";
import classes from "./stages-panel.module.css";
import { text } from "./text";
import { useShards } from "./use-shards";

/** More shards than this are not listed one by one. */
const MAX_NOTED = 20;
const none: readonly Task[] = [];

type StagesPanelProps = { jobId: string; stages: readonly Stage[]; ended: boolean };

/** The stages in their order, each with the shards that it is made of. */
export function StagesPanel({ jobId, stages, ended }: StagesPanelProps) {
  const { book, failed } = useShards(jobId, stages, ended);
  return (
    <Panel title="Stages" note={stages.length > 0 ? plural(stages.length, "stage") : undefined}>
      {stages.length === 0 ? (
        <Text size="sm" c="dimmed">
          The plan is made when the job starts.
        </Text>
      ) : (
        <ol className={classes.list}>
          {stages.map((stage) => (
            <StageView key={stage.index} stage={stage} tasks={book.stages.get(stage.index) ?? none} />
          ))}
        </ol>
      )}
      {failed ? (
        <Text size="xs" c="var(--k-warn)" mt="xs" role="status">
          {text.shards.lost}
        </Text>
      ) : null}
    </Panel>
  );
}

function StageView({ stage, tasks }: { stage: Stage; tasks: readonly (Task | undefined)[] }) {
  const fraction = stage.bytesTotal > 0 ? stage.bytesRead / stage.bytesTotal : stage.tasksDone / Math.max(1, stage.taskCount);
  const noted = shardsOfNote(tasks, MAX_NOTED);
  return (
    <li>
      <div className={classes.head}>
        <Text fw={550}>
          {stage.name}
          <span className={classes.state} data-tone={taskLookOf(stage.state).tone}>
            {taskLookOf(stage.state).label}
          </span>
        </Text>
        <Text size="xs" c="dimmed" className="numeric">
          {formatCount(stage.tasksDone)} of {plural(stage.taskCount, "shard")}
          {stage.bytesTotal > 0 ? ` · ${formatBytes(stage.bytesRead)} of ${formatBytes(stage.bytesTotal)}` : ""}
        </Text>
      </div>
      {stage.state === "RUNNING" ? (
        <Bar value={fraction * 100} size={4} mb={8} aria-label={`${stage.name}: ${formatFraction(fraction)}`} />
      ) : null}
      <ShardMap stage={stage} tasks={tasks} />
      {noted.length > 0 ? (
        <details className={classes.noted} open={noted.some(({ state }) => state === "FAILED")}>
          <summary>{text.shards.attention}</summary>
          <ul>
            {noted.map((task) => (
              <li key={task.shard}>{describeShard(task.shard, task)}</li>
            ))}
          </ul>
        </details>
      ) : null}
    </li>
  );
}
