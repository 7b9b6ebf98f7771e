import { Button, CopyButton } from "@mantine/core";
import { common } from "../words/common";
import classes from "./code-block.module.css";

/** Text to be taken elsewhere, with a button that copies it. */
export function CodeBlock({ label, code }: { label: string; code: string }) {
  return (
    <div className={classes.block}>
      <div className={classes.head}>
        <span>{label}</span>
        <CopyButton value={code}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="subtle" color="gray" onClick={copy} aria-label={common.copyOf(label)}>
              {copied ? common.copied : common.copy}
            </Button>
          )}
        </CopyButton>
      </div>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long lines scroll, and must do so by key */}
      <pre className={classes.code} tabIndex={0} role="region" aria-label={label}>
        {code}
      </pre>
    </div>
  );
}
