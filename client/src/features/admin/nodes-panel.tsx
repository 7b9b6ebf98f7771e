import { Anchor, Progress, Stack, Text } from "@mantine/core";
import { IconServerOff } from "@tabler/icons-react";
import { useCluster } from "../../api/admin";
import { formatBytes, formatCount } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { RecordTable, type RecordColumn } from "../../ui/record-table";
import { Stat, Stats } from "../../ui/stat";
import { Empty, Failure, LoadingLines } from "../../ui/states";
import { admin } from "../../words/admin";
import classes from "./admin.module.css";

const words = admin.nodes;
type Node = NonNullable<NonNullable<ReturnType<typeof useCluster>["value"]>["cluster"]>["nodes"][number];

const columns: RecordColumn<Node>[] = [
  { name: words.columns.name, cell: ({ name }) => <span className="mono">{name}</span> },
  {
    name: words.columns.state,
    cell: ({ alive }) => (
      <Text size="sm" c={alive ? "var(--k-ok)" : "var(--k-bad)"} span>
        {alive ? words.alive : words.dead}
      </Text>
    ),
  },
  {
    name: words.columns.cpus,
    cell: ({ name, cpus, cpusUsed }) => (
      <Share label={`${words.columns.cpus}, ${name}`} used={cpusUsed} all={cpus} format={(value) => String(Math.round(value * 10) / 10)} />
    ),
  },
  {
    name: words.columns.memory,
    cell: ({ name, memoryBytes, memoryUsedBytes }) => (
      <Share label={`${words.columns.memory}, ${name}`} used={memoryUsedBytes} all={memoryBytes} format={formatBytes} />
    ),
  },
];

/** The machines that run jobs, as they are now. */
export function NodesPanel() {
  const { value, loading, problem, reload } = useCluster();
  if (loading) return <LoadingLines label={words.loading} lines={4} />;
  const cluster = value?.cluster;
  if (!cluster) return <Failure title={words.failed} message={problem?.message ?? ""} onRetry={reload} />;
  const { nodes, runningTasks, queuedJobs, dashboardUrl } = cluster;
  const alive = nodes.filter((node) => node.alive);
  const sum = (pick: (node: Node) => number) => alive.reduce((total, node) => total + pick(node), 0);
  return (
    <Stack gap="md">
      <Panel title={words.now}>
        <Stats label={words.now}>
          <Stat name={words.tasks} value={formatCount(runningTasks)} />
          <Stat name={words.queued} value={formatCount(queuedJobs)} />
          <Stat name={words.cpus} value={formatCount(sum((node) => node.cpusUsed))} note={`/ ${formatCount(sum((node) => node.cpus))}`} />
          <Stat name={words.version} value={value.version} />
        </Stats>
      </Panel>
      <Panel
        title={words.title}
        flush
        note={formatCount(nodes.length)}
        actions={
          dashboardUrl === null ? undefined : (
            <Anchor href={dashboardUrl} target="_blank" rel="noreferrer" size="sm">
              {words.dashboard}
            </Anchor>
          )
        }
      >
        {nodes.length === 0 ? (
          <Empty icon={IconServerOff} title={words.none}>
            {words.noneSays}
          </Empty>
        ) : (
          <RecordTable label={words.title} columns={columns} items={nodes} itemKey={({ name }) => name} />
        )}
      </Panel>
    </Stack>
  );
}

type ShareProps = { label: string; used: number; all: number; format: (value: number) => string };

function Share({ label, used, all, format }: ShareProps) {
  return (
    <div className={classes.share}>
      <Text size="xs" className="numeric">
        {words.of(format(used), format(all))}
      </Text>
      <Progress.Root size="sm" transitionDuration={0}>
        <Progress.Section value={all > 0 ? (100 * used) / all : 0} aria-label={label} />
      </Progress.Root>
    </div>
  );
}
