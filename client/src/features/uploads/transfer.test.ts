import { expect, test } from "vitest";
import {
  beginTransfer,
  MAX_PART_FAULTS,
  next,
  partRange,
  PARTS_AT_ONCE,
  sentBytes,
  step,
  storedParts,
  upcoming,
  waitAfterFaultMs,
  type Transfer,
} from "./transfer";

const whole = () => beginTransfer(25, 10, 3, []);

function fault(transfer: Transfer, partNumber: number, atMs: number): Transfer {
  return step(step(transfer, { kind: "started", partNumber }), { kind: "faulted", partNumber, message: "lost", atMs });
}

test("the last part ends with the file", () => {
  expect([1, 2, 3].map((part) => partRange(whole(), part))).toEqual([
    { start: 0, end: 10 },
    { start: 10, end: 20 },
    { start: 20, end: 25 },
  ]);
});

test("no more parts are started than may be under way at once", () => {
  let transfer = beginTransfer(100, 10, 10, []);
  const first = next(transfer, 0);
  expect(first).toEqual({ kind: "start", partNumbers: [1, 2, 3, 4] });
  for (const partNumber of [1, 2, 3, 4]) transfer = step(transfer, { kind: "started", partNumber });
  expect(next(transfer, 0)).toEqual({ kind: "underWay" });
  transfer = step(transfer, { kind: "stored", partNumber: 2, etag: "b" });
  expect(next(transfer, 0)).toEqual({ kind: "start", partNumbers: [5] });
  expect(PARTS_AT_ONCE).toBe(4);
});

test("a resumed upload sends only the parts that storage does not hold", () => {
  const transfer = beginTransfer(25, 10, 3, [{ partNumber: 2, etag: "b" }]);
  expect(next(transfer, 0)).toEqual({ kind: "start", partNumbers: [1, 3] });
  expect(upcoming(transfer, 16)).toEqual([1, 3]);
  expect(sentBytes(transfer)).toBe(10);
});

test("an upload of which all parts are stored is complete", () => {
  let transfer = whole();
  for (const partNumber of [3, 1, 2]) {
    transfer = step(step(transfer, { kind: "started", partNumber }), { kind: "stored", partNumber, etag: `e${partNumber}` });
  }
  expect(next(transfer, 0)).toEqual({ kind: "complete" });
  expect(storedParts(transfer).map(({ etag }) => etag)).toEqual(["e1", "e2", "e3"]);
  expect(sentBytes(transfer)).toBe(25);
});

test("a failed part waits longer each time, and others go first", () => {
  const transfer = fault(whole(), 1, 1_000);
  expect(next(transfer, 1_500)).toEqual({ kind: "start", partNumbers: [2, 3] });
  expect(next(transfer, 2_000)).toEqual({ kind: "start", partNumbers: [1, 2, 3] });
  expect([1, 2, 3, 9].map(waitAfterFaultMs)).toEqual([1_000, 2_000, 4_000, 30_000]);
});

test("with nothing else to send the transfer waits until the failed part is due", () => {
  const transfer = fault(beginTransfer(5, 10, 1, []), 1, 1_000);
  expect(next(transfer, 1_000)).toEqual({ kind: "waitUntil", atMs: 2_000 });
});

test("a part that keeps failing ends the transfer with its reason", () => {
  let transfer = whole();
  for (let count = 0; count < MAX_PART_FAULTS; count += 1) transfer = fault(transfer, 2, 0);
  expect(next(transfer, 1e9)).toEqual({ kind: "exhausted", message: "lost" });
});

test("another round forgets the faults and keeps what is stored", () => {
  let transfer = step(whole(), { kind: "stored", partNumber: 1, etag: "a" });
  for (let count = 0; count < MAX_PART_FAULTS; count += 1) transfer = fault(transfer, 2, 0);
  transfer = step(transfer, { kind: "renewed" });
  expect(next(transfer, 0)).toEqual({ kind: "start", partNumbers: [2, 3] });
  expect(storedParts(transfer)).toEqual([{ partNumber: 1, etag: "a" }]);
});

test("a part that was interrupted by a pause is not at fault", () => {
  let transfer = step(whole(), { kind: "started", partNumber: 1 });
  transfer = step(transfer, { kind: "progressed", partNumber: 1, sentBytes: 7 });
  expect(sentBytes(transfer)).toBe(7);
  transfer = step(transfer, { kind: "returned", partNumber: 1 });
  expect(transfer.parts[0]).toEqual({ kind: "waiting", faults: 0, notBeforeMs: 0 });
});

test("late news of a stored part changes nothing", () => {
  const stored = step(whole(), { kind: "stored", partNumber: 1, etag: "a" });
  expect(step(stored, { kind: "progressed", partNumber: 1, sentBytes: 3 }).parts[0]).toEqual({ kind: "stored", etag: "a" });
  expect(step(stored, { kind: "returned", partNumber: 1 }).parts[0]).toEqual({ kind: "stored", etag: "a" });
});
