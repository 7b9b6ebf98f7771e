// Writes src/api/generated from ../docs/schema.graphql and src/api/operations/*.graphql.
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { codegen } from "@graphql-codegen/core";
import { preset } from "@graphql-codegen/client-preset";
import { buildASTSchema, parse } from "graphql";

const here = dirname(fileURLToPath(import.meta.url));
const operationsDir = join(here, "src/api/operations");
const outputDir = `${join(here, "src/api/generated")}/`;

const config = {
  scalars: {
    ID: "string",
    BigInt: "number",
    DateTime: "string",
    JSON: "unknown",
  },
  strictScalars: true,
  enumType: "string-literal",
  useTypeImports: true,
  nonOptionalTypename: false,
  skipTypename: true,
};

const schema = parse(await readFile(join(here, "../docs/schema.graphql"), "utf8"));
const names = (await readdir(operationsDir)).filter((name) => name.endsWith(".graphql")).sort();
const documents = await Promise.all(
  names.map(async (name) => {
    const rawSDL = await readFile(join(operationsDir, name), "utf8");
    return { location: name, rawSDL, document: parse(rawSDL) };
  }),
);

const sections = await preset.buildGeneratesSection({
  baseOutputDir: outputDir,
  schema,
  schemaAst: buildASTSchema(schema),
  documents,
  config,
  presetConfig: { fragmentMasking: false },
  plugins: [],
  pluginMap: {},
  documentTransforms: [],
});

await mkdir(outputDir, { recursive: true });
for (const section of sections) {
  const text = await codegen(section);
  const current = await readFile(section.filename, "utf8").catch(() => null);
  if (text !== current) await writeFile(section.filename, text);
}
