import { NumberInput, Select, Stack, Switch, Text } from "@mantine/core";
import { useState } from "react";
import type { Dataset, DialectInput, FileFormat, UpdateDatasetInput } from "../../api/datasets";
import { Panel } from "../../ui/panel";
import { dialectInput, DELIMITERS, ENCODINGS, FORMATS, QUOTES, withCurrent } from "./dialect";

type DialectPanelProps = {
  dataset: Dataset;
  busy: boolean;
  onChange: (change: Pick<UpdateDatasetInput, "format" | "dialect">) => void;
};

/** How the bytes are read: what was found, and the means to correct it. */
export function DialectPanel({ dataset, busy, onChange }: DialectPanelProps) {
  const { dialect, format } = dataset;

  function correct(change: DialectInput) {
    if (dialect) onChange({ dialect: { ...dialectInput(dialect), ...change } });
  }

  return (
    <Panel title="How it is read" note={dialect ? confidence(dialect.confidence) : undefined}>
      <Stack gap="sm">
        <Select
          label="Format"
          data={[...FORMATS]}
          value={format}
          disabled={busy}
          onChange={(value: FileFormat | null) => value && value !== format && onChange({ format: value })}
        />
        {dialect === null ? (
          <Text size="sm" c="dimmed">
            {format === "CSV" ? "Not known yet." : "This format says itself how it is read."}
          </Text>
        ) : (
          <>
            {format === "CSV" ? (
              <>
                <Select
                  label="Delimiter"
                  data={withCurrent(DELIMITERS, dialect.delimiter)}
                  value={dialect.delimiter}
                  disabled={busy}
                  onChange={(delimiter) => correct({ delimiter })}
                />
                <Select
                  label="Quote"
                  data={withCurrent(QUOTES, dialect.quote ?? "")}
                  value={dialect.quote ?? ""}
                  disabled={busy}
                  onChange={(quote) => correct({ quote: quote === "" ? null : quote })}
                />
                <SkipRows
                  key={dialect.skipRows}
                  value={dialect.skipRows}
                  disabled={busy}
                  onChange={(skipRows) => correct({ skipRows })}
                />
                <Switch
                  label="The first line names the columns"
                  checked={dialect.hasHeader ?? false}
                  disabled={busy}
                  onChange={(event) => correct({ hasHeader: event.currentTarget.checked })}
                />
              </>
            ) : null}
            <Select
              label="Encoding"
              data={withCurrent(ENCODINGS, dialect.encoding)}
              value={dialect.encoding}
              disabled={busy}
              onChange={(encoding) => correct({ encoding })}
            />
            <Text size="xs" c="dimmed">
              Compression: {dialect.compression ?? "none"}
              {dialect.escape ? `. Escape: ${dialect.escape}` : ""}
              {dialect.comment ? `. Comment lines start with ${dialect.comment}` : ""}
            </Text>
          </>
        )}
      </Stack>
    </Panel>
  );
}

function confidence(value: number): string {
  return `${Math.floor(value * 100)} % sure`;
}

type SkipRowsProps = { value: number; disabled: boolean; onChange: (value: number) => void };

/** Typed freely, taken on Enter or when left. */
function SkipRows({ value, disabled, onChange }: SkipRowsProps) {
  const [typed, setTyped] = useState<number | string>(value);
  const commit = () => {
    if (typeof typed === "number" && typed !== value) onChange(typed);
  };
  return (
    <NumberInput
      label="Lines to skip at the start"
      min={0}
      allowDecimal={false}
      hideControls={false}
      value={typed}
      disabled={disabled}
      onChange={setTyped}
      onBlur={commit}
      onKeyDown={(event) => event.key === "Enter" && commit()}
    />
  );
}
