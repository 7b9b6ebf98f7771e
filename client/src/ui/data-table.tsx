import { columnSizingFeature, createColumnHelper, tableFeatures, useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { cellText, cellTone, columnWidth, isNumeric, moveCell, type CellPosition } from "./cells";
import classes from "./data-table.module.css";

/** Wider tables are cut here, and say so. */
export const MAX_COLUMNS = 200;
const ROW_HEIGHT_PX = 29;
const features = tableFeatures({ columnSizingFeature });
const helper = createColumnHelper<typeof features, readonly unknown[]>();

export type DataColumn = { name: string; type: string };

type DataTableProps = {
  label: string;
  columns: readonly DataColumn[];
  rows: readonly (readonly unknown[])[];
  maxHeight?: number;
};

/** Rows as they are: nulls and empty strings told apart, long values whole below the table. Arrow keys move. */
export function DataTable({ label, columns, rows, maxHeight = 420 }: DataTableProps) {
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [active, activate] = useState<CellPosition | null>(null);
  const shown = useMemo(() => columns.slice(0, MAX_COLUMNS), [columns]);
  const definitions = useMemo(
    () =>
      shown.map((column, index) =>
        helper.accessor((row) => row[index], { id: String(index), header: column.name, size: columnWidth(column, rows, index) }),
      ),
    [shown, rows],
  );
  const table = useTable({ features, columns: definitions, data: rows });
  const tableRows = table.getRowModel().rows;
  const virtual = useVirtualizer({
    count: tableRows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT_PX,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const limits = { rows: rows.length, columns: shown.length };
  const activeColumn = active ? shown[active.column] : undefined;
  const gutter = String(rows.length).length * 8 + 26;

  function onKeyDown(event: KeyboardEvent) {
    const next = moveCell(active, event.key, limits);
    if (next === null) return;
    event.preventDefault();
    activate(next);
    virtual.scrollToIndex(next.row);
    document.getElementById(`${id}-h${next.column}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  return (
    <div>
      <div ref={scroller} className={classes.scroller} style={{ maxHeight }}>
        <table
          className={classes.table}
          role="grid"
          aria-label={label}
          aria-rowcount={rows.length + 1}
          aria-colcount={shown.length}
          aria-activedescendant={active ? `${id}-${active.row}-${active.column}` : undefined}
          tabIndex={0}
          onKeyDown={onKeyDown}
          style={{ width: table.getTotalSize() + gutter }}
        >
          <thead>
            <tr>
              <th scope="col" className={classes.gutter} style={{ width: gutter }}>
                <span className="sr-only">Row</span>
              </th>
              {shown.map((column, index) => (
                <th
                  key={index}
                  id={`${id}-h${index}`}
                  scope="col"
                  title={`${column.name}: ${column.type}`}
                  data-numeric={isNumeric(column.type)}
                  style={{ width: definitions[index]?.size }}
                >
                  <span className={classes.name}>{column.name}</span>
                  <span className={classes.type}>{column.type}</span>
                </th>
              ))}
              <td className={classes.filler} aria-hidden />
            </tr>
          </thead>
          <tbody>
            {before > 0 ? <tr style={{ height: before }} aria-hidden /> : null}
            {items.map((item) => (
              <tr key={item.index} aria-rowindex={item.index + 2} style={{ height: ROW_HEIGHT_PX }}>
                <th scope="row" className={classes.gutter}>
                  {item.index + 1}
                </th>
                {tableRows[item.index]?.getAllCells().map((cell, column) => {
                  const value = cell.getValue();
                  return (
                    <td
                      key={cell.id}
                      id={`${id}-${item.index}-${column}`}
                      role="gridcell"
                      aria-selected={active?.row === item.index && active.column === column}
                      data-tone={cellTone(value)}
                      data-numeric={isNumeric(shown[column]?.type ?? "")}
                      onMouseDown={() => activate({ row: item.index, column })}
                    >
                      {cellText(value)}
                    </td>
                  );
                })}
                <td className={classes.filler} aria-hidden />
              </tr>
            ))}
            {after > 0 ? <tr style={{ height: after }} aria-hidden /> : null}
          </tbody>
        </table>
      </div>
      {columns.length > MAX_COLUMNS ? (
        <p className={classes.cut}>
          The first {MAX_COLUMNS} of {columns.length} columns are shown.
        </p>
      ) : null}
      {active && activeColumn ? (
        <output className={classes.inspector}>
          <span className={classes.where}>
            {activeColumn.name}, row {active.row + 1}
          </span>
          <pre>{cellText(rows[active.row]?.[active.column], true)}</pre>
        </output>
      ) : null}
    </div>
  );
}
