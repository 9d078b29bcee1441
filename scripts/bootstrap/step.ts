import { messageOf } from "../../problems/wording.ts";

/** A change that is needed. */
export interface Todo {
  what: string;
  /** For a person with the permissions that the caller lacks. */
  commands: readonly string[];
  apply(): Promise<void>;
}

export interface Finding {
  have: readonly string[];
  todo: readonly Todo[];
  /** Facts for the caller that no command can change. */
  notes?: readonly string[];
}

/** What exists already. */
export const found = (what: string): Finding => ({ have: [what], todo: [] });
/** A change that is needed, alone. */
export const open = (todo: Todo): Finding => ({ have: [], todo: [todo] });

/** Merges findings. */
export function together(findings: readonly Finding[]): Finding {
  return {
    have: findings.flatMap(({ have }) => have),
    todo: findings.flatMap(({ todo }) => todo),
    notes: findings.flatMap(({ notes = [] }) => notes),
  };
}

/** A part of the set-up. A run can inspect and apply it at any time, and finishes what an earlier run left. */
export interface Step {
  name: string;
  /** Steps that must be done before this one. */
  needs?: readonly string[];
  inspect(): Promise<Finding>;
}

/** The caller lacks a permission. */
export class PermissionMissing extends Error {
  override readonly name = "PermissionMissing";
}

/** A step cannot be inspected before an earlier step is done. */
export class NotYet extends Error {
  override readonly name = "NotYet";
}

export type Print = (line: string) => void;

/**
 * Prints what exists and what a run would change.
 *
 * @returns how many steps have changes.
 */
export async function plan(steps: readonly Step[], print: Print): Promise<number> {
  let changing = 0;
  for (const step of steps) {
    print(`\n${step.name}`);
    try {
      const { have, todo, notes = [] } = await step.inspect();
      for (const line of have) print(`  = ${line}`);
      for (const line of notes) print(`  ! ${line}`);
      for (const { what } of todo) print(`  + ${what}`);
      if (todo.length > 0) changing += 1;
    } catch (error) {
      if (!(error instanceof NotYet || error instanceof PermissionMissing)) throw error;
      print(`  ${error instanceof NotYet ? "+" : "?"} ${error.message}`);
      changing += 1;
    }
  }
  return changing;
}

/** Names of the steps that are not done, and the commands for a person with the permissions that the caller lacks. */
export interface Undone {
  blocked: readonly string[];
  left: readonly Pick<Todo, "what" | "commands">[];
}

/**
 * Applies all changes, one step after the other. Where the caller lacks a permission, collects the commands and continues
 * with the steps that do not depend on them.
 */
export async function carryOut(steps: readonly Step[], print: Print): Promise<Undone> {
  const left: Pick<Todo, "what" | "commands">[] = [];
  const blocked = new Set<string>();
  for (const step of steps) {
    const waitsFor = step.needs?.find((name) => blocked.has(name));
    if (waitsFor !== undefined) {
      blocked.add(step.name);
      print(`- ${step.name}: after "${waitsFor}"`);
    }
    try {
      const { todo: todos } = await step.inspect();
      if (waitsFor !== undefined) {
        left.push(...todos);
        continue;
      }
      for (const todo of todos) {
        try {
          await todo.apply();
          print(`+ ${todo.what}`);
        } catch (error) {
          // Later changes of the step can fail because of this one.
          if (!(error instanceof PermissionMissing || blocked.has(step.name))) throw error;
          blocked.add(step.name);
          left.push(todo);
          print(`- ${todo.what}: ${messageOf(error)}`);
        }
      }
    } catch (error) {
      if (!(error instanceof NotYet || error instanceof PermissionMissing)) throw error;
      blocked.add(step.name);
      if (waitsFor === undefined) print(`- ${step.name}: ${error.message}`);
    }
  }
  return { blocked: [...blocked], left };
}
