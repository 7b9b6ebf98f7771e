import { UnstyledButton, useComputedColorScheme, useMantineColorScheme, VisuallyHidden } from "@mantine/core";
import { IconMoon, IconSun } from "@tabler/icons-react";
import classes from "./color-scheme-switch.module.css";

export function ColorSchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const shown = useComputedColorScheme("light");
  const other = shown === "dark" ? "light" : "dark";
  const Icon = shown === "dark" ? IconSun : IconMoon;
  return (
    <UnstyledButton className={classes.button} onClick={() => setColorScheme(other)} title={`Use ${other} colors`}>
      <Icon size={17} stroke={1.7} aria-hidden />
      <VisuallyHidden>Use {other} colors</VisuallyHidden>
    </UnstyledButton>
  );
}
