/** A real Chromium, what went wrong in its pages, and axe's opinion of them. */
import { mkdtemp, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const QUIET = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export type Visit = {
  page: Page;
  /** Messages of the console and of scripts that failed, a violated security policy among them. */
  complaints: string[];
  /** Where screenshots are kept. */
  folder: string;
  close: () => Promise<void>;
};

export async function visit(): Promise<Visit> {
  // Chromium's sandbox cannot be had as root.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: [...QUIET, ...sandbox] });
  // What fades in is half as dark for a moment, in which axe would find too little contrast.
  const settings = { colorScheme: "light", reducedMotion: "reduce", acceptDownloads: true } as const;
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...settings });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  const folder = process.env.SCREENSHOTS ?? (await mkdtemp(join(tmpdir(), "karyaksham-screenshots-")));
  return { page, complaints, folder, close: () => browser.close() };
}

const axeFile = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe finds wrong with the page as it is, a line each. */
export async function axe(page: Page): Promise<string[]> {
  // Evaluated, not inserted as a script: the page's policy forbids that.
  await page.evaluate(await readFile(axeFile, "utf8"));
  const found: unknown = await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>" +
      " violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target.join(' ')).join(', ')))",
  );
  return Array.isArray(found) ? found.map(String) : [String(found)];
}

/** Notes every text that an element shows from now on, without missing one between two looks. */
export async function follow(page: Page, selector: string): Promise<() => Promise<string[]>> {
  await page.evaluate((wanted) => {
    const seen: string[] = [];
    const look = () => {
      const text = document.querySelector(wanted)?.textContent ?? null;
      if (text !== null && text !== seen.at(-1)) seen.push(text);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    Object.assign(window, { followed: seen });
  }, selector);
  return async () => {
    const seen: unknown = await page.evaluate("window.followed");
    return Array.isArray(seen) ? seen.map(String) : [];
  };
}
