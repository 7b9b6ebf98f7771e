import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { Stage, Task } from "../../api/jobs";
import { formatBytes, formatCount, formatDuration, formatFraction } from "../../ui/format";
import { taskLookOf } from "./job-state";
import { countShards, type ShardCounts } from "./shard-book";
import { layoutOf, moveShard, shardAt, type ShardLayout } from "./shard-layout";
import classes from "./shard-map.module.css";
import { text } from "./text";

type ShardMapProps = { stage: Stage; tasks: readonly (Task | undefined)[] };

/**
 * A square a shard, drawn on one canvas: ten thousand cost as much as ten. One stop for Tab; arrow keys go from shard
 * to shard, and the line below, which is read aloud, says more of it.
 */
export function ShardMap({ stage, tasks }: ShardMapProps) {
  const scheme = useComputedColorScheme("light");
  const { ref, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [selected, select] = useState<number | null>(null);
  const count = stage.taskCount;
  const layout = useMemo(() => layoutOf(count, width), [count, width]);
  const counts = useMemo(() => countShards(tasks, count), [tasks, count]);

  useEffect(() => {
    if (canvas.current === null || width === 0) return;
    const frame = requestAnimationFrame(() => {
      if (canvas.current) draw(canvas.current, layout, tasks, count, selected);
    });
    return () => cancelAnimationFrame(frame);
  }, [layout, width, tasks, count, selected, scheme]);

  function onKeyDown(event: KeyboardEvent) {
    const next = moveShard(selected, event.key, count, layout.columns);
    if (next === null) return;
    event.preventDefault();
    select(next);
    const top = Math.floor(next / layout.columns) * layout.pitch;
    const { scrollTop, clientHeight } = event.currentTarget;
    const seen = top >= scrollTop && top + layout.cell <= scrollTop + clientHeight;
    if (!seen) event.currentTarget.scrollTo({ top: top - clientHeight / 2 });
  }

  function onPointerMove(event: PointerEvent<HTMLCanvasElement>) {
    const box = event.currentTarget.getBoundingClientRect();
    select(shardAt(layout, count, event.clientX - box.left, event.clientY - box.top));
  }

  return (
    <div>
      <div ref={ref}>
        {/* Arrow keys are this widget's own: a grid of ten thousand elements would help nobody. */}
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
        <div
          className={classes.holder}
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          role="application"
          aria-label={`Shards of ${stage.name}: ${sayCounts(counts)}`}
          onKeyDown={onKeyDown}
          onBlur={() => select(null)}
        >
          <canvas
            ref={canvas}
            className={classes.canvas}
            style={{ width: layout.width, height: layout.height }}
            onPointerMove={onPointerMove}
            onPointerLeave={() => select(null)}
          />
        </div>
      </div>
      <div className={classes.foot}>
        <p className={classes.line} aria-live="polite">
          {selected === null ? (count > 1 ? text.shards.point : "") : describeShard(selected, tasks[selected])}
        </p>
        <Legend counts={counts} />
      </div>
    </div>
  );
}

function Legend({ counts }: { counts: ShardCounts }) {
  const entries = legendOf(counts);
  return (
    <ul className={classes.legend}>
      {entries.map(({ tone, label, count }) => (
        <li key={label}>
          <span className={classes.swatch} data-tone={tone} aria-hidden />
          {formatCount(count)} {label}
        </li>
      ))}
    </ul>
  );
}

function legendOf(counts: ShardCounts) {
  const states = ["SUCCEEDED", "RUNNING", "FAILED", "PENDING", "SKIPPED"] as const;
  const entries: { tone: string; label: string; count: number }[] = states.map((state) => ({ ...taskLookOf(state), count: counts[state] }));
  entries.push({ tone: "retried", label: "tried again", count: counts.retried });
  return entries.filter(({ count }) => count > 0);
}

function sayCounts(counts: ShardCounts): string {
  return legendOf(counts)
    .map(({ label, count }) => `${formatCount(count)} ${label}`)
    .join(", ");
}

function fractionOf({ bytesRead, bytesTotal }: Task): number {
  return bytesTotal === 0 ? 0 : Math.min(1, bytesRead / bytesTotal);
}

export function describeShard(shard: number, task: Task | undefined): string {
  const words = [`Shard ${formatCount(shard)}`];
  if (task === undefined) return words.join();
  words.push(taskLookOf(task.state).label);
  if (task.state === "RUNNING") words.push(formatFraction(fractionOf(task)));
  if (task.attempt > 1) words.push(`attempt ${task.attempt}`);
  if (task.bytesTotal > 0) words.push(formatBytes(task.bytesTotal));
  if (task.rowsRead > 0) words.push(`${formatCount(task.rowsRead)} rows`);
  if (task.startedAt && task.finishedAt) {
    words.push(formatDuration((Date.parse(task.finishedAt) - Date.parse(task.startedAt)) / 1000));
  }
  if (task.node) words.push(`on ${task.node}`);
  if (task.failure) words.push(task.failure.message);
  return words.join(" · ");
}

function draw(
  canvas: HTMLCanvasElement,
  { columns, cell, pitch, width, height }: ShardLayout,
  tasks: readonly (Task | undefined)[],
  count: number,
  selected: number | null,
) {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const style = getComputedStyle(canvas);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const fills = { idle: color("--k-idle-fill"), run: color("--k-run-fill"), ok: color("--k-ok-fill"), warn: color("--k-warn-fill"), bad: color("--k-bad-fill") };
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  for (let shard = 0; shard < count; shard += 1) {
    const task = tasks[shard];
    const x = (shard % columns) * pitch;
    const y = Math.floor(shard / columns) * pitch;
    if (task?.state === "RUNNING") {
      context.globalAlpha = 0.32;
      context.fillStyle = fills.run;
      context.fillRect(x, y, cell, cell);
      context.globalAlpha = 1;
      const filled = Math.round(cell * fractionOf(task));
      context.fillRect(x, y + cell - filled, cell, filled);
    } else {
      context.fillStyle = fills[task === undefined ? "idle" : taskLookOf(task.state).tone];
      context.fillRect(x, y, cell, cell);
    }
    if (task !== undefined && task.attempt > 1) frame(context, x, y, cell, fills.warn, cell > 6 ? 2 : 1);
  }
  if (selected !== null) {
    frame(context, (selected % columns) * pitch, Math.floor(selected / columns) * pitch, cell, color("--k-text"), cell > 6 ? 2 : 1);
  }
}

function frame(context: CanvasRenderingContext2D, x: number, y: number, cell: number, color: string, width: number) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.strokeRect(x + width / 2, y + width / 2, cell - width, cell - width);
}
