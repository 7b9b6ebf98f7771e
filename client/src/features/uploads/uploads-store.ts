/** The files on their way, in the order in which they were chosen; it outlives the pages that show it. */
import type { UploadCalls } from "../../api/uploads";
import { fingerprintOf, type UploadMemory } from "./memory";
import { bytesPerSecond, emptyMeter, measure, type RateMeter } from "./rate";
import { sentBytes, type Transfer } from "./transfer";
import { createUploader, type UploadPhase, type Uploader, type UploadSource } from "./uploader";

export const FILES_AT_ONCE = 2;

export type UploadItem = {
  key: string;
  filename: string;
  sizeBytes: number;
  sentBytes: number;
  bytesPerSecond: number | null;
  partCount: number;
  storedCount: number;
  phase: UploadPhase;
};

export type UploadsStore = ReturnType<typeof createUploadsStore>;

type Entry = { item: UploadItem; uploader: Uploader; meter: RateMeter };

type Dependencies = { calls: UploadCalls; memory: UploadMemory; nowMs: () => number; newKey: () => string };

export function isMoving(phase: UploadPhase): boolean {
  return phase.kind === "preparing" || phase.kind === "sending" || phase.kind === "completing";
}

export function createUploadsStore({ calls, memory, nowMs, newKey }: Dependencies) {
  let entries: readonly Entry[] = [];
  let items: readonly UploadItem[] = [];
  /** From earlier visits; a file that is chosen again moves to `items`. */
  let unfinished = memory.all();
  const listeners = new Set<() => void>();

  function publish(changed: readonly Entry[]) {
    entries = changed;
    items = entries.map(({ item }) => item);
    for (const listener of listeners) listener();
  }

  function startNext() {
    const moving = entries.filter(({ item }) => isMoving(item.phase)).length;
    const waiting = entries.filter(({ item }) => item.phase.kind === "waiting");
    for (const { uploader } of waiting.slice(0, Math.max(0, FILES_AT_ONCE - moving))) uploader.start();
  }

  function onChange(key: string, phase: UploadPhase, transfer: Transfer | null) {
    const moved = at(key)?.item.phase.kind !== phase.kind;
    publish(
      entries.map((entry) => {
        if (entry.item.key !== key) return entry;
        const sent = transfer ? sentBytes(transfer) : 0;
        const meter = phase.kind === "sending" ? measure(entry.meter, nowMs(), sent) : emptyMeter;
        const storedCount = transfer?.parts.filter((part) => part.kind === "stored").length ?? 0;
        const item = {
          ...entry.item,
          phase,
          sentBytes: sent,
          bytesPerSecond: bytesPerSecond(meter),
          partCount: transfer?.parts.length ?? 0,
          storedCount,
        };
        return { ...entry, item, meter };
      }),
    );
    if (moved && !isMoving(phase)) startNext();
  }

  function at(key: string): Entry | undefined {
    return entries.find(({ item }) => item.key === key);
  }

  return {
    getItems: () => items,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    getUnfinished: () => unfinished,
    forget(fingerprint: string) {
      memory.forget(fingerprint);
      unfinished = unfinished.filter((entry) => entry.fingerprint !== fingerprint);
      publish(entries);
    },
    add(files: readonly UploadSource[]) {
      const chosen = new Set(files.map(fingerprintOf));
      unfinished = unfinished.filter(({ fingerprint }) => !chosen.has(fingerprint));
      const added = files.map((file): Entry => {
        const key = newKey();
        const uploader = createUploader(file, {
          calls,
          memory,
          nowMs,
          newKey,
          onChange: (phase, transfer) => onChange(key, phase, transfer),
        });
        const item: UploadItem = {
          key,
          filename: file.name,
          sizeBytes: file.size,
          sentBytes: 0,
          bytesPerSecond: null,
          partCount: 0,
          storedCount: 0,
          phase: { kind: "waiting" },
        };
        return { item, uploader, meter: emptyMeter };
      });
      publish([...entries, ...added]);
      startNext();
    },
    pause: (key: string) => at(key)?.uploader.pause(),
    resume: (key: string) => at(key)?.uploader.resume(),
    /** Takes a file off the list; what storage holds of it is given up. */
    remove(key: string) {
      const entry = at(key);
      if (!entry) return;
      publish(entries.filter(({ item }) => item.key !== key));
      if (entry.item.phase.kind !== "done") void entry.uploader.cancel();
      startNext();
    },
    /** After the connection came back: what failed for want of it goes on. */
    resumeFailed: () => {
      for (const { item, uploader } of entries) {
        if (item.phase.kind === "failed" && item.phase.retryable) uploader.resume();
      }
    },
  };
}
