import * as pulumi from "@pulumi/pulumi";
import type { Checked } from "../problems/checks.ts";
import { type Found, lookUp } from "./existence.ts";
import type { GoogleApi } from "./apis.ts";
import { markIn, ownMark } from "./marks.ts";
import { configSet } from "../problems/setting-commands.ts";

/** What becomes of something that the program declares: it is made, or it is there and taken over. */
export type Fate = "create" | "import" | "undelete";

/** Something that the program declares, and what to tell where it is there and somebody else's. */
export interface Declaration {
  api: GoogleApi;
  /** Full name, as the API has it. */
  name: string;
  /** What it is, such as `a repository`. */
  kind: string;
  /** Whether the outputs of the last `up` name it: then it is this stack's, whatever its mark. */
  isNamed: boolean;
  /** Google keeps it for some time after its deletion, with its name taken: it is looked for even where it is named. */
  comesBack?: boolean;
  /** What is known of it, for who has to decide. */
  tell(found: Found): string[] | Promise<string[]>;
  /** Properties that the program has otherwise, and that only a replacement could change. */
  unlike?(found: Found): string[];
  /** The command that gives this stack one of its own instead. */
  anotherOne: string;
  /** The command that takes the mark off. */
  unmark: string;
}

const ADOPT = configSet("adoptExisting", "true");

/** Between the ways to fix a problem. */
const OR = "\n           or ";

/**
 * Looks whether something exists already, and whose it is. Nobody is asked about what the last `up` made. What has this
 * stack's mark is its own, also where the state was lost or an `up` was killed before it could note it; what has none is
 * taken over with `adoptExisting` alone, and what another stack made never. What the caller may not read counts as not found,
 * and that is said: as a warning if nothing else says whose it is.
 */
export async function checkOwnership(
  declaration: Declaration,
  adoptExisting: boolean,
): Promise<Checked<Fate>> {
  const { isNamed, comesBack = false } = declaration;
  if (isNamed && !comesBack) return { found: "create", problems: [] };
  const onForbidden = (answer: string): void => {
    const message = `${declaration.name}: Google answered ${answer}, so whether it exists${isNamed ? " still" : " already"} is not checked.`;
    void (isNamed ? pulumi.log.info(message) : pulumi.log.warn(message));
  };
  const found = await lookUp(declaration.api, declaration.name, { onForbidden });
  if (found === undefined) return { found: "create", problems: [] };
  const mark = markIn(found.description);
  const isOurs = isNamed || mark === ownMark() || (mark === undefined && adoptExisting);
  const unlike = isOurs ? (declaration.unlike?.(found) ?? []) : [];
  if (isOurs && unlike.length === 0)
    return { found: found.state === "DELETED" ? "undelete" : "import", problems: [] };
  const problem = isOurs
    ? {
        found: `${declaration.kind} that could only be replaced, with all that is in it: it has ${unlike.join(" and ")}`,
        allowed: "one that can be taken over in place",
        fix: declaration.anotherOne,
      }
    : {
        found: `${declaration.kind} that ${maker(mark)}: ${(await declaration.tell(found)).join("; ")}`,
        allowed: `what this stack (${ownMark()}) made`,
        fix: (mark === undefined
          ? [`${ADOPT}   # takes it over as it is`, `name another: ${declaration.anotherOne}`]
          : [
              `name one of this stack's own: ${declaration.anotherOne}`,
              `where that stack is gone: ${declaration.unmark} && ${ADOPT}`,
            ]
        ).join(OR),
      };
  return { found: "create", problems: [{ where: declaration.name, ...problem }] };
}

function maker(mark: string | undefined): string {
  return mark === undefined
    ? "exists already, and that no stack is known to have made"
    : `the stack ${mark} made`;
}
