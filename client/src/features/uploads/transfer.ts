/**
 * The parts of one file on their way to storage. Pure: what has been sent, what to send next, when to give up.
 *
 * Part numbers count from 1, as storage counts them; `parts[n - 1]` is part n.
 */
import { assertNever } from "../../ui/assert-never";

export type Part =
  | { kind: "waiting"; faults: number; notBeforeMs: number }
  | { kind: "sending"; faults: number; sentBytes: number }
  | { kind: "stored"; etag: string };

export type Transfer = {
  sizeBytes: number;
  partSizeBytes: number;
  parts: readonly Part[];
  /** Why the last part that failed did so. */
  lastFault: string | null;
};

export type TransferEvent =
  | { kind: "started"; partNumber: number }
  | { kind: "progressed"; partNumber: number; sentBytes: number }
  | { kind: "stored"; partNumber: number; etag: string }
  | { kind: "faulted"; partNumber: number; message: string; atMs: number }
  /** Not the part's fault: it waits again, and the fault does not count. */
  | { kind: "returned"; partNumber: number }
  /** A person asks for another round: faults are forgotten. */
  | { kind: "renewed" };

export const PARTS_AT_ONCE = 4;
export const MAX_PART_FAULTS = 6;
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 30_000;

export function beginTransfer(
  sizeBytes: number,
  partSizeBytes: number,
  partCount: number,
  stored: readonly { partNumber: number; etag: string }[],
): Transfer {
  const etags = new Map(stored.map(({ partNumber, etag }) => [partNumber, etag]));
  const parts = Array.from({ length: partCount }, (_, index): Part => {
    const etag = etags.get(index + 1);
    return etag === undefined ? { kind: "waiting", faults: 0, notBeforeMs: 0 } : { kind: "stored", etag };
  });
  return { sizeBytes, partSizeBytes, parts, lastFault: null };
}

export function partRange(transfer: Transfer, partNumber: number): { start: number; end: number } {
  const start = (partNumber - 1) * transfer.partSizeBytes;
  return { start, end: Math.min(start + transfer.partSizeBytes, transfer.sizeBytes) };
}

/** 1 s, 2 s, 4 s, ... 30 s. */
export function waitAfterFaultMs(faults: number): number {
  return Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (faults - 1));
}

function stepPart(part: Part, event: Exclude<TransferEvent, { kind: "renewed" }>): Part {
  if (part.kind === "stored") return part;
  switch (event.kind) {
    case "started":
      return { kind: "sending", faults: part.faults, sentBytes: 0 };
    case "progressed":
      return part.kind === "sending" ? { ...part, sentBytes: event.sentBytes } : part;
    case "stored":
      return { kind: "stored", etag: event.etag };
    case "returned":
      return { kind: "waiting", faults: part.faults, notBeforeMs: 0 };
    case "faulted": {
      const faults = part.faults + 1;
      return { kind: "waiting", faults, notBeforeMs: event.atMs + waitAfterFaultMs(faults) };
    }
    default:
      return assertNever(event);
  }
}

export function step(transfer: Transfer, event: TransferEvent): Transfer {
  if (event.kind === "renewed") {
    const parts = transfer.parts.map((part): Part =>
      part.kind === "waiting" ? { kind: "waiting", faults: 0, notBeforeMs: 0 } : part,
    );
    return { ...transfer, parts, lastFault: null };
  }
  const parts = transfer.parts.map((part, index) => (index + 1 === event.partNumber ? stepPart(part, event) : part));
  return { ...transfer, parts, lastFault: event.kind === "faulted" ? event.message : transfer.lastFault };
}

/** What to do now: start these parts, wait until a time for a part to become due, or wait for what is under way. */
export type Next =
  | { kind: "start"; partNumbers: number[] }
  | { kind: "waitUntil"; atMs: number }
  | { kind: "underWay" }
  | { kind: "exhausted"; message: string }
  | { kind: "complete" };

export function next(transfer: Transfer, nowMs: number): Next {
  const due: number[] = [];
  let sending = 0;
  let waiting = 0;
  let earliest = Number.POSITIVE_INFINITY;
  let exhausted = false;
  for (const [index, part] of transfer.parts.entries()) {
    if (part.kind === "sending") sending += 1;
    if (part.kind !== "waiting") continue;
    waiting += 1;
    if (part.faults >= MAX_PART_FAULTS) exhausted = true;
    if (part.notBeforeMs <= nowMs) due.push(index + 1);
    else earliest = Math.min(earliest, part.notBeforeMs);
  }
  if (exhausted) return { kind: "exhausted", message: transfer.lastFault ?? "A part could not be sent." };
  const room = PARTS_AT_ONCE - sending;
  if (due.length > 0 && room > 0) return { kind: "start", partNumbers: due.slice(0, room) };
  if (sending > 0) return { kind: "underWay" };
  return waiting > 0 ? { kind: "waitUntil", atMs: earliest } : { kind: "complete" };
}

export function sentBytes(transfer: Transfer): number {
  return transfer.parts.reduce((sum, part, index) => {
    switch (part.kind) {
      case "waiting":
        return sum;
      case "sending":
        return sum + part.sentBytes;
      case "stored": {
        const { start, end } = partRange(transfer, index + 1);
        return sum + end - start;
      }
      default:
        return assertNever(part);
    }
  }, 0);
}

export function storedParts(transfer: Transfer): { partNumber: number; etag: string }[] {
  return transfer.parts.flatMap((part, index) =>
    part.kind === "stored" ? [{ partNumber: index + 1, etag: part.etag }] : [],
  );
}

/** Parts that will be sent soon, to be signed together. */
export function upcoming(transfer: Transfer, limit: number): number[] {
  return transfer.parts.flatMap((part, index) => (part.kind === "waiting" ? [index + 1] : [])).slice(0, limit);
}
