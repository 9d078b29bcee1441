/** Receives progress messages, one short line each. */
export type Progress = (line: string) => void;
