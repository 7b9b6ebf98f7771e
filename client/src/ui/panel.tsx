import { Card, Group, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./panel.module.css";

type PanelProps = {
  title: string;
  note?: ReactNode;
  actions?: ReactNode;
  /** The content reaches the edges, as a table does. */
  flush?: boolean;
  children: ReactNode;
};

/** A titled box: the unit from which pages are built. */
export function Panel({ title, note, actions, flush = false, children }: PanelProps) {
  return (
    <Card component="section" aria-label={title} padding={0} className={classes.panel}>
      <Group className={classes.head} justify="space-between" wrap="nowrap" gap="sm">
        <Group gap="xs" wrap="nowrap" miw={0}>
          <Title order={2} size="h3">
            {title}
          </Title>
          {note === undefined ? null : (
            <Text size="xs" c="dimmed" component="span" className={`${classes.note} numeric`}>
              {note}
            </Text>
          )}
        </Group>
        {actions}
      </Group>
      <div className={flush ? undefined : classes.body}>{children}</div>
    </Card>
  );
}
