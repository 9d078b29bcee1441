/** Told what is being done, one short line at a time. */
export type Progress = (line: string) => void;
