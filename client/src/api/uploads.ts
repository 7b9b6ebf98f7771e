import { useClient } from "urql";
import { useMemo } from "react";
import { outcomeOf } from "./errors";
import {
  AbortUploadDocument,
  CompleteUploadDocument,
  CreateUploadDocument,
  SignUploadPartsDocument,
  UploadDocument,
  type CreateUploadInput,
} from "./generated/graphql";

export type { UploadFieldsFragment as Upload } from "./generated/graphql";

export type SentPart = { partNumber: number; etag: string };
export type SignedPart = { partNumber: number; url: string; headers: unknown };

/** Why one part did not arrive. An expired link is signed again; the rest is tried again later. */
export type PartFault = { kind: "aborted" } | { kind: "linkExpired" } | { kind: "failed"; message: string };

export type UploadCalls = ReturnType<typeof useUploadCalls>;

export function useUploadCalls() {
  const client = useClient();
  return useMemo(
    () => ({
      create: async (input: CreateUploadInput) =>
        outcomeOf(await client.mutation(CreateUploadDocument, { input }).toPromise(), (data) => data.createUpload),
      find: async (id: string) => {
        const { data } = await client.query(UploadDocument, { id }, { requestPolicy: "network-only" }).toPromise();
        return data?.upload ?? null;
      },
      sign: async (uploadId: string, partNumbers: number[]) =>
        outcomeOf(
          await client.mutation(SignUploadPartsDocument, { input: { uploadId, partNumbers } }).toPromise(),
          (data) => data.signUploadParts,
        ),
      complete: async (uploadId: string, parts: SentPart[]) =>
        outcomeOf(
          await client.mutation(CompleteUploadDocument, { input: { uploadId, parts } }).toPromise(),
          (data) => data.completeUpload,
        ),
      abort: async (uploadId: string) =>
        outcomeOf(
          await client.mutation(AbortUploadDocument, { input: { uploadId } }).toPromise(),
          (data) => data.abortUpload,
        ),
      putPart,
    }),
    [client],
  );
}

function headersOf(headers: unknown): [string, string][] {
  if (typeof headers !== "object" || headers === null) return [];
  return Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []));
}

/**
 * PUTs one part to its signed link and resolves with the ETag; rejects with a `PartFaultError`.
 * XMLHttpRequest, because fetch cannot report how much has been sent.
 */
export function putPart(
  part: SignedPart,
  body: Blob,
  onSent: (sentBytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const refuse = (fault: PartFault) => reject(new PartFaultError(fault));
    request.open("PUT", part.url);
    for (const [name, value] of headersOf(part.headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => onSent(event.loaded));
    request.addEventListener("load", () => {
      const etag = request.getResponseHeader("ETag");
      if (request.status >= 200 && request.status < 300) {
        if (etag === null) refuse({ kind: "failed", message: "Storage did not name the part it received (no ETag)." });
        else resolve(etag);
      } else if (request.status === 403) refuse({ kind: "linkExpired" });
      else refuse({ kind: "failed", message: `Storage answered ${request.status}.` });
    });
    request.addEventListener("error", () => refuse({ kind: "failed", message: "The connection was lost." }));
    request.addEventListener("abort", () => refuse({ kind: "aborted" }));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    if (signal.aborted) refuse({ kind: "aborted" });
    else request.send(body);
  });
}

export class PartFaultError extends Error {
  readonly fault: PartFault;

  constructor(fault: PartFault) {
    super(fault.kind === "failed" ? fault.message : fault.kind);
    this.fault = fault;
  }
}
