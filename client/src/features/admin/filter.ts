/** The filter of the audit log, as it stands in the address. Pure. */
import type { AuditFilter } from "../../api/admin";

export const OUTCOMES = [
  "OK",
  "BAD_USER_INPUT",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "NOT_FOUND",
  "CONFLICT",
  "RATE_LIMITED",
  "LIMIT_EXCEEDED",
  "UNAVAILABLE",
  "INTERNAL",
] as const;

const DAY = /^\d{4}-\d\d-\d\d$/;

/** The beginning of a day where the reader is, `later` days after it; null for what is no day. */
export function dayStart(day: string | null, later = 0): string | null {
  if (day === null || !DAY.test(day)) return null;
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  const start = new Date(year, month - 1, date + later);
  return start.getMonth() === month - 1 || later > 0 ? start.toISOString() : null;
}

/** Both days are meant whole: `until` is the beginning of the day after the last one. */
export function filterOf(params: URLSearchParams): AuditFilter {
  const outcome = params.get("outcome");
  return {
    action: params.get("action") ?? null,
    outcome: OUTCOMES.some((known) => known === outcome) ? outcome : null,
    since: dayStart(params.get("since")),
    until: dayStart(params.get("until"), 1),
  };
}

const BYTES_A_GB = 1_000_000_000;

/** What an administrator types as GB; empty says as everyone. */
export function quotaOf(gigabytes: string | number): number | null {
  return gigabytes === "" ? null : Math.round(Number(gigabytes) * BYTES_A_GB);
}

export function gigabytesOf(bytes: number | null): string | number {
  return bytes === null ? "" : bytes / BYTES_A_GB;
}
