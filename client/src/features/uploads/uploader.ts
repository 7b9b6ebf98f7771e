/** Sends one file: resumes or creates its upload, signs and sends parts, completes. Knows no React. */
import { PartFaultError, type SignedPart, type UploadCalls } from "../../api/uploads";
import { fingerprintOf, type UploadMemory } from "./memory";
import { beginTransfer, next, partRange, step, storedParts, upcoming, type Transfer, type TransferEvent } from "./transfer";

export type UploadPhase =
  | { kind: "waiting" }
  | { kind: "preparing" }
  | { kind: "sending" }
  | { kind: "paused" }
  | { kind: "completing" }
  | { kind: "failed"; message: string; retryable: boolean }
  | { kind: "done"; datasetId: string; datasetName: string };

export type UploadSource = Blob & { name: string; lastModified: number };

export type UploaderDependencies = {
  calls: UploadCalls;
  memory: UploadMemory;
  nowMs: () => number;
  newKey: () => string;
  onChange: (phase: UploadPhase, transfer: Transfer | null) => void;
};

export type Uploader = ReturnType<typeof createUploader>;

const SIGN_AHEAD = 16;
const RETRYABLE = new Set(["UNAVAILABLE", "RATE_LIMITED", "INTERNAL"]);

export function createUploader(file: UploadSource, { calls, memory, nowMs, newKey, onChange }: UploaderDependencies) {
  const fingerprint = fingerprintOf(file);
  const idempotencyKey = newKey();
  const links = new Map<number, SignedPart>();
  let phase: UploadPhase = { kind: "waiting" };
  let transfer: Transfer | null = null;
  let uploadId: string | null = null;
  let stopping = new AbortController();
  let wake = () => {};

  function enter(entered: UploadPhase) {
    phase = entered;
    onChange(phase, transfer);
  }

  function apply(current: Transfer, event: TransferEvent): Transfer {
    transfer = step(current, event);
    onChange(phase, transfer);
    return transfer;
  }

  function note(event: TransferEvent) {
    if (transfer) apply(transfer, event);
    wake();
  }

  async function prepare(): Promise<boolean> {
    enter({ kind: "preparing" });
    const known = memory.find(fingerprint);
    const found = known ? await calls.find(known.uploadId) : null;
    if (known && found?.status === "RECEIVING" && found.sizeBytes === file.size) {
      const held = new Set(found.receivedParts);
      const stored = known.parts.filter(({ partNumber }) => held.has(partNumber));
      uploadId = found.id;
      transfer = beginTransfer(file.size, found.partSizeBytes, found.partCount, stored);
      return true;
    }
    const contentType = file.type === "" ? null : file.type;
    const { payload, problems } = await calls.create({ filename: file.name, sizeBytes: file.size, contentType, idempotencyKey });
    const upload = payload?.upload;
    if (!upload) return refuse(problems[0]);
    uploadId = upload.id;
    transfer = beginTransfer(file.size, upload.partSizeBytes, upload.partCount, []);
    remember(transfer);
    return true;
  }

  function refuse(problem: { code: string; message: string } | undefined): false {
    enter({
      kind: "failed",
      message: problem?.message ?? "The service refused the upload.",
      retryable: RETRYABLE.has(problem?.code ?? "INTERNAL"),
    });
    return false;
  }

  function remember(current: Transfer) {
    if (uploadId === null) return;
    memory.keep({ fingerprint, uploadId, filename: file.name, sizeBytes: file.size, parts: storedParts(current) });
  }

  async function sign(id: string, current: Transfer): Promise<boolean> {
    const { payload, problems } = await calls.sign(id, upcoming(current, SIGN_AHEAD));
    if (!payload?.parts) return refuse(problems[0]);
    for (const part of payload.parts) links.set(part.partNumber, part);
    return true;
  }

  async function sendPart(current: Transfer, partNumber: number, link: SignedPart, signal: AbortSignal) {
    const { start, end } = partRange(current, partNumber);
    links.delete(partNumber);
    try {
      const body = file.slice(start, end);
      const etag = await calls.putPart(link, body, (sent) => note({ kind: "progressed", partNumber, sentBytes: sent }), signal);
      if (transfer) remember(step(transfer, { kind: "stored", partNumber, etag }));
      note({ kind: "stored", partNumber, etag });
    } catch (error) {
      if (error instanceof PartFaultError && error.fault.kind === "aborted") note({ kind: "returned", partNumber });
      else {
        const message = error instanceof PartFaultError ? faultMessage(error) : "The file cannot be read any more.";
        note({ kind: "faulted", partNumber, message, atMs: nowMs() });
      }
    }
  }

  async function send(id: string): Promise<boolean> {
    enter({ kind: "sending" });
    const { signal } = stopping;
    for (;;) {
      if (signal.aborted || !transfer) return false;
      const todo = next(transfer, nowMs());
      if (todo.kind === "complete") return true;
      if (todo.kind === "exhausted") {
        stopping.abort();
        enter({ kind: "failed", message: todo.message, retryable: true });
        return false;
      }
      if (todo.kind === "start") {
        if (todo.partNumbers.some((part) => !links.has(part)) && !(await sign(id, transfer))) return false;
        if (stopped(signal)) return false;
        for (const partNumber of todo.partNumbers) {
          const link = links.get(partNumber);
          if (!link) return refuse(undefined);
          transfer = apply(transfer, { kind: "started", partNumber });
          void sendPart(transfer, partNumber, link, signal);
        }
        continue;
      }
      await pauseUntil(todo.kind === "waitUntil" ? todo.atMs : null);
    }
  }

  function pauseUntil(atMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = atMs === null ? undefined : setTimeout(resolve, Math.max(0, atMs - nowMs()));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function complete(id: string, whole: Transfer) {
    enter({ kind: "completing" });
    const { payload, problems } = await calls.complete(id, storedParts(whole));
    const dataset = payload?.dataset;
    if (!dataset) {
      refuse(problems[0]);
      return;
    }
    memory.forget(fingerprint);
    enter({ kind: "done", datasetId: dataset.id, datasetName: dataset.name });
  }

  async function run() {
    stopping = new AbortController();
    if (transfer === null && !(await prepare())) return;
    if (stopping.signal.aborted || uploadId === null) return;
    if ((await send(uploadId)) && transfer) await complete(uploadId, transfer);
  }

  return {
    start: () => void run(),
    pause() {
      if (phase.kind !== "sending") return;
      stopping.abort();
      wake();
      enter({ kind: "paused" });
    },
    /** Goes on after a pause or a failure, with what storage already holds. */
    resume() {
      if (phase.kind !== "paused" && phase.kind !== "failed") return;
      links.clear();
      if (transfer) transfer = step(transfer, { kind: "renewed" });
      void run();
    },
    async cancel() {
      stopping.abort();
      wake();
      memory.forget(fingerprint);
      if (uploadId !== null && phase.kind !== "done") await calls.abort(uploadId);
    },
  };
}

function faultMessage({ fault, message }: PartFaultError): string {
  return fault.kind === "linkExpired" ? "Storage refused the signed link." : message;
}

/** A function, so that the compiler does not take an earlier look at the signal for granted. */
function stopped(signal: AbortSignal): boolean {
  return signal.aborted;
}
