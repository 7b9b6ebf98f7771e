import js from "@eslint/js";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const network = [
  { group: ["@urql/*", "urql", "graphql-ws"], message: "Only api/ knows the network." },
  { group: ["**/api/generated/*"], message: "Import generated types and hooks through api/." },
];

export default tseslint.config(
  { ignores: ["dist", "src/api/generated"] },
  js.configs.recommended,
  {
    files: ["**/*.js"],
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly", fetch: "readonly" } },
  },
  {
    files: ["src/**/*.{ts,tsx}", "e2e/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked, jsxA11y.flatConfigs.recommended, reactHooks.configs.flat["recommended-latest"]],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/consistent-type-assertions": ["error", { assertionStyle: "never" }],
      // The page is not built with the React compiler.
      "react-hooks/incompatible-library": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ["src/ui/**", "src/features/**", "src/*.tsx"],
    rules: { "@typescript-eslint/no-restricted-imports": ["error", { patterns: network }] },
  },
  {
    files: ["src/ui/**"],
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        { patterns: [...network, { group: ["**/api/**", "**/features/**"], message: "ui/ is dumb." }] },
      ],
    },
  },
);
