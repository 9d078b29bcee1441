import { readFileSync } from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { ROLES } from "../../sandbox/emulator/support/policies/roles.ts";
import { permissionsOf, JOBS } from "../sandbox/permissions/jobs.ts";

const document = readFileSync(path.resolve(import.meta.dirname, "../../docs/ACCESS.md"), "utf8");
const grants = JOBS.flatMap((job) => job.grants.map((grant) => ({ ...grant, job })));

it("docs/ACCESS.md creates exactly the custom roles of docs/permissions.json", () => {
  const commands = [
    ...document.matchAll(
      /^gcloud iam roles create (\w+) --(project|organization) "\$\w+" --permissions=(\S+)$/gm,
    ),
  ].map(([, role, on, permissions]) => ({ role, on, permissions: permissions?.split(",") }));
  expect(commands).toEqual(
    grants.map((grant) => ({
      role: grant.on === "organization" ? `${grant.job.role}Org` : grant.job.role,
      on: grant.on === "organization" ? "organization" : "project",
      permissions: permissionsOf([grant]),
    })),
  );
});

const withPredefined = grants.filter(({ predefined }) => predefined.length > 0);
describe.each(withPredefined)(
  "the predefined roles for $job.job on the $on",
  ({ predefined, permissions }) => {
    it("include every permission of the job", () => {
      const held = predefined.flatMap((role) => ROLES[role] ?? []);
      expect(permissions.filter((permission) => !held.includes(permission))).toEqual([]);
    });

    it("are all needed", () => {
      for (const role of predefined) {
        const others = predefined.filter((other) => other !== role).flatMap((other) => ROLES[other] ?? []);
        expect(
          permissions.every((permission) => others.includes(permission)),
          role,
        ).toBe(false);
      }
    });
  },
);
