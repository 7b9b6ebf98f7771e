/** The budget of the first page, held against the page as it is built. */
import { gzipSync } from "node:zlib";
import { resolve } from "node:path";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

const BUDGET_BYTES = 200_000;

let chunks: Map<string, Rolldown.OutputChunk>;

beforeAll(async () => {
  // A build takes React for production by this variable.
  vi.stubEnv("NODE_ENV", "production");
  const built = await build({ root: resolve(import.meta.dirname, ".."), logLevel: "silent", build: { write: false } });
  const output = [built].flat().flatMap((part) => ("output" in part ? part.output : []));
  chunks = new Map(output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file]] : [])));
}, 60_000);

afterAll(() => {
  vi.unstubAllEnvs();
});

/** A chunk and all that it cannot start without. */
function needed(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const other of chunks.get(name)?.imports ?? []) needed(other, seen);
  return seen;
}

function chunkOf(part: string): string {
  const found = [...chunks.values()].find(({ facadeModuleId }) => facadeModuleId?.includes(part));
  if (found === undefined) throw new Error(`${part} is not a chunk of its own`);
  return found.fileName;
}

test.each(["session/sign-in-page", "datasets/datasets-page"])("%s opens with little script", (page) => {
  const entry = [...chunks.values()].find(({ isEntry }) => isEntry)?.fileName ?? "";
  const names = new Set([...needed(entry), ...needed(chunkOf(page))]);
  const bytes = [...names].reduce((sum, name) => sum + gzipSync(chunks.get(name)?.code ?? "").length, 0);
  expect(bytes).toBeGreaterThan(50_000);
  expect(bytes).toBeLessThan(BUDGET_BYTES);
});
