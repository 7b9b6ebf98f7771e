import { SegmentedControl, Stack, Text, useMantineColorScheme } from "@mantine/core";
import type { ReactNode } from "react";
import { useAccount } from "../../api/account";
import { formatDateTime } from "../../ui/format";
import { Page } from "../../ui/page";
import { Panel } from "../../ui/panel";
import { Failure, LoadingLines } from "../../ui/states";
import { account as words } from "../../words/account";
import { TokensPanel } from "../tokens/tokens-panel";
import classes from "./account-page.module.css";
import { PasswordPanel } from "./password-panel";
import { UsageStats } from "./usage-stats";

const schemes = (["auto", "light", "dark"] as const).map((value) => ({ value, label: words.appearance[value] }));

/** One's own account: who one is, what was used, password, tokens, colors. */
export default function AccountPage() {
  const { value, loading, problem, reload } = useAccount();
  const { colorScheme, setColorScheme } = useMantineColorScheme();

  function content(): ReactNode {
    if (loading) return <LoadingLines label={words.loading} lines={6} />;
    const { me, month, ever } = value ?? {};
    if (!me) return <Failure title={words.failed} message={problem?.message ?? ""} onRetry={reload} />;
    const quota = me.limits.storageQuotaBytes;
    return (
      <div className={classes.top}>
        <Panel title={words.profile.title}>
          <dl className={classes.facts}>
            <dt>{words.profile.name}</dt>
            <dd>{me.displayName}</dd>
            <dt>{words.profile.email}</dt>
            <dd>{me.email}</dd>
            <dt>{words.profile.role}</dt>
            <dd>
              {words.roles[me.role]}: {words.roleSays[me.role]}
            </dd>
            <dt>{words.profile.since}</dt>
            <dd>{formatDateTime(me.createdAt)}</dd>
          </dl>
        </Panel>
        <Panel title={words.usage.title}>
          <Stack gap="md">
            {month ? <LabeledUsage label={words.usage.month} stats={<UsageStats label={words.usage.month} usage={month} quotaBytes={quota} />} /> : null}
            {ever ? <LabeledUsage label={words.usage.ever} stats={<UsageStats label={words.usage.ever} usage={ever} quotaBytes={quota} />} /> : null}
            {me.limits.jobsQueuedMax === null ? null : <Text size="sm">{words.usage.queued(me.limits.jobsQueuedMax)}</Text>}
          </Stack>
        </Panel>
      </div>
    );
  }

  return (
    <Page
      title={words.title}
      lead={
        <Text size="sm" c="dimmed">
          {words.lead}
        </Text>
      }
    >
      {content()}
      <TokensPanel />
      <div className={classes.grid}>
        <PasswordPanel />
        <Panel title={words.appearance.title}>
          <SegmentedControl
            aria-label={words.appearance.label}
            data={schemes}
            value={colorScheme}
            onChange={setColorScheme}
          />
        </Panel>
      </div>
    </Page>
  );
}

function LabeledUsage({ label, stats }: { label: string; stats: ReactNode }) {
  return (
    <div>
      <Text size="xs" fw={600} mb={4}>
        {label}
      </Text>
      {stats}
    </div>
  );
}
