import type { DataColumn } from "./data-table";

export type CellPosition = { row: number; column: number };

const CHARACTER_PX = 7.4;
const MIN_WIDTH_PX = 72;
const MAX_WIDTH_PX = 320;
const PAGE_ROWS = 12;
const SAMPLE_ROWS = 60;

/** A value as text. In a table it stays on one line: line ends and tabs become signs. */
export function cellText(value: unknown, whole = false): string {
  if (value === null || value === undefined) return "null";
  if (value === "") return '""';
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (whole) return text;
  return text.slice(0, 400).replaceAll(/\r\n|\r|\n/g, "↵").replaceAll("\t", "⇥");
}

export function cellTone(value: unknown): "absent" | "plain" {
  return value === null || value === undefined || value === "" ? "absent" : "plain";
}

export function isNumeric(type: string): boolean {
  return /^(U?Int|Float|Decimal)/.test(type);
}

/** Wide enough for most of what the first rows hold, within limits. */
export function columnWidth(column: DataColumn, rows: readonly (readonly unknown[])[], index: number): number {
  let characters = Math.max(column.name.length + 2, column.type.length * 0.9);
  for (const row of rows.slice(0, SAMPLE_ROWS)) {
    characters = Math.max(characters, Math.min(60, cellText(row[index]).length));
  }
  return Math.round(Math.min(MAX_WIDTH_PX, Math.max(MIN_WIDTH_PX, characters * CHARACTER_PX + 28)));
}

/** Where a key leads from a cell; `null` where the key is not for the table. */
export function moveCell(
  from: CellPosition | null,
  key: string,
  limits: { rows: number; columns: number },
): CellPosition | null {
  if (limits.rows === 0 || limits.columns === 0) return null;
  const { row, column } = from ?? { row: 0, column: 0 };
  const clamp = (value: number, count: number) => Math.min(count - 1, Math.max(0, value));
  switch (key) {
    case "ArrowDown":
      return { row: from ? clamp(row + 1, limits.rows) : 0, column };
    case "ArrowUp":
      return { row: clamp(row - 1, limits.rows), column };
    case "ArrowRight":
      return { row, column: from ? clamp(column + 1, limits.columns) : 0 };
    case "ArrowLeft":
      return { row, column: clamp(column - 1, limits.columns) };
    case "PageDown":
      return { row: clamp(row + PAGE_ROWS, limits.rows), column };
    case "PageUp":
      return { row: clamp(row - PAGE_ROWS, limits.rows), column };
    case "Home":
      return { row, column: 0 };
    case "End":
      return { row, column: limits.columns - 1 };
    default:
      return null;
  }
}
