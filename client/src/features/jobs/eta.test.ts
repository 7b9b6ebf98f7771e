import { expect, test } from "vitest";
import { formatRange } from "./eta";

test("a range is said in one unit, and one that is narrow as one figure", () => {
  expect(formatRange(null)).toBeNull();
  expect(formatRange({ from: 12, to: 12 })).toBe("≈ 12 s");
  expect(formatRange({ from: 20, to: 35 })).toBe("20–35 s");
  expect(formatRange({ from: 70, to: 200 })).toBe("1–3 min");
  expect(formatRange({ from: 5_000, to: 14_000 })).toBe("1.5–4 h");
  expect(formatRange({ from: 200, to: 205 })).toBe("≈ 3 min 23 s");
});
