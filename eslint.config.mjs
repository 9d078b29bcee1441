import eslint from "@eslint/js";
import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

/** Test files run what they run by test/support, whose runners keep what is printed from holding a secret. */
const spawning = {
  paths: ["node:child_process", "execa"].map((name) => ({
    name,
    message: "A test runs a command by a runner of test/support, which searches what it prints for secrets.",
  })),
};

export default tseslint.config(
  {
    ignores: [
      "node_modules/",
      ".sandbox/",
      "sandbox/hyperion/",
      "sandbox/infrastructure/",
      "sandbox/base-image/",
      "**/*.mjs",
      "**/*.cjs",
    ],
  },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // An Output in a template literal prints "Calling [toString] on an [Output<T>] is not supported".
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
    },
  },
  {
    files: ["index.ts", "{components,google,problems,settings,scripts,sandbox}/**/*.ts"],
    ignores: ["**/*.test.ts", "problems/setting-commands.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        ...["Literal[value=/hyperion-registry/]", "TemplateElement[value.raw=/hyperion-registry/]"].map(
          (selector) => ({
            selector,
            message: "The namespace of the settings stands in problems/setting-commands.ts alone.",
          }),
        ),
      ],
    },
  },
  {
    files: ["**/*.test.ts", "test/**/*.ts"],
    ignores: ["test/support/**/!(*.test).ts", "test/sandbox/plugins/**"],
    rules: {
      "no-restricted-imports": ["error", spawning],
      // The rule above does not see those.
      "no-restricted-syntax": [
        "error",
        {
          selector: "ImportExpression[source.value=/^(node:child_process|execa)$/]",
          message: spawning.paths[0].message,
        },
      ],
    },
  },
  prettier,
);
