import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { sql, type SQLNamespace } from "@codemirror/lang-sql";
import { bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { engineSql } from "./sql-dialect";
import classes from "./sql-editor.module.css";
import { SQL_FUNCTIONS } from "./sql-functions";
import { editorTheme, sqlColors } from "./sql-theme";

export type Tables = Readonly<Record<string, readonly { name: string; type: string }[]>>;

type SqlEditorProps = {
  value: string;
  tables: Tables;
  onChange: (value: string) => void;
  onRun: () => void;
  onDryRun: () => void;
};

const functions = engineSql.language.data.of({
  autocomplete: SQL_FUNCTIONS.map(({ label, detail }) => ({ label, detail, type: "function", apply: `${label}(` })),
});

function language(tables: Tables) {
  const schema: SQLNamespace = Object.fromEntries(
    Object.entries(tables).map(([table, columns]) => [
      table,
      columns.map(({ name, type }) => ({ label: name, detail: type, type: "property" })),
    ]),
  );
  const names = Object.keys(tables);
  const defaultTable = names.length === 1 ? names[0] : undefined;
  return [sql({ dialect: engineSql, schema, upperCaseKeywords: true, defaultTable }), functions];
}

/** SQL with completion of tables, columns and functions. Tab leaves the editor; Mod-Enter runs. */
export function SqlEditor({ value, tables, onChange, onRun, onDryRun }: SqlEditorProps) {
  const holder = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const knowledge = useRef(new Compartment());
  const calls = useRef({ onChange, onRun, onDryRun });
  const initial = useRef({ value, tables });
  useEffect(() => {
    calls.current = { onChange, onRun, onDryRun };
  });

  useEffect(() => {
    if (holder.current === null) return;
    const call = (name: "onRun" | "onDryRun") => () => {
      calls.current[name]();
      return true;
    };
    const made = new EditorView({
      parent: holder.current,
      state: EditorState.create({
        doc: initial.current.value,
        extensions: [
          Prec.highest(
            keymap.of([
              { key: "Mod-Enter", run: call("onRun") },
              { key: "Shift-Mod-Enter", run: call("onDryRun") },
            ]),
          ),
          lineNumbers(),
          history(),
          drawSelection(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          highlightActiveLine(),
          EditorView.lineWrapping,
          placeholder("SELECT ..."),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
          knowledge.current.of(language(initial.current.tables)),
          syntaxHighlighting(sqlColors),
          editorTheme,
          EditorView.contentAttributes.of({ "aria-label": "SQL", spellcheck: "false" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) calls.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: knowledge.current.reconfigure(language(tables)) });
  }, [tables]);

  useEffect(() => {
    const editor = view.current;
    if (editor === null || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  return <div ref={holder} className={classes.editor} />;
}
