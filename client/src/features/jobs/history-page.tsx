import { Button, Group, MultiSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconHistory, IconPlayerPlay, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useJobs } from "../../api/jobs";
import { plural } from "../../ui/format";
import { Page } from "../../ui/page";
import { Panel } from "../../ui/panel";
import { Empty, Failure, LoadingLines } from "../../ui/states";
import { JobList } from "./job-list";
import { isJobState, JOB_STATES, lookOf } from "./job-state";

const SEARCH_DELAY_MS = 250;
const stateChoices = JOB_STATES.map((value) => ({ value, label: lookOf(value).label }));

/** All jobs, newest first. What is looked for stands in the address, so that it can be kept and shared. */
export function HistoryPage() {
  const [params, setParams] = useSearchParams();
  const asked = params.get("q") ?? "";
  const states = params.getAll("state").filter(isJobState);
  const { value, loading, problem, reload } = useJobs(asked, states);
  const filtered = asked !== "" || states.length > 0;

  function look(q: string, wanted: readonly string[]) {
    const next = new URLSearchParams(wanted.map((state) => ["state", state]));
    if (q !== "") next.set("q", q);
    setParams(next, { replace: true });
  }

  function list() {
    if (loading) return <LoadingLines label="Loading jobs" lines={7} />;
    if (value === null) {
      return (
        <div style={{ padding: 14 }}>
          <Failure title="The jobs could not be loaded" message={problem?.message ?? ""} onRetry={reload} />
        </div>
      );
    }
    if (value.nodes.length > 0) return <JobList page={value} />;
    return filtered ? (
      <Empty
        icon={IconSearch}
        title="No job is like that"
        action={
          <Button variant="default" size="xs" onClick={() => look("", [])}>
            Show all jobs
          </Button>
        }
      />
    ) : (
      <Empty
        icon={IconHistory}
        title="No jobs yet"
        action={
          <Button component={Link} to="/jobs/new" leftSection={<IconPlayerPlay size={15} aria-hidden />}>
            New job
          </Button>
        }
      >
        A job reads datasets with SQL and writes one complete result.
      </Empty>
    );
  }

  return (
    <Page title="Jobs">
      <Panel
        title={filtered ? "Found" : "All jobs"}
        flush
        note={value ? plural(value.totalCount, "job") : undefined}
        actions={
          <Group gap="xs" justify="flex-end" flex={1}>
            <MultiSelect
              size="xs"
              miw={180}
              maw={380}
              aria-label="States"
              placeholder={states.length === 0 ? "Any state" : undefined}
              data={stateChoices}
              value={states}
              clearable
              clearButtonProps={{ "aria-label": "Clear the states" }}
              onChange={(wanted) => look(asked, wanted)}
            />
            <SearchBox asked={asked} onAsk={(q) => look(q, states)} />
          </Group>
        }
      >
        {list()}
      </Panel>
    </Page>
  );
}

/** Typed freely; asked for when the typing rests. */
function SearchBox({ asked, onAsk }: { asked: string; onAsk: (q: string) => void }) {
  const [typed, setTyped] = useState(asked);
  const ask = useDebouncedCallback((text: string) => onAsk(text.trim()), SEARCH_DELAY_MS);
  return (
    <TextInput
      size="xs"
      w={220}
      aria-label="Search jobs by name"
      placeholder="Search"
      leftSection={<IconSearch size={14} aria-hidden />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        ask(event.currentTarget.value);
      }}
    />
  );
}
