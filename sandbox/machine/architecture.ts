/** An architecture, as Docker and Debian name it. */
export type Architecture = "amd64" | "arm64";

/** The architecture of this machine. */
export const NATIVE: Architecture = process.arch === "arm64" ? "arm64" : "amd64";
