import { Button, Select, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconListSearch } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { useAuditLog, type AuditEntry } from "../../api/admin";
import { formatDateTime, formatCount, plural } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { Empty, Failure, LoadingLines } from "../../ui/states";
import { admin } from "../../words/admin";
import { common } from "../../words/common";
import classes from "./admin.module.css";
import { filterOf, OUTCOMES } from "./filter";

const words = admin.audit;
const TYPING_RESTS_MS = 250;
const outcomes = [{ value: "any", label: words.anyOutcome }, ...OUTCOMES.map((value) => ({ value, label: value }))];

/** Who asked for what, and what came of it. What is looked for stands in the address. */
export function AuditPanel() {
  const [params, setParams] = useSearchParams();
  const filter = useMemo(() => filterOf(params), [params]);
  const { value, loading, problem, reload } = useAuditLog(filter);
  const [typed, setTyped] = useState(params.get("action") ?? "");

  function look(name: string, wanted: string) {
    // From the address itself: `params` may be of before another filter, whose page is not drawn yet.
    const next = new URLSearchParams(location.search);
    if (wanted === "") next.delete(name);
    else next.set(name, wanted);
    setParams(next, { replace: true });
  }
  const ask = useDebouncedCallback((action: string) => look("action", action.trim()), TYPING_RESTS_MS);

  function list() {
    if (loading) return <LoadingLines label={words.loading} lines={8} />;
    if (value === null) return <Failure title={words.failed} message={problem?.message ?? ""} onRetry={reload} />;
    if (value.nodes.length === 0) {
      return (
        <Empty icon={IconListSearch} title={words.none}>
          {words.noneSays}
        </Empty>
      );
    }
    return (
      <>
        <ul className={classes.entries} aria-label={words.title}>
          {value.nodes.map((entry) => (
            <li key={entry.id} className={classes.entry}>
              <Entry entry={entry} />
            </li>
          ))}
        </ul>
        {value.hasMore ? (
          <Button m="md" variant="default" size="xs" onClick={value.loadMore}>
            {common.more} ({common.shown(formatCount(value.nodes.length), formatCount(value.totalCount))})
          </Button>
        ) : null}
      </>
    );
  }

  return (
    <Panel title={words.title} flush note={value ? plural(value.totalCount, words.count, words.counts) : undefined}>
      <div className={classes.filters}>
        <TextInput
          size="xs"
          label={words.action}
          placeholder={words.actionHint}
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            ask(event.currentTarget.value);
          }}
        />
        <Select
          size="xs"
          label={words.outcome}
          data={outcomes}
          value={filter.outcome ?? "any"}
          onChange={(outcome) => look("outcome", outcome === null || outcome === "any" ? "" : outcome)}
        />
        {(["since", "until"] as const).map((end) => (
          <TextInput
            key={end}
            type="date"
            size="xs"
            label={words[end]}
            value={params.get(end) ?? ""}
            onChange={(event) => look(end, event.currentTarget.value)}
          />
        ))}
      </div>
      {list()}
    </Panel>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const { at, actor, action, outcome, apiTokenId, address, requestId, subjectId, data } = entry;
  const facts = [
    [words.address, address],
    [words.request, requestId],
    [words.subject, subjectId],
    [words.data, data === null || data === undefined ? null : JSON.stringify(data, null, 2)],
  ] as const;
  return (
    <details>
      <summary className={classes.summary}>
        <Text size="xs" c="dimmed" span className="numeric">
          {formatDateTime(at)}
        </Text>
        <span>
          {actor?.email ?? words.nobody}
          {apiTokenId === null ? "" : `, ${words.token}`}
        </span>
        <span className="mono">{action}</span>
        <Text size="xs" fw={550} span c={outcome === "OK" ? "var(--k-ok)" : "var(--k-bad)"}>
          {outcome}
        </Text>
      </summary>
      <dl className={classes.details}>
        {facts.map(([name, value]) =>
          value === null || value === "" ? null : (
            <div key={name} style={{ display: "contents" }}>
              <dt>{name}</dt>
              <dd className="mono">{value}</dd>
            </div>
          ),
        )}
      </dl>
    </details>
  );
}
