import { Group, Loader, Text } from "@mantine/core";
import { formatBytes, plural } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { Failure } from "../../ui/states";
import { assertNever } from "../../ui/assert-never";
import classes from "./plan-panel.module.css";
import type { DryRun, Plan } from "./use-dry-run";

/** More columns than this are counted. */
const MAX_COLUMNS = 60;

/** What the job would do: stages, bytes to read, columns that come out. Nothing is run for it. */
export function PlanPanel({ dryRun }: { dryRun: DryRun }) {
  const note = dryRun.kind === "plan" ? `reads ${formatBytes(dryRun.plan.bytesToRead)}` : undefined;
  return (
    <Panel
      title="Dry run"
      note={note}
      actions={dryRun.kind === "asking" ? <Loader size={14} aria-label="Planning" /> : undefined}
    >
      <Content dryRun={dryRun} />
    </Panel>
  );
}

function Content({ dryRun }: { dryRun: DryRun }) {
  switch (dryRun.kind) {
    case "idle":
      return (
        <Text size="sm" c="dimmed">
          Choose a dataset and write a query: what it would do is shown here, before it costs anything.
        </Text>
      );
    case "asking":
      return dryRun.plan ? <PlanView plan={dryRun.plan} /> : <Text size="sm" c="dimmed">Planning.</Text>;
    case "plan":
      return <PlanView plan={dryRun.plan} />;
    case "refused": {
      const message = dryRun.problems.map((problem) => problem.message).join("\n");
      return <Failure title="This would not run" message={message === "" ? "The service made no plan." : message} />;
    }
    default:
      return assertNever(dryRun);
  }
}

function PlanView({ plan }: { plan: Plan }) {
  const more = plan.columns.length - MAX_COLUMNS;
  return (
    <div className={classes.plan}>
      <ol className={classes.stages} aria-label="Stages">
        {plan.stages.map(({ index, name, taskCount }) => (
          <li key={index} className={classes.stage}>
            <span className="mono">{name}</span>
            <Text span size="xs" c="dimmed" className="numeric">
              {plural(taskCount, "shard")}
            </Text>
          </li>
        ))}
      </ol>
      <div>
        <Text size="xs" c="dimmed" mb={6}>
          {plural(plan.columns.length, "column")} come out
        </Text>
        <Group gap={6}>
          {plan.columns.slice(0, MAX_COLUMNS).map(({ name, type }, index) => (
            <span key={index} className={classes.column}>
              {name} <span className={classes.type}>{type}</span>
            </span>
          ))}
          {more > 0 ? (
            <Text size="xs" c="dimmed">
              and {more} more
            </Text>
          ) : null}
        </Group>
      </div>
      <details className={classes.details}>
        <summary>Plan of the engine</summary>
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a wide plan scrolls, and must do so by key */}
        <pre tabIndex={0} role="region" aria-label="Plan of the engine">
          {plan.text}
        </pre>
      </details>
    </div>
  );
}
