import { Badge, Button, Text } from "@mantine/core";
import { useState } from "react";
import { useUsers, type UserDetails } from "../../api/admin";
import { useSession } from "../../api/session";
import { formatBytes, formatCount, formatDateTime, plural } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { RecordTable, type RecordColumn } from "../../ui/record-table";
import { Failure, LoadingLines } from "../../ui/states";
import { account } from "../../words/account";
import { admin } from "../../words/admin";
import { common } from "../../words/common";
import { UserDialog } from "./user-dialog";

const words = admin.users;

/** Everyone who may use the service. */
export function UsersPanel() {
  const { value, loading, problem, reload } = useUsers();
  const [editing, edit] = useState<UserDetails | null>(null);
  const state = useSession();
  const ownId = state.kind === "signedIn" ? state.session.user.id : "";

  const columns: RecordColumn<UserDetails>[] = [
    {
      name: words.columns.user,
      cell: ({ id, displayName, email }) => (
        <div>
          <Text size="sm" fw={550}>
            {displayName} {id === ownId ? <Badge size="xs" variant="default" tt="none">{words.you}</Badge> : null}
          </Text>
          <Text size="xs" c="dimmed">
            {email}
          </Text>
        </div>
      ),
    },
    { name: words.columns.role, cell: ({ role }) => account.roles[role] },
    {
      name: words.columns.state,
      cell: ({ isActive }) => (
        <Text size="sm" c={isActive ? "var(--k-ok)" : "var(--k-bad)"} span>
          {isActive ? words.active : words.disabled}
        </Text>
      ),
    },
    {
      name: words.columns.quota,
      end: true,
      cell: ({ limits }) => (limits.storageQuotaBytes === null ? words.byDefault : formatBytes(limits.storageQuotaBytes)),
    },
    {
      name: words.columns.queued,
      end: true,
      cell: ({ limits }) => (limits.jobsQueuedMax === null ? words.byDefault : formatCount(limits.jobsQueuedMax)),
    },
    { name: words.columns.since, cell: ({ createdAt }) => formatDateTime(createdAt) },
    {
      name: words.columns.action,
      hidden: true,
      end: true,
      cell: (user) => (
        <Button size="compact-xs" variant="default" aria-label={words.editOf(user.displayName)} onClick={() => edit(user)}>
          {words.edit}
        </Button>
      ),
    },
  ];

  function list() {
    if (loading) return <LoadingLines label={words.loading} lines={5} />;
    if (value === null) return <Failure title={words.failed} message={problem?.message ?? ""} onRetry={reload} />;
    return (
      <>
        <RecordTable label={words.title} columns={columns} items={value.nodes} itemKey={({ id }) => id} />
        {value.hasMore ? (
          <Button m="md" variant="default" size="xs" onClick={value.loadMore}>
            {common.more}
          </Button>
        ) : null}
      </>
    );
  }

  return (
    <Panel title={words.title} flush note={value ? plural(value.totalCount, words.count) : undefined}>
      {list()}
      {editing ? <UserDialog user={editing} isSelf={editing.id === ownId} onClose={() => edit(null)} /> : null}
    </Panel>
  );
}
