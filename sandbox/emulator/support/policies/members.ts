import { readText, writeWholeSync } from "../../../lib/files.ts";

/** Groups, domains and unknown members. The file is meant to be edited. */
export interface Members {
  /** Members of each group: `user:...`, `serviceAccount:...`, `group:...`. */
  groups: Record<string, string[]>;
  /** Customer id of each Google Workspace domain, which organization policies name. */
  customers: Record<string, string>;
  /** Users and groups that do not exist; all others do. */
  missing: string[];
}

/** Customer of the emulated organization; its members pass the domain restriction. */
export const OWN_CUSTOMER = "C0hyperion";

const SAMPLE: Members = {
  groups: { "developers@example.com": ["user:dana@example.com", "user:lee@example.com"] },
  customers: { "example.com": OWN_CUSTOMER, "partner.example": "C0partner" },
  missing: ["user:gone@example.com", "group:gone@example.com"],
};

/** Reads the file at each call, so that edits take effect immediately. Writes a sample if it does not exist. */
export function readMembers(file: string): Members {
  const text = readText(file);
  if (text === undefined) writeWholeSync(file, `${JSON.stringify(SAMPLE, undefined, 2)}\n`);
  return { ...SAMPLE, ...(JSON.parse(text ?? "{}") as Partial<Members>) };
}
