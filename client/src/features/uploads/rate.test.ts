import { expect, test } from "vitest";
import { bytesPerSecond, emptyMeter, measure } from "./rate";

test("a rate is known after half a second", () => {
  const one = measure(emptyMeter, 0, 0);
  expect(bytesPerSecond(one)).toBeNull();
  expect(bytesPerSecond(measure(one, 1_000, 2_000))).toBe(2_000);
});

test("only the last seconds count", () => {
  let meter = emptyMeter;
  for (let second = 0; second <= 20; second += 1) meter = measure(meter, second * 1_000, second < 10 ? 0 : (second - 10) * 100);
  expect(bytesPerSecond(meter)).toBe(100);
});

test("a part that has to be sent again does not make the rate negative", () => {
  const meter = measure(measure(measure(emptyMeter, 0, 0), 1_000, 5_000), 2_000, 1_000);
  expect(bytesPerSecond(meter)).toBeNull();
});
