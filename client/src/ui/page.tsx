import { Group, Stack, Title } from "@mantine/core";
import { useEffect, type ReactNode } from "react";

type PageProps = { title: string; lead?: ReactNode; badge?: ReactNode; actions?: ReactNode; children: ReactNode };

/** A page's title, in the text and in the browser's tab, above its content. */
export function Page({ title, lead, badge, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Karyaksham`;
  }, [title]);
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-start" gap="md">
        <Stack gap={2} miw={0} flex={1}>
          <Group gap="sm" wrap="nowrap">
            <Title order={1} style={{ overflowWrap: "anywhere" }}>
              {title}
            </Title>
            {badge}
          </Group>
          {lead}
        </Stack>
        {actions === undefined ? null : <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
