/** Style sheets take their sizes and colors from tokens.css. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const source = resolve(import.meta.dirname, "..");
const sheets = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".module.css") && !name.includes("jobs/"))
  .map((name) => ({ name, lines: readFileSync(join(source, name), "utf8").split("\n") }));

test("no style sheet has a font size, a space or a color of its own", () => {
  const own = sheets.flatMap(({ name, lines }) =>
    lines
      .filter(
        (line) =>
          /font-size: (?!var|inherit|0\.\d+em)/.test(line) ||
          /(padding|gap|margin)[\w-]*:.*\b([4-9]|\d\d+)px/.test(line) ||
          /#[0-9a-f]{3,8}\b/i.test(line),
      )
      .map((line) => `${name}: ${line.trim()}`),
  );
  expect(sheets.length).toBeGreaterThan(10);
  expect(own).toEqual([]);
});
