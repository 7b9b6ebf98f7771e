/** The choices for reading a text file, in words. */
import type { Dataset, DialectInput } from "../../api/datasets";

type Choice = { value: string; label: string };

export const FORMATS = [
  { value: "CSV", label: "CSV" },
  { value: "NDJSON", label: "NDJSON" },
  { value: "PARQUET", label: "Parquet" },
  { value: "ARROW", label: "Arrow" },
] as const;

export const DELIMITERS: readonly Choice[] = [
  { value: ",", label: "Comma  ," },
  { value: ";", label: "Semicolon  ;" },
  { value: "\t", label: "Tab" },
  { value: "|", label: "Pipe  |" },
  { value: ":", label: "Colon  :" },
  { value: " ", label: "Space" },
];

export const QUOTES: readonly Choice[] = [
  { value: '"', label: 'Double quote  "' },
  { value: "'", label: "Single quote  '" },
  { value: "", label: "None" },
];

export const ENCODINGS: readonly Choice[] = [
  { value: "utf-8", label: "UTF-8" },
  { value: "windows-1252", label: "Windows-1252 (Western)" },
  { value: "iso-8859-15", label: "ISO 8859-15 (Western)" },
  { value: "windows-1251", label: "Windows-1251 (Cyrillic)" },
  { value: "utf-16le", label: "UTF-16 LE" },
  { value: "utf-16be", label: "UTF-16 BE" },
];

/** The choices, with what the file has now among them, however unusual. */
export function withCurrent(choices: readonly Choice[], current: string | null): Choice[] {
  if (current === null || choices.some(({ value }) => value === current)) return [...choices];
  return [...choices, { value: current, label: current }];
}

/** All of a dialect as it is, so that one correction does not undo an earlier one. */
export function dialectInput(dialect: NonNullable<Dataset["dialect"]>): DialectInput {
  const { delimiter, quote, escape, comment, hasHeader, skipRows, encoding, compression } = dialect;
  return { delimiter, quote, escape, comment, hasHeader, skipRows, encoding, compression };
}
