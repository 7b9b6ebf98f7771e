import { SQLDialect } from "@codemirror/lang-sql";

/** The engine's SQL, as far as colors and completion go. PostgreSQL's list would make a keyword of `input`. */
export const engineSql = SQLDialect.define({
  keywords:
    "all and any as asc between by case cast cross current day desc distinct else end escape except exclude exists " +
    "extract false fetch filter first following for from full group grouping having hour ilike in inner intersect " +
    "interval is join last lateral left like limit minute month natural not null nulls offset on or order outer over " +
    "partition preceding qualify range recursive replace right rollup row rows second select semi anti sets similar " +
    "then to true try_cast unbounded union unnest using values week when where window with year",
  types:
    "bigint boolean char date decimal double float int integer interval numeric real smallint string text time " +
    "timestamp timestamptz tinyint varchar",
  doubleQuotedStrings: false,
  operatorChars: "+-*/<>=~!@#%^&|`?",
});
