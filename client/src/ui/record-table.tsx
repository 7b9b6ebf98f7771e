import type { ReactNode } from "react";
import classes from "./record-table.module.css";

export type RecordColumn<Item> = {
  name: string;
  /** Numbers and buttons stand at the end. */
  end?: boolean;
  /** For readers only: a column whose cells speak for themselves. */
  hidden?: boolean;
  cell: (item: Item) => ReactNode;
};

type RecordTableProps<Item> = {
  label: string;
  columns: readonly RecordColumn<Item>[];
  items: readonly Item[];
  itemKey: (item: Item) => string;
};

/** A short table of things, not of data; on a phone each row becomes a card. The roles stay when the display changes. */
export function RecordTable<Item>({ label, columns, items, itemKey }: RecordTableProps<Item>) {
  return (
    // `display: block` would take their roles away.
    /* eslint-disable jsx-a11y/no-redundant-roles, jsx-a11y/no-interactive-element-to-noninteractive-role */
    <table className={classes.table} role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ name, end, hidden }) => (
            <th key={name} scope="col" role="columnheader" data-end={end}>
              {hidden ? <span className="sr-only">{name}</span> : name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {items.map((item) => (
          <tr key={itemKey(item)} role="row">
            {columns.map(({ name, end, hidden, cell }) => (
              <td key={name} role="cell" data-end={end} data-name={hidden ? "" : name}>
                {cell(item)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
    /* eslint-enable */
  );
}
