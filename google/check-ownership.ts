import * as pulumi from "@pulumi/pulumi";
import type { Checked } from "../problems/checks.ts";
import { type FoundResource, lookUp } from "./existence.ts";
import type { GoogleApi } from "./apis.ts";
import { readMark, stackMark } from "./marks.ts";
import { configSet, OR } from "../problems/setting-commands.ts";

/** How a declared resource comes under management. */
export type ImportAction = "create" | "import" | "undelete";

/** A resource that the program declares, and how to report one that belongs to another owner. */
export interface Declaration {
  api: GoogleApi;
  /** Full name in the API. */
  name: string;
  /** Kind of resource with its article, such as `a repository`. */
  kind: string;
  /** Whether the outputs of the last `up` name the resource. It then belongs to this stack, whatever its mark. */
  isInLastOutputs: boolean;
  /** Google keeps a deleted resource and its name for some time, so even a resource in the last outputs is looked up. */
  softDeleted?: boolean;
  /** Facts that help a person decide who owns the resource. */
  describe(found: FoundResource): string[] | Promise<string[]>;
  /** Properties that differ from the program's and that only a replacement can change. */
  immutableDifferences?(found: FoundResource): string[];
  /** The command that gives this stack a resource of another name. */
  renameCommand: string;
  /** The command that removes the mark. */
  disownCommand: string;
}

const ADOPT = configSet("adoptExisting", "true");

/**
 * Checks whether a declared resource exists, and who owns it. Skips resources named in the last outputs. Treats 403 as
 * not found, and logs that.
 *
 * - A resource with this stack's mark belongs to this stack, even if the state was lost or an `up` was killed.
 * - An unmarked resource is imported only with `adoptExisting`.
 * - A resource with another stack's mark is never imported.
 */
export async function checkOwnership(
  declaration: Declaration,
  adoptExisting: boolean,
): Promise<Checked<ImportAction>> {
  const { isInLastOutputs, softDeleted = false } = declaration;
  if (isInLastOutputs && !softDeleted) return { found: "create", problems: [] };
  const onForbidden = (answer: string): void => {
    const message = `${declaration.name}: Google answered ${answer}, so whether it exists${isInLastOutputs ? " still" : " already"} is not checked.`;
    void (isInLastOutputs ? pulumi.log.info(message) : pulumi.log.warn(message));
  };
  const found = await lookUp(declaration.api, declaration.name, onForbidden);
  if (found === undefined) return { found: "create", problems: [] };
  const mark = readMark(found.description);
  const isOurs = isInLastOutputs || mark === stackMark() || (mark === undefined && adoptExisting);
  const differences = isOurs ? (declaration.immutableDifferences?.(found) ?? []) : [];
  if (isOurs && differences.length === 0)
    return { found: found.state === "DELETED" ? "undelete" : "import", problems: [] };
  const problem = isOurs
    ? {
        found: `${declaration.kind} that can only be replaced, with all its content: it has ${differences.join(" and ")}`,
        allowed: "one that can be imported in place",
        fix: declaration.renameCommand,
      }
    : {
        found: `${declaration.kind} that ${describeOwner(mark)}: ${(await declaration.describe(found)).join("; ")}`,
        allowed: `a resource of this stack (${stackMark()})`,
        fix: (mark === undefined
          ? [`${ADOPT}   # imports it as it is`, `use another name: ${declaration.renameCommand}`]
          : [
              `use another name: ${declaration.renameCommand}`,
              `if that stack no longer exists: ${declaration.disownCommand} && ${ADOPT}`,
            ]
        ).join(OR),
      };
  return { found: "create", problems: [{ where: declaration.name, ...problem }] };
}

function describeOwner(mark: string | undefined): string {
  return mark === undefined ? "already exists and belongs to no stack" : `belongs to the stack ${mark}`;
}
