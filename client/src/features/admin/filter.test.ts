import { expect, test } from "vitest";
import { dayStart, filterOf, gigabytesOf, quotaOf } from "./filter";

test("days are whole, where the reader is", () => {
  const filter = filterOf(new URLSearchParams("since=2026-03-01&until=2026-03-31"));
  expect(filter.since).toBe(new Date(2026, 2, 1).toISOString());
  expect(filter.until).toBe(new Date(2026, 3, 1).toISOString());
});

test("what is no day and no outcome is left out", () => {
  expect(filterOf(new URLSearchParams("since=yesterday&until=&outcome=MAYBE"))).toEqual({
    action: null,
    outcome: null,
    since: null,
    until: null,
  });
  expect(dayStart("2026-02-31")).toBeNull();
});

test("what is asked for comes through", () => {
  expect(filterOf(new URLSearchParams("action=login&outcome=UNAUTHENTICATED"))).toMatchObject({
    action: "login",
    outcome: "UNAUTHENTICATED",
  });
});

test("gigabytes are bytes, and nothing is as everyone", () => {
  expect(quotaOf("1.5")).toBe(1_500_000_000);
  expect(quotaOf("")).toBeNull();
  expect(gigabytesOf(quotaOf(20))).toBe(20);
  expect(gigabytesOf(null)).toBe("");
});
