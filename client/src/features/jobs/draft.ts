/** What a person has put together so far for a new job, and what is sent of it. Pure. */
import type { BadRowPolicy, CreateJobInput } from "../../api/jobs";
import type { FileFormat } from "../../api/datasets";

export type DraftSource = { datasetId: string; alias: string };

export type Draft = {
  name: string;
  sources: readonly DraftSource[];
  sql: string;
  format: FileFormat;
  /** Empty: the format's own default. */
  compression: string;
  layout: "SINGLE_FILE" | "PARTS";
  badRows: BadRowPolicy;
  /** Null: no limit. */
  maxRejectedRows: number | null;
};

export const FIRST_ALIAS = "input";

export const emptyDraft: Draft = {
  name: "",
  sources: [],
  sql: "",
  format: "CSV",
  compression: "",
  layout: "SINGLE_FILE",
  badRows: "REJECT_ROW",
  maxRejectedRows: null,
};

/** A table name made from a dataset's name, unlike those that are taken. */
export function aliasFor(datasetName: string, taken: readonly string[]): string {
  if (taken.length === 0) return FIRST_ALIAS;
  const stem = datasetName.replace(/\.[^.]*$/, "").toLowerCase().replaceAll(/[^\p{L}\p{N}_]+/gu, "_");
  const trimmed = stem.replaceAll(/^_+|_+$/g, "");
  const base = /^\p{L}/u.test(trimmed) ? trimmed : `t_${trimmed}`.replace(/_$/, "");
  let alias = base;
  for (let number = 2; taken.includes(alias); number += 1) alias = `${base}_${number}`;
  return alias;
}

/** Null as long as there is nothing that could be tried. */
export function inputOf(draft: Draft): CreateJobInput | null {
  const sources = draft.sources.filter(({ datasetId }) => datasetId !== "");
  if (sources.length === 0 || draft.sql.trim() === "") return null;
  return {
    name: draft.name.trim() === "" ? null : draft.name.trim(),
    sources: sources.map(({ datasetId, alias }) => ({ datasetId, alias: alias.trim() })),
    sql: draft.sql,
    output: {
      format: draft.format,
      compression: draft.compression === "" ? null : draft.compression,
      layout: draft.layout,
    },
    badRows: {
      policy: draft.badRows,
      maxRejectedRows: draft.badRows === "REJECT_ROW" ? draft.maxRejectedRows : null,
    },
  };
}

/** A first query that answers at once on a file of any size. */
export function firstSql(alias: string): string {
  return `SELECT *\nFROM ${alias}\nLIMIT 100`;
}
