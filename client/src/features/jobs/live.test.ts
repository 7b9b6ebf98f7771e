import { expect, test } from "vitest";
import type { JobEvent, Progress } from "../../api/jobs";
import { etaRange, MAX_EVENTS, MAX_SAMPLES, noEvents, nothingYet, plotPoints, staleForMs, takeEvents, takeSnapshot } from "./live";

const T0 = Date.parse("2026-05-01T12:00:00Z");

function snapshot(fraction: number, tickMs: number, state: Progress["state"] = "RUNNING"): Progress {
  return {
    jobId: "j",
    state,
    fraction,
    bytesRead: fraction * 1000,
    bytesTotal: 1000,
    rowsRead: 0,
    rowsWritten: 0,
    rowsRejected: 0,
    bytesPerSecond: 100,
    rowsPerSecond: 10,
    etaSeconds: null,
    stages: [],
    lastTickAt: new Date(T0 + tickMs).toISOString(),
  };
}

test("progress does not go back when snapshots arrive out of order", () => {
  let live = takeSnapshot(nothingYet, snapshot(0.5, 0), T0);
  live = takeSnapshot(live, snapshot(0.4, 10), T0 + 10);
  expect(live.progress?.fraction).toBe(0.5);
  live = takeSnapshot(live, snapshot(0.6, 20), T0 + 20);
  expect(live.progress?.fraction).toBe(0.6);
});

test("a final snapshot is the last word, also that of a failure at a smaller fraction", () => {
  let live = takeSnapshot(nothingYet, snapshot(0.5, 0), T0);
  live = takeSnapshot(live, snapshot(0.45, 10, "FAILED"), T0 + 10);
  expect(live.progress?.state).toBe("FAILED");
  live = takeSnapshot(live, snapshot(0.9, 20), T0 + 20);
  expect(live.progress?.state).toBe("FAILED");
});

test("the picture is stale when no tick has come for a while, however often snapshots come", () => {
  let live = takeSnapshot(nothingYet, snapshot(0.5, 0), T0);
  for (let ms = 250; ms <= 6_000; ms += 250) live = takeSnapshot(live, snapshot(0.5, 0), T0 + ms);
  expect(staleForMs(live, T0 + 6_000)).toBe(6_000);
  live = takeSnapshot(live, snapshot(0.5, 6_100), T0 + 6_100);
  expect(staleForMs(live, T0 + 6_200)).toBeNull();
});

test("clocks that disagree do not make the picture stale", () => {
  const behind = 3_600_000;
  let live = takeSnapshot(nothingYet, snapshot(0.1, -behind), T0);
  live = takeSnapshot(live, snapshot(0.2, -behind + 250), T0 + 250);
  expect(staleForMs(live, T0 + 1_000)).toBeNull();
  const ahead = takeSnapshot(nothingYet, snapshot(0.1, behind), T0);
  expect(staleForMs(ahead, T0 + 1_000)).toBeNull();
});

test("a job that waits or has ended is never stale", () => {
  expect(staleForMs(takeSnapshot(nothingYet, snapshot(0, 0, "QUEUED"), T0), T0 + 60_000)).toBeNull();
  expect(staleForMs(takeSnapshot(nothingYet, snapshot(1, 0, "SUCCEEDED"), T0), T0 + 60_000)).toBeNull();
});

test("samples stay within their limit and span the whole time", () => {
  let live = nothingYet;
  for (let index = 0; index < 10 * MAX_SAMPLES; index += 1) {
    live = takeSnapshot(live, snapshot(0.5, index * 250), T0 + index * 250);
  }
  expect(live.samples.length).toBeLessThanOrEqual(MAX_SAMPLES);
  expect(live.samples.length).toBeGreaterThan(MAX_SAMPLES / 4);
  expect(live.samples[0]?.atMs).toBe(T0);
});

test("a time without news is a gap in the plot", () => {
  const sample = (atMs: number) => ({ atMs: T0 + atMs, bytesPerSecond: 1, rowsPerSecond: 1 });
  const points = plotPoints([sample(0), sample(250), sample(10_250), sample(10_500)], 0);
  expect(points.map(({ seconds }) => seconds)).toEqual([0, 0.25, 5.25, 10.25, 10.5]);
  expect(points.map(({ bytesPerSecond }) => bytesPerSecond)).toEqual([1, 1, null, 1, 1]);
  expect(plotPoints([sample(0), sample(10_000)], 5_000)).toHaveLength(2);
});

function events(...seqs: number[]): JobEvent[] {
  return seqs.map((seq) => ({ seq, jobId: "j", at: "", kind: "K", message: String(seq) }));
}

test("events that come twice after a reconnection are shown once", () => {
  const log = takeEvents(takeEvents(noEvents, events(1, 2, 3)), events(1, 2, 3, 4));
  expect(log.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  expect(takeEvents(log, events(2))).toBe(log);
});

test("a flood of events keeps the newest and counts the rest", () => {
  const all = Array.from({ length: MAX_EVENTS + 5 }, (_, index) => index + 1);
  const log = takeEvents(noEvents, events(...all));
  expect(log.events).toHaveLength(MAX_EVENTS);
  expect(log.dropped).toBe(5);
  expect(log.events.at(-1)?.seq).toBe(MAX_EVENTS + 5);
});

test("a snapshot that the page had kept from before does not undo a newer one", () => {
  const live = takeSnapshot(nothingYet, snapshot(0.5, 1_000, "PAUSED"), T0);
  expect(takeSnapshot(live, snapshot(0.5, 0), T0 + 10)).toBe(live);
});

test("the estimate is as wide as the rates differ", () => {
  let live = nothingYet;
  for (let index = 0; index < 20; index += 1) {
    const tick = { ...snapshot(0.5, index * 250), bytesPerSecond: index % 2 === 0 ? 50 : 200, etaSeconds: 5 };
    live = takeSnapshot(live, tick, T0 + index * 250);
  }
  expect(etaRange(live)).toEqual({ from: 2.5, to: 10 });
  expect(etaRange(nothingYet)).toBeNull();
  expect(etaRange(takeSnapshot(nothingYet, { ...snapshot(0.5, 0), etaSeconds: 7 }, T0))).toEqual({ from: 7, to: 7 });
});
