import { useRef, useState, type KeyboardEvent } from "react";
import type { Stage, Task } from "../../api/jobs";
import { formatBytes, formatCount, formatFraction } from "../../ui/format";
import { taskLookOf } from "./job-state";
import { moveShard } from "./shards";
import classes from "./shard-grid.module.css";

/** A square a shard. One stop for Tab; arrow keys go from shard to shard, and the line below says more of it. */
export function ShardGrid({ stage }: { stage: Stage }) {
  const [selected, select] = useState<number | null>(null);
  const grid = useRef<HTMLDivElement>(null);
  const { tasks } = stage;
  const current = selected === null ? undefined : tasks[selected];
  const hidden = stage.taskCount - tasks.length;

  function onKeyDown(event: KeyboardEvent) {
    const next = moveShard(selected ?? 0, event.key, tasks.length);
    if (next === null) return;
    event.preventDefault();
    select(next);
    const cell = grid.current?.children[next];
    if (cell instanceof HTMLElement) cell.focus();
  }

  return (
    <div>
      {/* eslint-disable-next-line jsx-a11y/no-static-element-interactions -- keys bubble up from the buttons inside */}
      <div ref={grid} className={classes.grid} onKeyDown={onKeyDown} onMouseLeave={() => select(null)}>
        {tasks.map((task, index) => (
          <button
            key={task.shard}
            type="button"
            className={classes.shard}
            data-tone={taskLookOf(task.state).tone}
            data-retried={task.attempt > 1}
            tabIndex={index === (selected ?? 0) ? 0 : -1}
            aria-label={describe(task)}
            onFocus={() => select(index)}
            onMouseEnter={() => select(index)}
          >
            {task.state === "RUNNING" ? (
              <span className={classes.fill} style={{ height: `${fractionOf(task) * 100}%` }} />
            ) : null}
          </button>
        ))}
      </div>
      <p className={classes.line} aria-hidden>
        {current
          ? describe(current)
          : hidden > 0
            ? `The first ${formatCount(tasks.length)} shards are drawn; ${formatCount(hidden)} more are counted above.`
            : tasks.length > 1
              ? "Point at a shard to see more of it."
              : ""}
      </p>
    </div>
  );
}

function fractionOf({ bytesRead, bytesTotal }: Task): number {
  return bytesTotal === 0 ? 0 : Math.min(1, bytesRead / bytesTotal);
}

function describe(task: Task): string {
  const words = [`Shard ${task.shard}`, taskLookOf(task.state).label];
  if (task.state === "RUNNING") words.push(formatFraction(fractionOf(task)));
  if (task.attempt > 1) words.push(`attempt ${task.attempt}`);
  if (task.bytesTotal > 0) words.push(formatBytes(task.bytesTotal));
  if (task.rowsRead > 0) words.push(`${formatCount(task.rowsRead)} rows`);
  if (task.node) words.push(`on ${task.node}`);
  if (task.failure) words.push(task.failure.message);
  return words.join(" · ");
}
