import { Button, Divider, Group, Modal, NumberInput, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useState, type SyntheticEvent } from "react";
import { useAdminActions, useUserUsage, type UserDetails } from "../../api/admin";
import { useAct } from "../../api/act";
import { fieldProblem, otherProblem } from "../../api/errors";
import { CodeBlock } from "../../ui/code-block";
import { formatDateTime } from "../../ui/format";
import { Failure } from "../../ui/states";
import { account } from "../../words/account";
import { admin } from "../../words/admin";
import { common } from "../../words/common";
import { UsageStats } from "../account/usage-stats";
import { gigabytesOf, quotaOf } from "./filter";

const words = admin.users.dialog;
const ROLES = ["VIEWER", "MEMBER", "ADMIN"] as const;
const roles = ROLES.map((value) => ({ value, label: account.roles[value] }));
const FIELDS = ["displayName", "storageQuotaBytes", "jobsQueuedMax"];

type UserDialogProps = { user: UserDetails; isSelf: boolean; onClose: () => void };

/** One user: name, role, whether they may sign in, limits, usage, and a code for a new password. */
export function UserDialog({ user, isSelf, onClose }: UserDialogProps) {
  const { updateUser } = useAdminActions();
  const { busy, problems, act } = useAct();
  const [displayName, setDisplayName] = useState(user.displayName);
  const [role, setRole] = useState(user.role);
  const [isActive, setActive] = useState(user.isActive);
  const [quota, setQuota] = useState(gigabytesOf(user.limits.storageQuotaBytes));
  const [queued, setQueued] = useState<string | number>(user.limits.jobsQueuedMax ?? "");

  async function submit(event: SyntheticEvent) {
    event.preventDefault();
    const done = await act(() =>
      updateUser({
        userId: user.id,
        displayName: displayName.trim(),
        ...(isSelf ? {} : { role, isActive }),
        storageQuotaBytes: quotaOf(quota),
        jobsQueuedMax: queued === "" ? null : Number(queued),
      }),
    );
    if (done) onClose();
  }

  const general = otherProblem(problems, FIELDS);
  return (
    <Modal opened onClose={onClose} title={words.title(user.email)} size="lg">
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {general ? <Failure title={common.failed} message={general.message} /> : null}
          <Group grow align="flex-start" preventGrowOverflow={false}>
            <TextInput
              label={words.name}
              data-autofocus
              value={displayName}
              onChange={(event) => setDisplayName(event.currentTarget.value)}
              error={fieldProblem(problems, "displayName")}
            />
            <Select
              label={words.role}
              data={roles}
              value={role}
              disabled={isSelf}
              onChange={(value) => setRole(ROLES.find((known) => known === value) ?? role)}
            />
          </Group>
          {isSelf ? (
            <Text size="xs" c="dimmed">
              {words.self}
            </Text>
          ) : (
            <Switch
              label={words.active}
              description={words.activeHint}
              checked={isActive}
              onChange={(event) => setActive(event.currentTarget.checked)}
            />
          )}
          <Group grow align="flex-start">
            <NumberInput
              label={words.quota}
              placeholder={words.quotaHint}
              min={0}
              value={quota}
              onChange={setQuota}
              error={fieldProblem(problems, "storageQuotaBytes")}
            />
            <NumberInput
              label={words.queued}
              placeholder={words.quotaHint}
              min={0}
              allowDecimal={false}
              value={queued}
              onChange={setQueued}
              error={fieldProblem(problems, "jobsQueuedMax")}
            />
          </Group>
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {common.cancel}
            </Button>
            <Button type="submit" loading={busy} disabled={displayName.trim() === ""}>
              {common.save}
            </Button>
          </Group>
        </Stack>
      </form>
      <Divider my="md" label={words.usage} labelPosition="left" />
      <UsageOf userId={user.id} quotaBytes={user.limits.storageQuotaBytes} />
      <Divider my="md" label={words.code} labelPosition="left" />
      <ResetCode userId={user.id} />
    </Modal>
  );
}

function UsageOf({ userId, quotaBytes }: { userId: string; quotaBytes: number | null }) {
  const { value } = useUserUsage(userId);
  const { month, ever } = value ?? {};
  if (!month || !ever) return null;
  return (
    <Stack gap="sm">
      {[{ label: account.usage.month, usage: month }, { label: account.usage.ever, usage: ever }].map(({ label, usage }) => (
        <div key={label}>
          <Text size="xs" fw={600} mb={4}>
            {label}
          </Text>
          <UsageStats label={label} usage={usage} quotaBytes={quotaBytes} />
        </div>
      ))}
    </Stack>
  );
}

function ResetCode({ userId }: { userId: string }) {
  const { resetPassword } = useAdminActions();
  const { busy, problems, act } = useAct();
  const [made, setMade] = useState<{ code: string; expiresAt: string } | null>(null);

  const make = () =>
    act(async () => {
      const outcome = await resetPassword(userId);
      const { code, expiresAt } = outcome.payload ?? {};
      if (code && expiresAt) setMade({ code, expiresAt });
      return outcome;
    });

  const [problem] = problems;
  return (
    <Stack gap="sm" align="stretch">
      {problem ? <Failure title={common.failed} message={problem.message} /> : null}
      {made === null ? (
        <Group justify="space-between" gap="sm">
          <Text size="sm" c="dimmed" flex={1} miw="14rem">
            {words.resetSays}
          </Text>
          <Button variant="default" size="xs" loading={busy} onClick={() => void make()}>
            {words.reset}
          </Button>
        </Group>
      ) : (
        <>
          <CodeBlock label={words.code} code={made.code} />
          <Text size="xs" c="dimmed" role="status">
            {words.resetMade(formatDateTime(made.expiresAt))}
          </Text>
        </>
      )}
    </Stack>
  );
}
