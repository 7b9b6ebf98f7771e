import { formatDuration } from "../../ui/format";

/** A time as people say one of which they are not sure: ≈ 40 s, 2–3 min, 1.5–4 h. Pure. */
export function formatRange(range: { from: number; to: number } | null): string | null {
  if (range === null) return null;
  const { from, to } = range;
  const [size, unit] = to < 90 ? [1, "s"] : to < 5400 ? [60, "min"] : [3600, "h"];
  const low = rounded(from / size);
  const high = rounded(to / size);
  return low === high || to - from < 2 ? `≈ ${formatDuration(Math.round((from + to) / 2))}` : `${low}–${high} ${unit}`;
}

function rounded(value: number): string {
  return value < 3 ? String(Math.round(value * 2) / 2) : String(Math.round(value));
}
