import { type ASTNode, Environment } from "@marcbachmann/cel-js";
import { messageOf } from "../../../problems/wording.ts";

/** An expression does not parse, or fails to evaluate. */
export class CelError extends Error {
  override readonly name = "CelError";
}

const base = new Environment({ unlistedVariablesAreDyn: false }).registerVariable(
  "assertion",
  "map<string, dyn>",
);

// CEL reserves `google` as a namespace, so conditions that use `google.subject` are evaluated under another name.
const GOOGLE = "googleAttributes";

const withMapped = base
  .clone()
  .registerVariable(GOOGLE, "map<string, dyn>")
  .registerVariable("attribute", "map<string, string>");

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

/** Finds the identifier `google` in a tree. */
function googleNodes(value: unknown): ASTNode[] {
  if (Array.isArray(value)) return value.flatMap(googleNodes);
  if (!isNode(value)) return [];
  return value.op === "id" && value.args === "google" ? [value] : googleNodes(value.args);
}

function renameGoogle(expression: string): string {
  return googleNodes(withMapped.parse(expression).ast)
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end }) => text.slice(0, start) + GOOGLE + text.slice(end), expression);
}

/** The variables of an expression. */
export interface CelInput {
  assertion: Record<string, unknown>;
  google?: Record<string, unknown>;
  attribute?: Record<string, string>;
}

const firstLine = (error: unknown): string => messageOf(error).split("\n")[0] ?? "";

/** Checks syntax and types. @throws CelError */
export function checkCel(expression: string, kind: "mapping" | "condition"): void {
  try {
    const result = kind === "condition" ? withMapped.check(renameGoogle(expression)) : base.check(expression);
    if (result.valid) {
      const types = [kind === "condition" ? "bool" : "string", "dyn"];
      if (result.type !== undefined && !types.includes(result.type))
        throw new CelError(`expected type ${types[0] ?? ""}, found ${result.type}`);
      return;
    }
    throw new CelError(firstLine(result.error));
  } catch (error) {
    throw error instanceof CelError ? error : new CelError(firstLine(error));
  }
}

/** @throws CelError, for example if the token lacks a claim. */
export function evaluateCel(expression: string, input: CelInput): unknown {
  try {
    const { assertion, google, attribute } = input;
    return google
      ? withMapped.evaluate(renameGoogle(expression), {
          assertion,
          [GOOGLE]: google,
          attribute: attribute ?? {},
        })
      : base.evaluate(expression, { assertion });
  } catch (error) {
    throw new CelError(firstLine(error));
  }
}

const ofResource = new Environment({ unlistedVariablesAreDyn: false }).registerVariable(
  "resource",
  "map<string, dyn>",
);

/** Evaluates the condition of a custom constraint on a resource. @throws CelError */
export function evaluateOnResource(condition: string, resource: object): boolean {
  try {
    return ofResource.evaluate(condition, { resource }) === true;
  } catch (error) {
    throw new CelError(firstLine(error));
  }
}
