/** Longest value and longest name that a message shows, in characters. */
const LONGEST = { value: 80, name: 200 };

/** What a terminal acts on or does not show: control and format characters, line separators, halves of characters. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** A value for a message: JSON on one line, cut after 80 characters, with nothing that a terminal acts on. */
export function shown(value: unknown): string {
  return printable(value === undefined ? "nothing" : JSON.stringify(value), LONGEST.value);
}

/** A name or a path for a message, as it is but for what a terminal acts on; cut after 200 characters. */
export function shownName(name: string): string {
  return printable(name, LONGEST.name);
}

/** Whether a text can stand in a command to copy: it is short, and all of it shows. */
export function canBeTyped(text: string): boolean {
  return text.length <= LONGEST.name && text.search(UNPRINTABLE) < 0;
}

/** A text as one word of a shell's command line. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : shellQuoted(text);
}

/** A text in single quotes, as a shell reads it back. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function printable(text: string, longest: number): string {
  // No message shows more than the beginning: nothing is escaped that nobody sees.
  const escaped = text.slice(0, longest + 1).replace(UNPRINTABLE, escape);
  if (escaped.length <= longest) return escaped;
  // A cut through a character of two code units would leave a half.
  return `${escaped.slice(0, longest - 3).replace(/[\uD800-\uDBFF]$/, "")}...`;
}

function escape(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
