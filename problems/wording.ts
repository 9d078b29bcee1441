/** The most characters of a value and of a name in a message. */
const LONGEST = { value: 80, name: 200 };

/** Characters that a terminal interprets or does not show: control, format, separators, lone surrogates. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Formats a value for a message: JSON on one line, shortened to 80 characters, without control characters. */
export function shown(value: unknown): string {
  return printable(value === undefined ? "nothing" : JSON.stringify(value), LONGEST.value);
}

/** Formats a name or a path for a message, shortened to 200 characters, without control characters. */
export function shownName(name: string): string {
  return printable(name, LONGEST.name);
}

/** Whether a text can be part of a command to copy: it is short and has only visible characters. */
export function canBeTyped(text: string): boolean {
  return text.length <= LONGEST.name && text.search(UNPRINTABLE) < 0;
}

/** Quotes a text for a shell if necessary. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : shellQuoted(text);
}

/** Quotes a text for a shell. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function printable(text: string, longest: number): string {
  // Escapes only the part that the message can show.
  const escaped = text.slice(0, longest + 1).replace(UNPRINTABLE, escape);
  if (escaped.length <= longest) return escaped;
  // Removes half of a character that the cut has split.
  return `${escaped.slice(0, longest - 3).replace(/[\uD800-\uDBFF]$/, "")}...`;
}

function escape(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Parses JSON; undefined if it is invalid. An error would quote the text, which can contain a login. */
export function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
