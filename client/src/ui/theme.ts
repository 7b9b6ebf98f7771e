import { createTheme, type MantineColorsTuple } from "@mantine/core";

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
  // The scales of tokens.css, under Mantine's names.
  fontSizes: { xs: "var(--k-text-xs)", sm: "var(--k-text-sm)", md: "var(--k-text-md)", lg: "var(--k-text-lg)", xl: "var(--k-text-xl)" },
  spacing: { xs: "var(--k-space-2)", sm: "var(--k-space-3)", md: "var(--k-space-4)", lg: "var(--k-space-5)", xl: "var(--k-space-6)" },
  respectReducedMotion: true,
  defaultRadius: "md",
  radius: { xs: "var(--k-radius-xs)", sm: "var(--k-radius-sm)", md: "var(--k-radius-md)", lg: "var(--k-radius-lg)", xl: "999px" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "var(--k-text-2xl)", lineHeight: "1.3" },
      h2: { fontSize: "var(--k-text-lg)", lineHeight: "1.4" },
      h3: { fontSize: "var(--k-text-md)", lineHeight: "1.4" },
    },
  },
  // By name, not by component: a theme that imported them would carry every one of them to the first page.
  components: {
    Button: { defaultProps: { size: "sm" } },
    Card: { defaultProps: { withBorder: true, padding: "md" } },
    Loader: { defaultProps: { size: "sm" } },
    Modal: { defaultProps: { closeButtonProps: { "aria-label": "Close" } }, styles: { header: { backgroundColor: "var(--k-panel)" } } },
    NumberInput: { defaultProps: { size: "sm", hideControls: true } },
    PasswordInput: { defaultProps: { size: "sm" } },
    SegmentedControl: { defaultProps: { size: "xs" } },
    Select: { defaultProps: { size: "sm", allowDeselect: false, checkIconPosition: "right" } },
    Textarea: { defaultProps: { size: "sm" } },
    TextInput: { defaultProps: { size: "sm" } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
  },
});
