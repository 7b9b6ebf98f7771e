import type { ReactNode } from "react";
import classes from "./stat.module.css";

/** Figures side by side, each under its name. */
export function Stats({ label, children }: { label: string; children: ReactNode }) {
  return (
    <dl className={classes.stats} aria-label={label}>
      {children}
    </dl>
  );
}

type StatProps = { name: string; value: ReactNode; note?: ReactNode; tone?: "plain" | "bad" | "warn" };

export function Stat({ name, value, note, tone = "plain" }: StatProps) {
  return (
    <div className={classes.stat}>
      <dt className={classes.name}>{name}</dt>
      <dd className={classes.value} data-tone={tone}>
        {value}
        {note === undefined ? null : <span className={classes.note}>{note}</span>}
      </dd>
    </div>
  );
}
