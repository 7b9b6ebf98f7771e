import { Autocomplete, TextInput } from "@mantine/core";
import { IconColumns, IconSearch } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { Column } from "../../api/datasets";
import { plural } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { Empty } from "../../ui/states";
import classes from "./columns-panel.module.css";

/** More are found by their name, with the search. */
const MAX_SHOWN = 100;

const TYPES = [
  "Utf8",
  "Int64",
  "Float64",
  "Decimal128(18, 2)",
  "Boolean",
  "Date32",
  "Timestamp(us)",
  "Timestamp(us, UTC)",
];

type ColumnsPanelProps = { columns: readonly Column[]; busy: boolean; onChange: (columns: Column[]) => void };

/** The columns and their types, each of which can be corrected. */
export function ColumnsPanel({ columns, busy, onChange }: ColumnsPanelProps) {
  const [search, setSearch] = useState("");
  const found = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    return columns.filter(({ name }) => name.toLowerCase().includes(wanted));
  }, [columns, search]);
  const shown = found.slice(0, MAX_SHOWN);

  function retype(changed: Column, type: string) {
    if (type.trim() === "" || type === changed.type) return;
    onChange(columns.map(({ name, type: old, nullable }) => ({ name, type: name === changed.name ? type.trim() : old, nullable })));
  }

  return (
    <Panel
      title="Columns"
      flush
      note={shown.length < columns.length ? `${shown.length} of ${columns.length} shown` : plural(columns.length, "column")}
      actions={
        columns.length > 12 ? (
          <TextInput
            size="xs"
            w={200}
            aria-label="Search columns by name"
            placeholder="Search"
            leftSection={<IconSearch size={14} aria-hidden />}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        ) : undefined
      }
    >
      {columns.length === 0 ? (
        <Empty icon={IconColumns} title="No columns are known yet" />
      ) : (
        <div className={classes.scroller}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Type</th>
                <th scope="col">Missing values</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((column) => (
                <tr key={column.name}>
                  <th scope="row" className="mono">
                    {column.name}
                  </th>
                  <td>
                    <TypeInput column={column} busy={busy} onChange={(type) => retype(column, type)} />
                  </td>
                  <td className={classes.dim}>{column.nullable ? "allowed" : "never"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

type TypeInputProps = { column: Column; busy: boolean; onChange: (type: string) => void };

/** A type from the list, or typed: taken when chosen, on Enter, and when left. */
function TypeInput({ column, busy, onChange }: TypeInputProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const take = (type: string) => {
    setTyped(null);
    onChange(type);
  };
  return (
    <Autocomplete
      size="xs"
      w={190}
      aria-label={`Type of ${column.name}`}
      data={TYPES}
      filter={({ options }) => options}
      value={typed ?? column.type}
      disabled={busy}
      classNames={{ input: classes.type }}
      onChange={setTyped}
      onOptionSubmit={take}
      onBlur={() => typed !== null && take(typed)}
      onKeyDown={(event) => event.key === "Enter" && typed !== null && take(typed)}
    />
  );
}
