import { expect, test } from "vitest";
import { layoutOf, moveShard, shardAt } from "./shard-layout";

test("a point finds the shard that is drawn there, for any number of shards", () => {
  for (const count of [1, 40, 400, 5_000, 10_000, 100_000]) {
    const layout = layoutOf(count, 640);
    for (const shard of [0, Math.floor(count / 2), count - 1]) {
      const x = (shard % layout.columns) * layout.pitch + layout.cell / 2;
      const y = Math.floor(shard / layout.columns) * layout.pitch + layout.cell / 2;
      expect(shardAt(layout, count, x, y)).toBe(shard);
      expect(x).toBeLessThan(layout.width);
      expect(y).toBeLessThan(layout.height);
    }
    expect(shardAt(layout, count, 639, layout.height + 40)).toBeNull();
  }
});

test("keys go by square and by row, and stay on the grid", () => {
  expect(moveShard(null, "ArrowDown", 10, 4)).toBe(0);
  expect(moveShard(0, "ArrowDown", 10, 4)).toBe(4);
  expect(moveShard(9, "ArrowRight", 10, 4)).toBe(9);
  expect(moveShard(5, "ArrowUp", 10, 4)).toBe(1);
  expect(moveShard(5, "Home", 10, 4)).toBe(0);
  expect(moveShard(5, "End", 10, 4)).toBe(9);
  expect(moveShard(5, "a", 10, 4)).toBeNull();
  expect(moveShard(0, "ArrowDown", 0, 4)).toBeNull();
});
