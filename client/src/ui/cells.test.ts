import { expect, test } from "vitest";
import { cellText, cellTone, moveCell } from "./cells";

test("null, the empty string and the text null look different", () => {
  expect([null, "", "null"].map((value) => cellText(value))).toEqual(["null", '""', "null"]);
  expect([null, "", "null"].map(cellTone)).toEqual(["absent", "absent", "plain"]);
});

test("a cell stays on one line in the table and is whole below it", () => {
  expect(cellText("a\r\nb\tc")).toBe("a↵b⇥c");
  expect(cellText("a\nb", true)).toBe("a\nb");
  expect(cellText({ a: [1, true] })).toBe('{"a":[1,true]}');
});

test("arrow keys stay inside the table, and other keys are left alone", () => {
  const limits = { rows: 2, columns: 3 };
  expect(moveCell(null, "ArrowDown", limits)).toEqual({ row: 0, column: 0 });
  expect(moveCell({ row: 1, column: 2 }, "ArrowRight", limits)).toEqual({ row: 1, column: 2 });
  expect(moveCell({ row: 1, column: 2 }, "PageUp", limits)).toEqual({ row: 0, column: 2 });
  expect(moveCell({ row: 1, column: 2 }, "Home", limits)).toEqual({ row: 1, column: 0 });
  expect(moveCell({ row: 0, column: 0 }, "Tab", limits)).toBeNull();
  expect(moveCell(null, "ArrowDown", { rows: 0, columns: 3 })).toBeNull();
});
