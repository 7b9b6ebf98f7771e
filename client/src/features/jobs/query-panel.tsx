import { CopyButton, Group, Text, UnstyledButton } from "@mantine/core";
import { Link } from "react-router";
import type { Job } from "../../api/jobs";
import { formatBytes } from "../../ui/format";
import { Panel } from "../../ui/panel";
import classes from "./query-panel.module.css";

/** What was asked, and of what. */
export function QueryPanel({ job }: { job: Job }) {
  const sql = job.sql ?? job.effectiveSql ?? "";
  return (
    <Panel
      title="SQL"
      actions={
        <CopyButton value={sql}>
          {({ copied, copy }) => (
            <UnstyledButton className={classes.copy} onClick={copy}>
              {copied ? "Copied" : "Copy"}
            </UnstyledButton>
          )}
        </CopyButton>
      }
    >
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long SQL scrolls, and must do so by key */}
      <pre className={classes.sql} tabIndex={0} role="region" aria-label="SQL of the job">
        {sql}
      </pre>
      <Group gap={6} mt="sm">
        {job.sources.map(({ id, name, sizeBytes }) => (
          <Link key={id} to={`/datasets/${encodeURIComponent(id)}`} className={classes.source}>
            {name}
            <Text span size="xs" c="dimmed" ml={6}>
              {formatBytes(sizeBytes)}
            </Text>
          </Link>
        ))}
      </Group>
    </Panel>
  );
}
