import { execFileSync } from "node:child_process";
import { buildASTSchema, parse, validate } from "graphql";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { curlExample, endOf, pythonExample } from "./example";

const ORIGIN = "https://data.example.org";
const SECRET = "kt_it's $HOME `secret`";

/** What a shell hands to a program that is called curl. */
function argumentsOf(command: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }; ${command}`;
  return execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
}

test("a shell hands curl the address, the token and the body as they are", () => {
  const given = argumentsOf(curlExample(ORIGIN, SECRET));
  expect(given).toContain(`${ORIGIN}/graphql`);
  expect(given).toContain(`Authorization: Bearer ${SECRET}`);
  const body: unknown = JSON.parse(given.at(-1) ?? "");
  expect(body).toHaveProperty("variables", { first: 5 });
});

test("the query of the examples fits the schema", () => {
  const schema = buildASTSchema(parse(readFileSync(resolve(import.meta.dirname, "../../../../docs/schema.graphql"), "utf8")));
  const body: unknown = JSON.parse(argumentsOf(curlExample(ORIGIN, SECRET)).at(-1) ?? "");
  const query = typeof body === "object" && body !== null && "query" in body ? String(body.query) : "";
  expect(validate(schema, parse(query))).toEqual([]);
});

test("the Python example is Python, with the token as it is", () => {
  const code = pythonExample(ORIGIN, SECRET);
  const check = "import ast, sys; tree = ast.parse(sys.stdin.read()); print(tree.body[3].value.value, end='')";
  expect(execFileSync("python3", ["-c", check], { input: code, encoding: "utf8" })).toBe(SECRET);
});

test("a lifetime is counted from now, and none has no end", () => {
  expect(endOf("30", Date.parse("2026-01-01T00:00:00Z"))).toBe("2026-01-31T00:00:00.000Z");
  expect(endOf("", 0)).toBeNull();
});
