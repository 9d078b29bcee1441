import { messageOf } from "../../problems/wording.ts";

/** Something that is not as it should be. */
export interface Todo {
  what: string;
  /** What somebody who has the right runs in its place. */
  commands: readonly string[];
  apply(): Promise<void>;
}

/** What a step finds. */
export interface Finding {
  have: readonly string[];
  todo: readonly Todo[];
  /** What the person has to know, and no command changes. */
  notes?: readonly string[];
}

/** A part of the set-up. It can be looked at and carried out at any time, however far an earlier run came. */
export interface Step {
  name: string;
  /** Steps without which this one cannot be carried out, or must not be. */
  needs?: readonly string[];
  inspect(): Promise<Finding>;
}

/** The caller lacks a right; whoever has it can do the same. */
export class RightMissing extends Error {
  override readonly name = "RightMissing";
}

/** A step that can say nothing before an earlier one is done. */
export class NotYet extends Error {
  override readonly name = "NotYet";
}

export type Print = (line: string) => void;

/**
 * Prints what there is and what would be done.
 *
 * @returns how many steps have something to do.
 */
export async function plan(steps: readonly Step[], print: Print): Promise<number> {
  let open = 0;
  for (const step of steps) {
    print(`\n${step.name}`);
    try {
      const { have, todo, notes = [] } = await step.inspect();
      for (const line of have) print(`  = ${line}`);
      for (const line of notes) print(`  ! ${line}`);
      for (const { what } of todo) print(`  + ${what}`);
      if (todo.length > 0) open += 1;
    } catch (error) {
      if (!(error instanceof NotYet || error instanceof RightMissing)) throw error;
      print(`  ${error instanceof NotYet ? "+" : "?"} ${error.message}`);
      open += 1;
    }
  }
  return open;
}

/**
 * Carries out what is open, one step after the other. Where the caller lacks a right, the commands are kept for somebody
 * who has it, and what does not depend on them goes on.
 *
 * @returns the commands that are left, by what they do.
 */
export async function carryOut(
  steps: readonly Step[],
  print: Print,
): Promise<{ what: string; commands: readonly string[] }[]> {
  const left: { what: string; commands: readonly string[] }[] = [];
  const blocked = new Set<string>();
  for (const step of steps) {
    const waitsFor = step.needs?.find((name) => blocked.has(name));
    if (waitsFor !== undefined) {
      blocked.add(step.name);
      print(`- ${step.name}: after "${waitsFor}"`);
    }
    try {
      const { todo: open } = await step.inspect();
      if (waitsFor !== undefined) {
        left.push(...open);
        continue;
      }
      for (const todo of open) {
        try {
          await todo.apply();
          print(`+ ${todo.what}`);
        } catch (error) {
          // What follows a refusal in the same step may fail for it.
          if (!(error instanceof RightMissing || blocked.has(step.name))) throw error;
          blocked.add(step.name);
          left.push(todo);
          print(`- ${todo.what}: ${messageOf(error)}`);
        }
      }
    } catch (error) {
      if (!(error instanceof NotYet || error instanceof RightMissing)) throw error;
      blocked.add(step.name);
      if (waitsFor === undefined) print(`- ${step.name}: ${error.message}`);
    }
  }
  return left;
}
