import Anser from "anser";

/** Characters per line; longer lines wrap, as in a terminal. */
const COLUMNS = 104;
const CHARACTER_WIDTH = 7.3;
const LINE_HEIGHT = 18;
const MARGIN = 16;

interface Fragment {
  text: string;
  /** SVG attributes, with a leading space. */
  style: string;
}

/**
 * Renders a terminal as SVG, with a background so that it is readable on light and dark pages.
 *
 * @param text what the terminal shows, with ANSI colours.
 * @param description what it shows, in words.
 */
export function terminalPicture(text: string, title: string, description: string): string {
  const lines = text.split("\n").flatMap(wrapped);
  const width = Math.ceil(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN);
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escape(title)}</title>`,
    `<desc id="description">${escape(description)}</desc>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    `<g fill="#e6edf3" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="12" xml:space="preserve">`,
    ...lines.map((line, index) => {
      const spans = line.map(({ text: part, style }) => `<tspan${style}>${escape(part)}</tspan>`).join("");
      return `<text x="${MARGIN}" y="${MARGIN + 13 + index * LINE_HEIGHT}">${spans}</text>`;
    }),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function wrapped(line: string): Fragment[][] {
  const lines: Fragment[][] = [[]];
  let column = 0;
  for (const { content, fg, decorations } of Anser.ansiToJson(line, { json: true, remove_empty: true })) {
    const color = fg ? ` fill="rgb(${fg})"` : "";
    const style = `${color}${decorations.includes("bold") ? ' font-weight="bold"' : ""}`;
    for (let rest = content; rest !== "";) {
      if (column === COLUMNS) {
        lines.push([]);
        column = 0;
      }
      const text = rest.slice(0, COLUMNS - column);
      lines.at(-1)?.push({ text, style });
      column += text.length;
      rest = rest.slice(text.length);
    }
  }
  return lines;
}

function escape(text: string): string {
  return Anser.escapeForHtml(text);
}
