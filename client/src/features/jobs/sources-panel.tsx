import { ActionIcon, Button, Group, Loader, Select, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { useDatasets, type Dataset } from "../../api/datasets";
import { formatBytes } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { aliasFor, type DraftSource } from "./draft";
import classes from "./sources-panel.module.css";

const SEARCH_DELAY_MS = 200;

type SourcesPanelProps = {
  sources: readonly DraftSource[];
  /** What is known of the chosen datasets. */
  datasets: readonly Dataset[];
  onChange: (sources: DraftSource[]) => void;
};

/** Which datasets are read, and under which table names. */
export function SourcesPanel({ sources, datasets, onChange }: SourcesPanelProps) {
  const rows = sources.length === 0 ? [{ datasetId: "", alias: "input" }] : sources;
  const replace = (index: number, source: DraftSource) => onChange(rows.map((row, at) => (at === index ? source : row)));

  return (
    <Panel
      title="Data"
      actions={
        <Button
          variant="subtle"
          size="compact-xs"
          leftSection={<IconPlus size={13} aria-hidden />}
          onClick={() => onChange([...rows, { datasetId: "", alias: "" }])}
        >
          Add another dataset
        </Button>
      }
    >
      <div className={classes.rows}>
        {rows.map((source, index) => (
          <Group key={index} gap="sm" align="flex-end" wrap="nowrap">
            <DatasetSelect
              source={source}
              known={datasets.find(({ id }) => id === source.datasetId)}
              onChoose={(datasetId, name) => {
                const taken = rows.filter((_, at) => at !== index).map(({ alias }) => alias);
                replace(index, { datasetId, alias: source.alias === "" ? aliasFor(name, taken) : source.alias });
              }}
            />
            <TextInput
              label="Table name"
              w={170}
              classNames={{ input: classes.alias }}
              value={source.alias}
              onChange={(event) => replace(index, { ...source, alias: event.currentTarget.value })}
            />
            {rows.length > 1 ? (
              <ActionIcon
                variant="default"
                size={32}
                aria-label={`Leave out ${source.alias || "this dataset"}`}
                onClick={() => onChange(rows.filter((_, at) => at !== index))}
              >
                <IconX size={15} aria-hidden />
              </ActionIcon>
            ) : null}
          </Group>
        ))}
      </div>
    </Panel>
  );
}

type DatasetSelectProps = {
  source: DraftSource;
  known: Dataset | undefined;
  onChoose: (datasetId: string, name: string) => void;
};

function DatasetSelect({ source, known, onChoose }: DatasetSelectProps) {
  const [typed, setTyped] = useState("");
  const [asked] = useDebouncedValue(typed.trim() === known?.name ? "" : typed.trim(), SEARCH_DELAY_MS);
  const { value, loading } = useDatasets(asked);
  const found = (value?.nodes ?? []).filter(({ status }) => status === "READY");
  const choices = found.map(({ id, name, sizeBytes }) => ({ value: id, label: name, note: formatBytes(sizeBytes) }));
  if (known && !choices.some((choice) => choice.value === known.id)) {
    choices.unshift({ value: known.id, label: known.name, note: formatBytes(known.sizeBytes) });
  }
  return (
    <Select
      label="Dataset"
      flex={1}
      searchable
      placeholder="Choose a dataset"
      nothingFoundMessage={loading ? "Looking" : "Nothing found"}
      rightSection={loading ? <Loader size={14} /> : undefined}
      data={choices}
      filter={({ options }) => options}
      renderOption={({ option }) => (
        <Group justify="space-between" wrap="nowrap" flex={1}>
          <span>{option.label}</span>
          <Text size="xs" c="dimmed" className="numeric">
            {choices.find(({ value: id }) => id === option.value)?.note}
          </Text>
        </Group>
      )}
      value={source.datasetId === "" ? null : source.datasetId}
      searchValue={typed}
      onSearchChange={setTyped}
      onChange={(id) => {
        const chosen = choices.find((choice) => choice.value === id);
        if (chosen) onChoose(chosen.value, chosen.label);
      }}
    />
  );
}
