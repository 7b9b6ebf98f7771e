/** Numbers, sizes and times as people read them. Pure: the same text for the same value, in every zone but where it says so. */

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** 1,234,567 */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** 1.23M */
export function formatShort(count: number): string {
  return short.format(count);
}

/** Decimal units, three significant digits: 999 B, 1.5 kB, 12.3 MB, 4.2 GB. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${Number(value.toFixed(digits))} ${BYTE_UNITS[unit] ?? ""}`;
}

export function formatByteRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** Rounded down, so that 100 % appears when all is done and not before. */
export function formatFraction(fraction: number): string {
  const percent = Math.min(100, Math.max(0, fraction * 100));
  return percent >= 100 ? "100 %" : `${(Math.floor(percent * 10) / 10).toFixed(1)} %`;
}

/** 0.4 s, 12 s, 3 min 20 s, 2 h 05 min, 3 d 4 h */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${minutes} min ${pad(total % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${pad(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How long ago something was, in whole seconds and up. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return seconds < 10 ? `${seconds} s` : formatDuration(seconds);
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** In the reader's language and zone. */
export function formatDateTime(iso: string): string {
  return dateTime.format(new Date(iso));
}

/** Time of day in the reader's zone: 14:03:59 */
export function formatClock(iso: string): string {
  return clock.format(new Date(iso));
}

/** just now, 5 min ago, 3 h ago; from a week on, the date */
export function formatAgo(iso: string, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - Date.parse(iso)) / 1000);
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 7 * 86_400) return `${Math.round(seconds / 86_400)} d ago`;
  return formatDateTime(iso);
}

/** `one` or `many` with its number: 1 row, 2,000 rows */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
