import { Button, Card, createTheme, Loader, NumberInput, Select, SegmentedControl, TextInput, Tooltip, type MantineColorsTuple } from "@mantine/core";

const pine: MantineColorsTuple = [
  "#ecfbf8",
  "#d7f4ee",
  "#aee9dd",
  "#7fdbc9",
  "#4fc9b3",
  "#27b09a",
  "#13917f",
  "#0f766e",
  "#0c5f59",
  "#0a4b47",
];

const slate: MantineColorsTuple = [
  "#d5dae2",
  "#b4bcc9",
  "#98a2b3",
  "#667080",
  "#3b4452",
  "#2a323e",
  "#1f2630",
  "#161b22",
  "#10141a",
  "#0b0e13",
];

export const theme = createTheme({
  primaryColor: "pine",
  primaryShade: 7,
  colors: { pine, dark: slate },
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, 'SF Mono', Menlo, monospace",
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  defaultRadius: "md",
  radius: { xs: "3px", sm: "5px", md: "7px", lg: "10px", xl: "14px" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.375rem", lineHeight: "1.3" },
      h2: { fontSize: "1rem", lineHeight: "1.4" },
      h3: { fontSize: "0.875rem", lineHeight: "1.4" },
    },
  },
  components: {
    Button: Button.extend({ defaultProps: { size: "sm" } }),
    Card: Card.extend({ defaultProps: { withBorder: true, padding: "md" } }),
    Loader: Loader.extend({ defaultProps: { size: "sm" } }),
    NumberInput: NumberInput.extend({ defaultProps: { size: "sm", hideControls: true } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { size: "xs" } }),
    Select: Select.extend({ defaultProps: { size: "sm", allowDeselect: false, checkIconPosition: "right" } }),
    TextInput: TextInput.extend({ defaultProps: { size: "sm" } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300, withArrow: true } }),
  },
});
