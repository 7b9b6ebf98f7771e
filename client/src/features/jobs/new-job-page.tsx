import { Button, Kbd, Loader, Text } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { useDatasetActions, type Dataset } from "../../api/datasets";
import type { Problem } from "../../api/errors";
import { useJob, useJobActions, type Job } from "../../api/jobs";
import { newKey } from "../../api/key";
import { Page } from "../../ui/page";
import { Panel } from "../../ui/panel";
import { Failure, LoadingLines } from "../../ui/states";
import { aliasFor, emptyDraft, firstSql, inputOf, type Draft, type DraftSource } from "./draft";
import classes from "./new-job-page.module.css";
import { OutputPanel } from "./output-panel";
import { PlanPanel } from "./plan-panel";
import { SourcesPanel } from "./sources-panel";
import { SqlEditor } from "./sql-editor";
import { useDryRun } from "./use-dry-run";

/** A new job, of datasets that the address names, or like an earlier one. */
export default function NewJobPage() {
  const [params] = useSearchParams();
  const from = params.get("from");
  const datasetIds = params.getAll("dataset");
  return from === null ? (
    <JobForm key={datasetIds.join()} datasetIds={datasetIds} like={null} />
  ) : (
    <LikeEarlier key={from} jobId={from} />
  );
}

function LikeEarlier({ jobId }: { jobId: string }) {
  const { value, loading, problem, reload } = useJob(jobId);
  if (loading) return <LoadingLines label="Loading the job" lines={8} />;
  if (value) return <JobForm datasetIds={value.sources.map(({ id }) => id)} like={value} />;
  return <Failure title="The job could not be loaded" message={problem?.message ?? "There is no such job."} onRetry={reload} />;
}

function JobForm({ datasetIds, like }: { datasetIds: readonly string[]; like: Job | null }) {
  const { columns } = useDatasetActions();
  const { create } = useJobActions();
  const navigate = useNavigate();
  const [draft, setDraft] = useState<Draft>({ ...emptyDraft, sql: like?.sql ?? "" });
  const [datasets, setDatasets] = useState<readonly Dataset[]>([]);
  const [preparing, setPreparing] = useState(datasetIds.length > 0);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [busy, setBusy] = useState(false);
  const sent = useRef({ input: "", key: "" });
  const load = useRef(columns);
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));

  useEffect(() => {
    let gone = false;
    void load.current(datasetIds).then((loaded) => {
      if (gone) return;
      setDatasets(loaded);
      setPreparing(false);
      if (loaded.length > 0) setDraft((before) => withSources(before, loaded));
    });
    return () => {
      gone = true;
    };
    // The address decides once; afterwards the form does.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  const input = inputOf(draft);
  const { dryRun, askNow } = useDryRun(input);
  const tables = useMemo(() => tablesOf(draft.sources, datasets), [draft.sources, datasets]);

  async function choose(sources: DraftSource[]) {
    const only = sources.length === 1 ? sources[0] : undefined;
    change({ sources, ...(draft.sql.trim() === "" && only ? { sql: firstSql(only.alias) } : {}) });
    const unknown = sources.flatMap(({ datasetId: id }) => (id !== "" && !datasets.some((dataset) => dataset.id === id) ? [id] : []));
    if (unknown.length === 0) return;
    const loaded = await columns(unknown);
    setDatasets((before) => [...before, ...loaded]);
  }

  async function run() {
    if (input === null || busy) return;
    setBusy(true);
    const text = JSON.stringify(input);
    // The same input sent again after a lost answer is the same job.
    if (sent.current.input !== text) sent.current = { input: text, key: newKey() };
    const outcome = await create({ ...input, idempotencyKey: sent.current.key });
    setBusy(false);
    setProblems(outcome.problems);
    const job = outcome.payload?.job;
    if (job) void navigate(`/jobs/${encodeURIComponent(job.id)}`);
  }

  const [problem] = problems;
  return (
    <Page
      title="New job"
      actions={
        <Button
          leftSection={<IconPlayerPlay size={15} aria-hidden />}
          onClick={() => void run()}
          loading={busy}
          disabled={input === null}
        >
          Run
        </Button>
      }
    >
      {problem ? <Failure title="The job was not started" message={problem.message} /> : null}
      <div className={classes.grid}>
        <div className={classes.wide}>
          <SourcesPanel sources={draft.sources} datasets={datasets} onChange={(sources) => void choose(sources)} />
          <Panel
            title="SQL"
            flush
            actions={
              preparing ? (
                <Loader size={14} aria-label="Loading columns" />
              ) : (
                <Text size="xs" c="dimmed" visibleFrom="sm">
                  <Kbd size="xs">Ctrl</Kbd> <Kbd size="xs">Enter</Kbd> runs · <Kbd size="xs">Ctrl</Kbd>{" "}
                  <Kbd size="xs">Space</Kbd> completes
                </Text>
              )
            }
          >
            <SqlEditor
              value={draft.sql}
              tables={tables}
              onChange={(sql) => change({ sql })}
              onRun={() => void run()}
              onDryRun={askNow}
            />
          </Panel>
          <PlanPanel dryRun={dryRun} />
        </div>
        <div className={classes.wide}>
          <OutputPanel draft={draft} onChange={change} />
        </div>
      </div>
    </Page>
  );
}

function withSources(draft: Draft, datasets: readonly Dataset[]): Draft {
  const sources: DraftSource[] = [];
  for (const { id, name } of datasets) {
    sources.push({ datasetId: id, alias: aliasFor(name, sources.map(({ alias }) => alias)) });
  }
  const only = sources[0];
  return { ...draft, sources, sql: draft.sql.trim() === "" && only ? firstSql(only.alias) : draft.sql };
}

function tablesOf(sources: readonly DraftSource[], datasets: readonly Dataset[]) {
  return Object.fromEntries(
    sources.map(({ datasetId, alias }) => [alias, datasets.find(({ id }) => id === datasetId)?.columns ?? []]),
  );
}
