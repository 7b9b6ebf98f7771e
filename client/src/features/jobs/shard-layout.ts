/** Where the squares of a shard grid lie. Pure. */

export type ShardLayout = { columns: number; rows: number; cell: number; pitch: number; width: number; height: number };

/** Squares get smaller the more there are, so that thousands are seen at once. */
const SIZES = [
  { upTo: 300, cell: 18, gap: 3 },
  { upTo: 1_500, cell: 12, gap: 2 },
  { upTo: 6_000, cell: 8, gap: 2 },
  { upTo: Number.POSITIVE_INFINITY, cell: 5, gap: 1 },
] as const;

export function layoutOf(count: number, width: number): ShardLayout {
  const { cell, gap } = SIZES.find(({ upTo }) => count <= upTo) ?? SIZES[3];
  const pitch = cell + gap;
  const columns = Math.max(1, Math.floor((width + gap) / pitch));
  const rows = Math.ceil(count / columns);
  return { columns, rows, cell, pitch, width, height: Math.max(0, rows * pitch - gap) };
}

/** The shard under a point; null beside the squares. A gap belongs to the square before it. */
export function shardAt({ columns, pitch }: ShardLayout, count: number, x: number, y: number): number | null {
  const column = Math.floor(x / pitch);
  const row = Math.floor(y / pitch);
  if (x < 0 || y < 0 || column >= columns) return null;
  const shard = row * columns + column;
  return shard < count ? shard : null;
}

/** Where a key leads from a shard; null where the key is not for the grid. */
export function moveShard(from: number | null, key: string, count: number, columns: number): number | null {
  if (count === 0) return null;
  const step = stepOf(key, count, columns);
  if (step === null) return null;
  return from === null ? (key === "End" ? count - 1 : 0) : Math.min(count - 1, Math.max(0, from + step));
}

function stepOf(key: string, count: number, columns: number): number | null {
  switch (key) {
    case "ArrowRight":
      return 1;
    case "ArrowLeft":
      return -1;
    case "ArrowDown":
      return columns;
    case "ArrowUp":
      return -columns;
    case "PageDown":
      return columns * 10;
    case "PageUp":
      return -columns * 10;
    case "Home":
      return -count;
    case "End":
      return count;
    default:
      return null;
  }
}
