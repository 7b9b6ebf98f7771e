/** How fast bytes move, over the last seconds: steady enough to read, quick enough to believe. */
export type RateMeter = { samples: readonly { atMs: number; bytes: number }[] };

const WINDOW_MS = 5_000;

export const emptyMeter: RateMeter = { samples: [] };

export function measure(meter: RateMeter, atMs: number, bytes: number): RateMeter {
  const last = meter.samples.at(-1);
  // Sent bytes go back when a part fails; then the measurement starts over.
  const kept = last && bytes < last.bytes ? [] : meter.samples.filter((sample) => atMs - sample.atMs <= WINDOW_MS);
  return { samples: [...kept, { atMs, bytes }] };
}

export function bytesPerSecond(meter: RateMeter): number | null {
  const first = meter.samples[0];
  const last = meter.samples.at(-1);
  if (!first || !last || last.atMs - first.atMs < 500) return null;
  return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
}
