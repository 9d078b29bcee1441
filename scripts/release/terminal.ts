import { createInterface } from "node:readline/promises";

/** Aborted by Ctrl-C or SIGTERM. Programs in the same terminal get Ctrl-C by themselves. */
export const interrupt = new AbortController();

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    interrupt.abort();
  });

/** Asks a question and waits for a line; an empty one at the end of the input, or after Ctrl-C. */
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
    const answer = terminal.question(`\n${question} `, { signal: interrupt.signal });
    return (await Promise.race([answer, closed])).trim();
  } catch (error) {
    if (interrupt.signal.aborted) return "";
    throw error;
  } finally {
    terminal.close();
  }
}

/** Asks a question that a person answers with yes or no. */
export async function agreed(question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(`${question} [y/N]`));
}
