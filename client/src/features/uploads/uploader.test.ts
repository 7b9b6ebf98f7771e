import { expect, test, vi } from "vitest";
import { PartFaultError, type SentPart, type Upload, type UploadCalls } from "../../api/uploads";
import { createUploadMemory } from "./memory";
import { createUploader, type UploadPhase, type UploadSource } from "./uploader";

/** A storage that keeps parts in memory and behaves as it is told. */
function storage(partSizeBytes: number) {
  const parts = new Map<number, string>();
  const received: number[] = [];
  const held: { resolve: () => void }[] = [];
  const behavior: { hold: boolean; fail: (part: number) => "linkExpired" | "failed" | null } = { hold: false, fail: () => null };
  let upload: Upload | null = null;
  let completed: SentPart[] | null = null;
  const calls: UploadCalls = {
    create: ({ filename, sizeBytes }) => {
      const partCount = Math.ceil(sizeBytes / partSizeBytes);
      upload = { id: "u1", filename, sizeBytes, partSizeBytes, partCount, receivedParts: [], status: "RECEIVING", expiresAt: "" };
      return Promise.resolve({ payload: { upload, errors: [] }, problems: [] });
    },
    find: () => Promise.resolve(upload && { ...upload, receivedParts: [...parts.keys()] }),
    sign: (_id, numbers) => {
      const signed = numbers.map((partNumber) => ({ partNumber, url: "", headers: {}, expiresAt: "" }));
      return Promise.resolve({ payload: { parts: signed, errors: [] }, problems: [] });
    },
    complete: (_id, sent) => {
      completed = sent;
      const dataset = {
        id: "d1",
        name: "orders.csv",
        uri: "",
        fileCount: 1,
        sizeBytes: 0,
        status: "INSPECTING" as const,
        format: "CSV" as const,
        problem: null,
        createdAt: "",
      };
      return Promise.resolve({ payload: { dataset, errors: [] }, problems: [] });
    },
    abort: () => Promise.resolve({ payload: { upload, errors: [] }, problems: [] }),
    putPart: async ({ partNumber }, body, onSent, signal) => {
      received.push(partNumber);
      const kind = behavior.fail(partNumber);
      if (kind !== null) throw new PartFaultError(kind === "failed" ? { kind, message: "Storage answered 500." } : { kind });
      if (behavior.hold) {
        await new Promise<void>((resolve, reject) => {
          held.push({ resolve });
          signal.addEventListener("abort", () => reject(new PartFaultError({ kind: "aborted" })));
        });
      }
      parts.set(partNumber, await body.text());
      onSent(body.size);
      return `etag-${partNumber}`;
    },
  };
  return { calls, parts, received, held, behavior, completed: () => completed };
}

function file(text: string): UploadSource {
  return Object.assign(new Blob([text]), { name: "orders.csv", lastModified: 1 });
}

function browserStorage() {
  const values = new Map<string, string>();
  return { getItem: (key: string) => values.get(key) ?? null, setItem: (key: string, value: string) => void values.set(key, value) };
}

function uploaderOf(text: string, calls: UploadCalls, memory = createUploadMemory(browserStorage(), "me")) {
  const phases: UploadPhase[] = [];
  const uploader = createUploader(file(text), {
    calls,
    memory,
    nowMs: () => Date.now(),
    newKey: () => "key",
    onChange: (phase) => {
      if (phases.at(-1) !== phase) phases.push(phase);
    },
  });
  return { uploader, memory, last: () => phases.at(-1)?.kind };
}

test("a file arrives whole, part by part", async () => {
  const store = storage(4);
  const { uploader, memory, last } = uploaderOf("abcdefghij", store.calls);
  uploader.start();
  await vi.waitUntil(() => last() === "done");
  expect([...store.parts.entries()].sort().map(([, text]) => text)).toEqual(["abcd", "efgh", "ij"]);
  expect(store.completed()).toEqual([
    { partNumber: 1, etag: "etag-1" },
    { partNumber: 2, etag: "etag-2" },
    { partNumber: 3, etag: "etag-3" },
  ]);
  expect(memory.all()).toEqual([]);
});

test("an upload that is paused goes on with the parts that are missing", async () => {
  const store = storage(2);
  const { uploader, last } = uploaderOf("abcdefghij", store.calls);
  store.behavior.hold = true;
  uploader.start();
  await vi.waitUntil(() => store.held.length === 4);
  store.held[0]?.resolve();
  await vi.waitUntil(() => store.received.length === 5);
  uploader.pause();
  expect(last()).toBe("paused");
  store.behavior.hold = false;
  store.received.length = 0;
  uploader.resume();
  await vi.waitUntil(() => last() === "done");
  expect(store.received.toSorted()).toEqual([2, 3, 4, 5]);
});

test("a file that is chosen again after a reload sends only the rest", async () => {
  const store = storage(2);
  const memory = createUploadMemory(browserStorage(), "me");
  const before = uploaderOf("abcdefgh", store.calls, memory);
  store.behavior.hold = true;
  before.uploader.start();
  await vi.waitUntil(() => store.held.length === 4);
  store.held[1]?.resolve();
  store.held[2]?.resolve();
  await vi.waitUntil(() => memory.all()[0]?.parts.length === 2);
  before.uploader.pause();
  store.behavior.hold = false;
  store.received.length = 0;
  const after = uploaderOf("abcdefgh", store.calls, memory);
  after.uploader.start();
  await vi.waitUntil(() => after.last() === "done");
  expect(store.received.toSorted()).toEqual([1, 4]);
  expect(store.completed()?.length).toBe(4);
});

test("a link that has expired is signed again", async () => {
  const store = storage(4);
  const { uploader, last } = uploaderOf("abcdefgh", store.calls);
  let refusals = 0;
  store.behavior.fail = (part) => (part === 2 && (refusals += 1) === 1 ? "linkExpired" : null);
  vi.useFakeTimers();
  try {
    uploader.start();
    await vi.advanceTimersByTimeAsync(1_500);
  } finally {
    vi.useRealTimers();
  }
  await vi.waitUntil(() => last() === "done");
  expect(store.received.filter((part) => part === 2)).toHaveLength(2);
});

test("a storage that keeps failing ends in a failure from which a person can go on", async () => {
  const store = storage(4);
  const { uploader, last } = uploaderOf("abcdefgh", store.calls);
  store.behavior.fail = (part) => (part === 2 ? "failed" : null);
  vi.useFakeTimers();
  try {
    uploader.start();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(last()).toBe("failed");
  } finally {
    vi.useRealTimers();
  }
  store.behavior.fail = () => null;
  uploader.resume();
  await vi.waitUntil(() => last() === "done");
  expect([...store.parts.values()].toSorted()).toEqual(["abcd", "efgh"]);
});
