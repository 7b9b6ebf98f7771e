import { NumberInput, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import type { BadRowPolicy } from "../../api/jobs";
import type { FileFormat } from "../../api/datasets";
import { Panel } from "../../ui/panel";
import type { Draft } from "./draft";

type OutputPanelProps = { draft: Draft; onChange: (change: Partial<Draft>) => void };

const formats: { value: FileFormat; label: string }[] = [
  { value: "CSV", label: "CSV" },
  { value: "NDJSON", label: "NDJSON" },
  { value: "PARQUET", label: "Parquet" },
  { value: "ARROW", label: "Arrow" },
];

const compressions = [
  { value: "", label: "Snappy" },
  { value: "zstd", label: "Zstandard" },
  { value: "lz4", label: "LZ4" },
  { value: "none", label: "None" },
];

const policies: { value: BadRowPolicy; label: string }[] = [
  { value: "REJECT_ROW", label: "Set aside in a file" },
  { value: "FAIL_JOB", label: "Fail the job" },
  { value: "SET_NULL", label: "Make the bad value null" },
];

const explanations: Record<BadRowPolicy, string> = {
  REJECT_ROW: "The rest goes on. Each rejected row is kept with its line, its reason and its raw text.",
  FAIL_JOB: "The first row that cannot be read ends the job, and nothing is written.",
  SET_NULL: "A value that does not fit its column's type becomes null; a broken row is still rejected.",
};

/** What comes out, and what becomes of rows that cannot be read. */
export function OutputPanel({ draft, onChange }: OutputPanelProps) {
  return (
    <>
      <Panel title="Result">
        <Stack gap="sm">
          <TextInput
            label="Name of the job"
            placeholder="From the SQL"
            value={draft.name}
            onChange={(event) => onChange({ name: event.currentTarget.value })}
          />
          <Select
            label="Format"
            data={formats}
            value={draft.format}
            onChange={(format: FileFormat | null) => format && onChange({ format, compression: "" })}
          />
          {draft.format === "PARQUET" ? (
            <Select
              label="Compression"
              data={compressions}
              value={draft.compression}
              onChange={(compression) => compression !== null && onChange({ compression })}
            />
          ) : null}
          <div>
            <Text size="sm" fw={500} mb={4} id="layout-label">
              Files
            </Text>
            <SegmentedControl
              fullWidth
              aria-labelledby="layout-label"
              data={[
                { value: "SINGLE_FILE", label: "One file" },
                { value: "PARTS", label: "Parts" },
              ]}
              value={draft.layout}
              onChange={(layout: Draft["layout"]) => onChange({ layout })}
            />
          </div>
        </Stack>
      </Panel>
      <Panel title="Bad rows">
        <Stack gap="sm">
          <Select
            label="A row that cannot be read"
            data={policies}
            value={draft.badRows}
            onChange={(badRows: BadRowPolicy | null) => badRows && onChange({ badRows })}
          />
          <Text size="xs" c="dimmed">
            {explanations[draft.badRows]}
          </Text>
          {draft.badRows === "REJECT_ROW" ? (
            <NumberInput
              label="Fail after more than"
              placeholder="No limit"
              min={0}
              allowDecimal={false}
              thousandSeparator=","
              suffix=" rejected rows"
              value={draft.maxRejectedRows ?? ""}
              onChange={(value) => onChange({ maxRejectedRows: typeof value === "number" ? value : null })}
            />
          ) : null}
        </Stack>
      </Panel>
    </>
  );
}
