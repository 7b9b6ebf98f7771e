import { Badge, Button, Group, Text } from "@mantine/core";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAccountActions, useApiTokens, type ApiToken } from "../../api/account";
import { useAct } from "../../api/act";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { formatAgo, formatDateTime } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { RecordTable, type RecordColumn } from "../../ui/record-table";
import { Empty, Failure, LoadingLines } from "../../ui/states";
import { useNow } from "../../ui/use-now";
import { account } from "../../words/account";
import { common } from "../../words/common";
import { TokenDialog } from "./token-dialog";

const words = account.tokens;

/** The viewer's tokens: make one, see when each was used, revoke it. */
export function TokensPanel() {
  const { value, loading, problem, reload } = useApiTokens();
  const { revokeToken } = useAccountActions();
  const { busy, problems, act } = useAct();
  const [making, setMaking] = useState(false);
  const [leaving, setLeaving] = useState<ApiToken | null>(null);
  const nowMs = useNow();

  async function revoke(id: string) {
    await act(() => revokeToken(id));
    setLeaving(null);
  }

  const columns: RecordColumn<ApiToken>[] = [
    {
      name: words.columns.name,
      cell: ({ name, prefix }) => (
        <div>
          <Text size="sm" fw={550}>
            {name}
          </Text>
          <Text size="xs" c="dimmed" className="mono">
            {prefix}…
          </Text>
        </div>
      ),
    },
    {
      name: words.columns.scopes,
      cell: ({ scopes }) => (
        <Group gap={4}>
          {scopes.map((scope) => (
            <Badge key={scope} variant="default" size="sm" tt="none" fw={500}>
              {scope}
            </Badge>
          ))}
        </Group>
      ),
    },
    { name: words.columns.created, cell: ({ createdAt }) => <When iso={createdAt} nowMs={nowMs} /> },
    { name: words.columns.used, cell: ({ lastUsedAt }) => (lastUsedAt ? <When iso={lastUsedAt} nowMs={nowMs} /> : common.never) },
    {
      name: words.columns.ends,
      cell: ({ expiresAt }) =>
        expiresAt === null ? common.never : Date.parse(expiresAt) < nowMs ? words.ended : formatDateTime(expiresAt),
    },
    {
      name: words.columns.action,
      hidden: true,
      end: true,
      cell: (token) => (
        <Button size="compact-xs" variant="default" aria-label={words.revokeOf(token.name)} onClick={() => setLeaving(token)}>
          {words.revoke}
        </Button>
      ),
    },
  ];

  function list() {
    if (loading) return <LoadingLines label={words.loading} lines={3} />;
    if (value === null) return <Failure title={words.failed} message={problem?.message ?? ""} onRetry={reload} />;
    if (value.length === 0) {
      return (
        <Empty icon={IconKey} title={words.none}>
          {words.noneSays}
        </Empty>
      );
    }
    return <RecordTable label={words.list} columns={columns} items={value} itemKey={({ id }) => id} />;
  }

  const [refused] = problems;
  return (
    <Panel
      title={words.title}
      flush
      actions={
        <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setMaking(true)}>
          {words.make}
        </Button>
      }
    >
      <Text size="sm" c="dimmed" px="md" py="sm">
        {words.says}
      </Text>
      {refused ? <Failure title={common.failed} message={refused.message} /> : null}
      {list()}
      {making ? <TokenDialog onClose={() => setMaking(false)} /> : null}
      <ConfirmDialog
        words={words.confirm}
        opened={leaving !== null}
        busy={busy}
        onClose={() => setLeaving(null)}
        onConfirm={() => void revoke(leaving?.id ?? "")}
      />
    </Panel>
  );
}

function When({ iso, nowMs }: { iso: string; nowMs: number }) {
  return <time dateTime={iso} title={formatDateTime(iso)}>{formatAgo(iso, nowMs)}</time>;
}
