import { Alert, Button, Center, Group, Skeleton, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconAlertTriangle, IconRefresh, type TablerIcon } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./states.module.css";

type EmptyProps = { icon: TablerIcon; title: string; children?: ReactNode; action?: ReactNode };

/** What stands where a list has nothing to show. */
export function Empty({ icon: Icon, title, children, action }: EmptyProps) {
  return (
    <Center py={44} px="md">
      <Stack align="center" gap="xs" maw={440}>
        <ThemeIcon variant="light" size={44} radius="xl" color="gray">
          <Icon size={22} stroke={1.6} aria-hidden />
        </ThemeIcon>
        <Text fw={600}>{title}</Text>
        {children === undefined ? null : (
          <Text size="sm" c="dimmed" ta="center">
            {children}
          </Text>
        )}
        {action}
      </Stack>
    </Center>
  );
}

/** Lines of about the size of what is to come. */
export function LoadingLines({ label, lines = 5, height = 20 }: { label: string; lines?: number; height?: number }) {
  return (
    <Stack gap="sm" p="md" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, index) => (
        <Skeleton key={index} height={height} width={`${96 - ((index * 13) % 30)}%`} />
      ))}
    </Stack>
  );
}

type FailureProps = { title: string; message: string; hint?: string | null; onRetry?: () => void };

/** What went wrong, and the way on. */
export function Failure({ title, message, hint, onRetry }: FailureProps) {
  return (
    <Alert
      role="alert"
      icon={<IconAlertTriangle aria-hidden />}
      title={title}
      classNames={{ root: classes.failure, title: classes.failureTitle, icon: classes.failureTitle, message: classes.failureText }}
    >
      <Stack gap="xs" align="flex-start">
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          {message}
        </Text>
        {hint ? (
          <Text size="sm" c="dimmed">
            {hint}
          </Text>
        ) : null}
        {onRetry ? (
          <Group>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconRefresh size={14} aria-hidden />}
              onClick={onRetry}
            >
              Try again
            </Button>
          </Group>
        ) : null}
      </Stack>
    </Alert>
  );
}
