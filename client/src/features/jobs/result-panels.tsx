import { Anchor, Button, Group, Stack, Tabs, Text } from "@mantine/core";
import { IconDownload, IconFileOff, IconRowRemove } from "@tabler/icons-react";
import { useState } from "react";
import { useArtifactPreview, type Artifact, type ArtifactKind } from "../../api/jobs";
import { DataTable } from "../../ui/data-table";
import { formatBytes, plural } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { Empty, Failure, LoadingLines } from "../../ui/states";

const PREVIEW_ROWS = 100;
/** Parts beyond this are counted, not listed. */
const MAX_LISTED = 50;

const titles: Record<ArtifactKind, string> = {
  OUTPUT: "Result",
  REJECTS: "Rejected rows",
  PROFILE: "Profile",
  REPORT: "Report",
};
const order: readonly ArtifactKind[] = ["OUTPUT", "REJECTS", "PROFILE", "REPORT"];

/** What the job made: a tab a kind, each with its rows and its files. */
export function ResultPanels({ artifacts }: { artifacts: readonly Artifact[] }) {
  const kinds = order.filter((kind) => artifacts.some((artifact) => artifact.kind === kind));
  const [first] = kinds;
  const [chosen, choose] = useState<string | null>(null);
  if (first === undefined) return null;
  return (
    <Tabs value={chosen ?? first} onChange={choose} keepMounted={false}>
      <Tabs.List mb="sm" aria-label="What the job made">
        {kinds.map((kind) => (
          <Tabs.Tab key={kind} value={kind}>
            {titles[kind]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {kinds.map((kind) => (
        <Tabs.Panel key={kind} value={kind}>
          <ArtifactsOfKind kind={kind} artifacts={artifacts.filter((artifact) => artifact.kind === kind)} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

function ArtifactsOfKind({ kind, artifacts }: { kind: ArtifactKind; artifacts: readonly Artifact[] }) {
  const [first] = artifacts;
  if (first === undefined) return null;
  return (
    <Stack gap="md">
      <Panel
        title={titles[kind]}
        flush
        note={noteOf(artifacts)}
        actions={artifacts.length === 1 ? <Download artifact={first} /> : undefined}
      >
        <ArtifactPreview artifact={first} kind={kind} />
      </Panel>
      {artifacts.length > 1 ? (
        <Panel title="Files" note={plural(artifacts.length, "file")}>
          <Stack gap={6}>
            {artifacts.slice(0, MAX_LISTED).map((artifact) => (
              <Group key={artifact.id} justify="space-between">
                <Anchor href={artifact.downloadUrl} download size="sm">
                  {artifact.name}
                </Anchor>
                <Text size="xs" c="dimmed" className="numeric">
                  {noteOf([artifact])}
                </Text>
              </Group>
            ))}
            {artifacts.length > MAX_LISTED ? (
              <Text size="xs" c="dimmed">
                {plural(artifacts.length - MAX_LISTED, "more file")} not listed here.
              </Text>
            ) : null}
          </Stack>
        </Panel>
      ) : null}
    </Stack>
  );
}

function noteOf(artifacts: readonly Artifact[]): string {
  const bytes = artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const rows = artifacts.reduce<number | null>(
    (sum, { rowCount }) => (sum === null || rowCount === null ? null : sum + rowCount),
    0,
  );
  const format = artifacts[0]?.format;
  return [rows === null ? null : plural(rows, "row"), formatBytes(bytes), format].filter(Boolean).join(" · ");
}

function Download({ artifact }: { artifact: Artifact }) {
  return (
    <Button
      component="a"
      href={artifact.downloadUrl}
      download
      size="xs"
      leftSection={<IconDownload size={14} aria-hidden />}
      title={artifact.sha256 ? `SHA-256 ${artifact.sha256}` : undefined}
    >
      Download {artifact.name}
    </Button>
  );
}

function ArtifactPreview({ artifact, kind }: { artifact: Artifact; kind: ArtifactKind }) {
  const { value, loading, problem, reload } = useArtifactPreview(artifact.id, PREVIEW_ROWS);
  if (loading) return <LoadingLines label="Reading the first rows" lines={8} height={18} />;
  if (problem) {
    return (
      <div style={{ padding: 14 }}>
        <Failure title="The rows could not be read" message={problem.message} onRetry={reload} />
      </div>
    );
  }
  if (value === null) return <Empty icon={IconFileOff} title="This file has no preview" />;
  if (value.rows.length === 0) return <Empty icon={IconRowRemove} title="No row came out" />;
  return <DataTable label={titles[kind]} columns={value.columns} rows={value.rows} maxHeight={380} />;
}
