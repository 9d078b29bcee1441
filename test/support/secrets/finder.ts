import { type KeyObject, verify } from "node:crypto";

export interface Secret {
  name: string;
  /** A long random value. */
  value: string;
}

/** A found secret, without its value. */
export interface Finding {
  secret: string;
  form: "raw" | "base64" | "URL-encoded";
}

interface Needle extends Finding {
  text: string;
}

/** The start of the sandbox's tokens. */
const TOKEN_BEGIN = Buffer.from('{"alg":"RS256",').toString("base64url");

/** Header, payload and the signature of a 2048-bit key. */
const TOKEN = /[\w-]+\.([\w-]+)\.[\w-]{342}/y;

/** Finds known values and tokens with known signatures, in several encodings. */
export class SecretFinder {
  private readonly keys: readonly KeyObject[];
  private readonly needles: Needle[];
  private readonly tokenNeedles = encodings(TOKEN_BEGIN);

  /** @param keys public keys that verify tokens. */
  constructor(secrets: readonly Secret[], keys: readonly KeyObject[]) {
    this.keys = keys;
    this.needles = secrets.flatMap(({ name, value }) => needlesOf(name, value));
  }

  /** Finds each secret once in each form. Ignores white space, because base64 is often wrapped. */
  find(content: Buffer | string): Finding[] {
    const text = content.toString("latin1").replace(/\s+/g, "");
    const found = [...this.needles.filter((needle) => text.includes(needle.text)), ...this.tokens(text)];
    const once = new Map(found.map(({ secret, form }) => [`${secret} ${form}`, { secret, form }]));
    return [...once.values()];
  }

  private tokens(text: string): Finding[] {
    const found = [...positions(text, TOKEN_BEGIN)].flatMap((at) => this.tokenAt(text, at, "raw"));
    for (const { shift, encoded } of this.tokenNeedles) {
      for (const at of positions(text, encoded)) {
        // Decodes from the start of a group of four characters.
        const group = Math.max(0, at - charactersOf(shift));
        const [run = ""] = /^[\w+/=-]*/.exec(text.slice(group, group + 8192)) ?? [];
        const decoded = Buffer.from(run, "base64").toString("latin1");
        for (const begin of positions(decoded, TOKEN_BEGIN))
          found.push(...this.tokenAt(decoded, begin, "base64"));
      }
    }
    return found;
  }

  private tokenAt(text: string, at: number, form: Finding["form"]): Finding[] {
    TOKEN.lastIndex = at;
    const [token = "", payload = ""] = TOKEN.exec(text) ?? [];
    const end = token.lastIndexOf(".");
    const signature = Buffer.from(token.slice(end + 1), "base64url");
    const signed = Buffer.from(token.slice(0, Math.max(end, 0)));
    if (token === "" || !this.keys.some((key) => verify("RSA-SHA256", signed, key, signature))) return [];
    return [{ secret: `a token of ${bearer(payload)}`, form }];
  }
}

function bearer(payload: string): string {
  const { sub } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { sub?: string };
  return sub === undefined || sub === "" ? "nobody" : sub;
}

function* positions(text: string, part: string): Generator<number> {
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) yield at;
}

function needlesOf(name: string, value: string): Needle[] {
  const percent = encodeURIComponent(value);
  const lower = percent.replace(/%../g, (code) => code.toLowerCase());
  return [
    { secret: name, form: "raw", text: value },
    ...[...new Set([percent, lower])]
      .filter((text) => text !== value)
      .map((text) => ({ secret: name, form: "URL-encoded", text }) as const),
    ...encodings(value).map(({ encoded }) => ({ secret: name, form: "base64", text: encoded }) as const),
  ];
}

/** The base64 forms of a value inside longer data: at each offset, without characters that encode neighboring bytes. */
function encodings(value: string): { shift: number; encoded: string }[] {
  return [0, 1, 2].flatMap((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]);
    const whole = Math.floor((bytes.length * 8) / 6);
    return (["base64", "base64url"] as const).map((alphabet) => ({
      shift,
      encoded: bytes.toString(alphabet).slice(charactersOf(shift), whole),
    }));
  });
}

/** How many characters of base64 encode a number of bytes, rounded up. */
function charactersOf(bytes: number): number {
  return Math.ceil((bytes * 8) / 6);
}
