import { Text } from "@mantine/core";
import type { Stage } from "../../api/jobs";
import { formatBytes, formatCount, plural } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { ShardGrid } from "./shard-grid";
import { taskLookOf } from "./job-state";
import classes from "./stages-panel.module.css";

/** The stages in their order, each with the shards that it is made of. */
export function StagesPanel({ stages }: { stages: readonly Stage[] }) {
  return (
    <Panel title="Stages" note={stages.length > 0 ? plural(stages.length, "stage") : undefined}>
      {stages.length === 0 ? (
        <Text size="sm" c="dimmed">
          The plan is made when the job starts.
        </Text>
      ) : (
        <ol className={classes.list}>
          {stages.map((stage) => (
            <li key={stage.index}>
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
              <ShardGrid stage={stage} />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
