/** What the palette offers, and which of it a typed text means. Pure. */
export type Command = {
  id: string;
  group: string;
  label: string;
  /** More words that lead here. */
  also?: string;
  note?: string;
  run: () => void;
};

const MAX_SHOWN = 12;

/** How well a text is meant by what was typed; null where it is not. Every typed word has to be found. */
export function score(asked: string, text: string): number | null {
  const lower = text.toLowerCase();
  let sum = 0;
  for (const word of asked.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = lower.indexOf(word);
    if (at === -1) return null;
    const starts = at === 0 || /[\s_\-./]/.test(lower[at - 1] ?? "");
    sum += (at === 0 ? 4 : starts ? 3 : 1) + word.length / Math.max(1, lower.length);
  }
  return sum;
}

/** The best first; in the given order where nothing is typed. Each group stays together, led by its best. */
export function matching(commands: readonly Command[], asked: string): Command[] {
  const scored = commands.flatMap((command) => {
    const points = score(asked, command.label) ?? score(asked, `${command.label} ${command.also ?? ""}`);
    return points === null ? [] : [{ command, points }];
  });
  const best = asked.trim() === "" ? scored : scored.toSorted((one, other) => other.points - one.points);
  const shown = best.slice(0, MAX_SHOWN).map(({ command }) => command);
  const groups = [...new Set(shown.map(({ group }) => group))];
  return groups.flatMap((group) => shown.filter((command) => command.group === group));
}
