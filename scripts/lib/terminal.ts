import { createInterface } from "node:readline/promises";

const interrupt = new AbortController();

/** Aborted by Ctrl-C at a question, and by signals once `catchSignals` was called. */
export const interrupted = interrupt.signal;

/** Lets SIGINT and SIGTERM abort `interrupted` instead of ending this process. Programs in the same terminal get Ctrl-C too. */
export function catchSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      interrupt.abort();
    });
}

/** Asks a question. Returns the line, or "" at the end of the input and after Ctrl-C. */
export async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on("SIGINT", () => {
    interrupt.abort();
  });
  const closed = new Promise<string>((resolve) =>
    terminal.once("close", () => {
      resolve("");
    }),
  );
  try {
    const answer = terminal.question(`\n${question} `, { signal: interrupted });
    return (await Promise.race([answer, closed])).trim();
  } catch (error) {
    if (interrupted.aborted) return "";
    throw error;
  } finally {
    terminal.close();
  }
}

/** Asks a yes-or-no question; anything but yes is no. */
export async function confirm(question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(`${question} [y/N]`));
}
