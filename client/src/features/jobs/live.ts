/** What the page knows of a job that runs, built from the snapshots it is sent. Pure. */
import type { JobEvent, Progress } from "../../api/jobs";
import { isFinal } from "./job-state";

export type Sample = { atMs: number; bytesPerSecond: number; rowsPerSecond: number };

export type Live = {
  progress: Progress | null;
  /** For the plot: all of the job since the page was opened, coarser the longer it takes. */
  samples: readonly Sample[];
  /** Samples closer together than this are left out. */
  spacingMs: number;
  /** When a tick that was new arrived here, by this machine's clock: the two clocks need not agree. */
  tickSeenAtMs: number | null;
};

export const MAX_SAMPLES = 600;
export const MAX_EVENTS = 2_000;
/** A job at work reports several times a second; after this long without a report the picture is stale. */
export const STALE_AFTER_MS = 5_000;

export const nothingYet: Live = { progress: null, samples: [], spacingMs: 0, tickSeenAtMs: null };

/** Takes one snapshot in. Progress does not go back, whatever order snapshots arrive in. */
export function takeSnapshot(live: Live, progress: Progress, nowMs: number): Live {
  const before = live.progress;
  if (before && isFinal(before.state)) return live;
  if (before && !isFinal(progress.state) && isOlder(progress, before)) return live;
  const ticked = before?.lastTickAt !== progress.lastTickAt;
  const tickSeenAtMs = before === null ? Math.min(nowMs, Date.parse(progress.lastTickAt)) : ticked ? nowMs : live.tickSeenAtMs;
  const { samples, spacingMs } = progress.state === "RUNNING" ? addSample(live, progress, nowMs) : live;
  return { progress, samples, spacingMs, tickSeenAtMs };
}

function isOlder(progress: Progress, before: Progress): boolean {
  if (progress.fraction !== before.fraction) return progress.fraction < before.fraction;
  return Date.parse(progress.lastTickAt) < Date.parse(before.lastTickAt);
}

function addSample({ samples, spacingMs }: Live, progress: Progress, atMs: number): Pick<Live, "samples" | "spacingMs"> {
  const last = samples.at(-1);
  if (last && atMs - last.atMs < spacingMs) return { samples, spacingMs };
  const added = [...samples, { atMs, bytesPerSecond: progress.bytesPerSecond, rowsPerSecond: progress.rowsPerSecond }];
  if (added.length <= MAX_SAMPLES) return { samples: added, spacingMs };
  const first = added[0];
  const span = first ? atMs - first.atMs : 0;
  return { samples: added.filter((_, index) => index % 2 === 0), spacingMs: (2 * span) / MAX_SAMPLES };
}

/** Without news for this long the plot shows a gap, not a line that nobody measured. */
const GAP_MS = 3_000;

export type Point = { seconds: number; bytesPerSecond: number | null; rowsPerSecond: number | null };

/** The samples as points of a plot, by seconds since the first one. */
export function plotPoints(samples: readonly Sample[], spacingMs: number): Point[] {
  const start = samples[0]?.atMs ?? 0;
  const points: Point[] = [];
  let beforeMs = start;
  for (const { atMs, bytesPerSecond, rowsPerSecond } of samples) {
    if (atMs - beforeMs > Math.max(GAP_MS, 3 * spacingMs)) {
      points.push({ seconds: ((beforeMs + atMs) / 2 - start) / 1000, bytesPerSecond: null, rowsPerSecond: null });
    }
    points.push({ seconds: (atMs - start) / 1000, bytesPerSecond, rowsPerSecond });
    beforeMs = atMs;
  }
  return points;
}

/** How old the picture is, once that is worth saying; `null` while it is fresh. */
export function staleForMs(live: Live, nowMs: number): number | null {
  const state = live.progress?.state;
  if (live.tickSeenAtMs === null || (state !== "RUNNING" && state !== "FINALIZING" && state !== "CANCELING")) return null;
  const age = nowMs - live.tickSeenAtMs;
  return age >= STALE_AFTER_MS ? age : null;
}

/** Rates of this many samples tell how sure an estimate is. */
const RECENT_SAMPLES = 60;
const MIN_SAMPLES = 8;

/** Between how many seconds and how many the job may still take, as fast as it lately was at its best and at its worst. */
export function etaRange(live: Live): { from: number; to: number } | null {
  const { progress, samples } = live;
  if (progress?.state !== "RUNNING" || progress.etaSeconds === null) return null;
  const eta = progress.etaSeconds;
  const rates = samples.slice(-RECENT_SAMPLES).map(({ bytesPerSecond }) => bytesPerSecond).filter((rate) => rate > 0);
  const left = progress.bytesTotal - progress.bytesRead;
  if (rates.length < MIN_SAMPLES || left <= 0) return { from: eta, to: eta };
  rates.sort((one, other) => one - other);
  const rateAt = (share: number) => rates[Math.floor(share * (rates.length - 1))] ?? 1;
  return { from: Math.min(eta, left / rateAt(0.9)), to: Math.max(eta, left / rateAt(0.1)) };
}

export type EventLog = { events: readonly JobEvent[]; lastSeq: number; dropped: number };

export const noEvents: EventLog = { events: [], lastSeq: 0, dropped: 0 };

/** Adds what is new, oldest first; after a reconnection some come twice. Keeps the newest `MAX_EVENTS`. */
export function takeEvents(log: EventLog, arrived: readonly JobEvent[]): EventLog {
  let lastSeq = log.lastSeq;
  const fresh = arrived.filter(({ seq }) => {
    if (seq <= lastSeq) return false;
    lastSeq = seq;
    return true;
  });
  if (fresh.length === 0) return log;
  const all = [...log.events, ...fresh];
  const over = Math.max(0, all.length - MAX_EVENTS);
  return { events: all.slice(over), lastSeq, dropped: log.dropped + over };
}
