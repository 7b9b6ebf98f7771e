/** The service as its keeper runs it: one process with a data folder of its own, on a free port. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export type Service = { url: string; email: string; password: string; stop: () => Promise<void> };

const START_TIMEOUT_MS = 150_000;
const STOP_TIMEOUT_MS = 30_000;
const root = resolve(import.meta.dirname, "../..");

/** The service that the environment names, or one that is started for the tests. */
export async function openService(): Promise<Service> {
  const { KARYAKSHAM_URL, KARYAKSHAM_EMAIL, KARYAKSHAM_PASSWORD } = process.env;
  if (KARYAKSHAM_URL !== undefined) {
    if (KARYAKSHAM_EMAIL === undefined || KARYAKSHAM_PASSWORD === undefined) {
      throw new Error("KARYAKSHAM_URL needs KARYAKSHAM_EMAIL and KARYAKSHAM_PASSWORD beside it.");
    }
    const stop = () => Promise.resolve();
    return { url: KARYAKSHAM_URL, email: KARYAKSHAM_EMAIL, password: KARYAKSHAM_PASSWORD, stop };
  }
  return startService();
}

async function startService(): Promise<Service> {
  const dataDir = await mkdtemp(join(tmpdir(), "karyaksham-e2e-"));
  const child = spawn(join(root, ".venv/bin/karyaksham"), ["serve", "--port", "0", "--data-dir", dataDir], {
    cwd: root,
    detached: true,
    env: { ...process.env, KARYAKSHAM_BCRYPT_ROUNDS: "4", KARYAKSHAM_UPLOAD_PART_BYTES: String(1024 * 1024) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  async function stop() {
    await ended(child);
    await rm(dataDir, { recursive: true, force: true });
  }
  try {
    const [, url = "", email = "", password = ""] = await said(
      child,
      /Karyaksham is at (\S+)[\s\S]*Sign in as (\S+) with the password (\S+)/,
    );
    await ready(url);
    return { url, email, password, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until the process has printed what `pattern` looks for. */
function said(child: ChildProcess, pattern: RegExp): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error(`The service did not start in time:\n${output}`)), START_TIMEOUT_MS);
    const hear = (chunk: Buffer) => {
      output += chunk.toString();
      const match = pattern.exec(output);
      if (match === null) return;
      clearTimeout(timer);
      resolve(match);
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("error", reject);
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`The service ended with ${String(code)}:\n${output}`));
    });
  });
}

/** Waits until jobs can run, Ray included. */
async function ready(url: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const response = await fetch(`${url}/readyz`).catch(() => null);
    if (response?.ok) return;
    if (Date.now() > deadline) throw new Error(`The service is not ready: ${(await response?.text()) ?? "no answer"}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Stops the process as its keeper would, and with force where that does not help. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.pid === undefined) {
      resolve();
      return;
    }
    const group = -child.pid;
    const timer = setTimeout(() => process.kill(group, "SIGKILL"), STOP_TIMEOUT_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}
