import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** Colors are the page's own properties, so that the editor follows light and dark by itself. */
export const sqlColors = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--k-accent)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--k-warn)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--k-run)" },
  { tag: tags.typeName, color: "var(--k-run)" },
  { tag: [tags.lineComment, tags.blockComment], color: "var(--k-dim)", fontStyle: "italic" },
]);

export const editorTheme = EditorView.theme({
  "&": { fontSize: "0.8125rem", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--k-mono)", lineHeight: "1.6", maxHeight: "46vh" },
  ".cm-content": { caretColor: "var(--k-text)", padding: "10px 0" },
  ".cm-content, .cm-gutter": { minHeight: "200px" },
  ".cm-cursor": { borderLeftColor: "var(--k-text)" },
  ".cm-gutters": { backgroundColor: "var(--k-sunken)", color: "var(--k-dim)", border: "none", borderRight: "1px solid var(--k-line)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--k-accent) 5%, transparent)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--k-accent) 24%, transparent)",
  },
  ".cm-placeholder": { color: "var(--k-dim)" },
  ".cm-tooltip": {
    backgroundColor: "var(--k-panel)",
    border: "1px solid var(--k-line)",
    borderRadius: "7px",
    boxShadow: "0 10px 30px -12px rgb(0 0 0 / 35%)",
    overflow: "hidden",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--k-mono)", fontSize: "0.75rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px", color: "var(--k-text)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--k-accent-soft)",
    color: "var(--k-text)",
  },
  ".cm-completionDetail": { color: "var(--k-dim)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
});
