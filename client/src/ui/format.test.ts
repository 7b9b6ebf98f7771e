import { expect, test } from "vitest";
import { formatAge, formatAgo, formatBytes, formatCount, formatDuration, formatFraction, formatShort, plural } from "./format";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1 kB"],
  [1_536, "1.54 kB"],
  [12_345_678, "12.3 MB"],
  [999_600_000, "1 GB"],
  [5_134_000_221, "5.13 GB"],
  [91_220_000_000_000, "91.2 TB"],
])("%d bytes read as %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, "0.0 %"],
  [0.4999, "49.9 %"],
  [0.9999, "99.9 %"],
  [0.99999999, "99.9 %"],
  [1, "100 %"],
  [1.2, "100 %"],
  [-0.1, "0.0 %"],
])("a fraction of %d reads as %s", (fraction, text) => {
  expect(formatFraction(fraction)).toBe(text);
});

test.each([
  [0.44, "0.4 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [60, "1 min 00 s"],
  [200, "3 min 20 s"],
  [7_500, "2 h 05 min"],
  [273_600, "3 d 4 h"],
])("%d seconds read as %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test("times that have passed are rounded to what matters", () => {
  const now = Date.parse("2026-05-01T12:00:00Z");
  const ago = (seconds: number) => formatAgo(new Date(now - seconds * 1000).toISOString(), now);
  expect([10, 90, 3_600, 90_000].map(ago)).toEqual(["just now", "2 min ago", "1 h ago", "1 d ago"]);
  expect(ago(-30)).toBe("just now");
  expect(formatAge(6_700)).toBe("6 s");
});

test("counts are grouped, short or whole", () => {
  expect(formatCount(41_000_000)).toBe("41,000,000");
  expect(formatShort(41_234_567)).toBe("41.2M");
  expect(plural(1, "row")).toBe("1 row");
  expect(plural(2_000, "row")).toBe("2,000 rows");
});
