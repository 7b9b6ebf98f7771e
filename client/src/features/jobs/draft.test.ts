import { expect, test } from "vitest";
import { aliasFor, emptyDraft, inputOf } from "./draft";

test("the first table is called input, the others after their datasets", () => {
  expect(aliasFor("Orders 2026.csv", [])).toBe("input");
  expect(aliasFor("Orders 2026.csv", ["input"])).toBe("orders_2026");
  expect(aliasFor("orders-2026.parquet", ["input", "orders_2026"])).toBe("orders_2026_2");
  expect(aliasFor("2026.csv", ["input"])).toBe("t_2026");
  expect(aliasFor("Größe.csv", ["input"])).toBe("größe");
  expect(aliasFor("***", ["input"])).toBe("t");
});

test("a draft without data or without SQL is not sent", () => {
  expect(inputOf(emptyDraft)).toBeNull();
  expect(inputOf({ ...emptyDraft, sql: "SELECT 1" })).toBeNull();
  expect(inputOf({ ...emptyDraft, sources: [{ datasetId: "d", alias: "input" }], sql: "  " })).toBeNull();
});

test("a limit of rejected rows is sent only where rows are set aside", () => {
  const draft = { ...emptyDraft, sources: [{ datasetId: "d", alias: " input " }], sql: "SELECT 1", maxRejectedRows: 5 };
  expect(inputOf(draft)).toMatchObject({
    name: null,
    sources: [{ datasetId: "d", alias: "input" }],
    badRows: { policy: "REJECT_ROW", maxRejectedRows: 5 },
  });
  expect(inputOf({ ...draft, badRows: "FAIL_JOB" })?.badRows?.maxRejectedRows).toBeNull();
});
