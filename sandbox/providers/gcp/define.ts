import { checkInputs } from "../rpc/check.ts";
import { type Difference, difference, refreshedInputs } from "../rpc/diff.ts";
import type { Context, Recorded, Resource } from "../rpc/provider.ts";
import { isZero, type Shape } from "../rpc/shape.ts";
import { type Properties, text } from "../rpc/values.ts";
import { type Calls, callsOf } from "./calls.ts";
import type { GoogleClient } from "./client.ts";
import { GoogleError, isNotFound, wrapErrors } from "./errors.ts";
import type { Api } from "./settings.ts";

/** A resource type of this plugin. */
export interface Definition {
  type: string;
  /** The name in errors: `Repository`. */
  noun: string;
  shape: Shape;
  api: Api;
  /** The wanted state: the inputs and values of the provider's settings. Default: the inputs. */
  wanted?(inputs: Properties, client: GoogleClient): Properties;
  /** Differences that do not follow from the shape. */
  moreDifferences?(old: Recorded, wanted: Properties): Difference[];
  /** The outputs in a preview of a create. */
  preview(wanted: Properties, client: GoogleClient): Properties;
  /** The outputs in a preview of an update. Default: the old ones, overwritten by the wanted ones. */
  previewUpdate?(old: Recorded, wanted: Properties): Properties;
  create(wanted: Properties, calls: Calls): Promise<Found>;
  /**
   * Reads a resource. The API's 404 means that it does not exist.
   *
   * @param old undefined on an import.
   */
  read(id: string, old: Omit<Recorded, "id"> | undefined, calls: Calls): Promise<Found | undefined>;
  /** Sends the differences and returns the outputs. Omitted if each property replaces. */
  update?(old: Recorded, wanted: Properties, differences: Difference[], calls: Calls): Promise<Properties>;
  /** The API's 404 counts as success. */
  delete(old: Recorded, calls: Calls): Promise<unknown>;
}

interface Found {
  id: string;
  outputs: Properties;
}

/** @param client called on each use, because the engine configures the plugin after its start. */
export function define(definition: Definition, client: () => GoogleClient): Resource {
  const { type, noun, shape } = definition;
  const calls = ({ signal }: Context): Calls => callsOf(client(), definition.api, signal);
  const wantedOf = (inputs: Properties): Properties => definition.wanted?.(inputs, client()) ?? inputs;
  const differences = (old: Recorded, wanted: Properties): Difference[] => [
    ...difference(shape, wanted, old.outputs),
    ...(definition.moreDifferences?.(old, wanted) ?? []),
  ];
  return {
    type,
    check: (news) => checkInputs(shape, news, type, "gcp"),
    diff: (old, inputs) => differences(old, wantedOf(inputs)),
    preview: (inputs, old) => {
      const wanted = wantedOf(inputs);
      if (old === undefined) return definition.preview(wanted, client());
      return definition.previewUpdate?.(old, wanted) ?? { ...old.outputs, ...wanted };
    },
    create: (inputs, context) =>
      wrapErrors(`Error creating ${noun}`, async () =>
        withId(await definition.create(wantedOf(inputs), calls(context))),
      ),
    read: (id, old, context) =>
      wrapErrors(`Error when reading or editing ${noun} "${id}"`, async () => {
        const found = await unlessNotFound(definition.read(id, old, calls(context)));
        if (found === undefined) return undefined;
        return { ...withId(found), inputs: refreshedInputs(shape, found.outputs, old?.inputs) };
      }),
    update: (old, inputs, context) =>
      wrapErrors(`Error updating ${noun} "${old.id}"`, async () => {
        const wanted = wantedOf(inputs);
        const sent = definition.update?.(old, wanted, differences(old, wanted), calls(context));
        return { ...old.outputs, ...wanted, ...(await sent), id: old.id };
      }),
    delete: (old, context) =>
      wrapErrors(`Error when reading or editing ${noun} "${old.id}"`, async () => {
        await unlessNotFound(definition.delete(old, calls(context)));
      }),
  };
}

/** Bridged plugins also record the id in the outputs. */
function withId(found: Found): Found {
  return { ...found, outputs: { ...found.outputs, id: found.id } };
}

/** Undefined if the API answers 404. */
export async function unlessNotFound<Result>(action: Promise<Result>): Promise<Result | undefined> {
  try {
    return await action;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Fills a template such as `projects/{project}/locations/{location}` with properties. */
export function idOf(template: string, properties: Properties): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => text(properties, name));
}

/** The properties in an id. @throws GoogleError for an import with another form of the id. */
export function idParts(template: string, id: string): Record<string, string> {
  const found = new RegExp(`^${template.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`).exec(id)?.groups;
  if (found) return found;
  const form = template.replace(/\{(\w+?)(Id)?\}/g, (_, name: string) =>
    name.replace(/^.*(?=[A-Z])/, "").toUpperCase(),
  );
  throw new GoogleError(400, `cannot import "${id}": expected an id of the form ${form}`);
}

/** The body of a create or of a masked update: these properties, without empty ones. */
export function bodyOf(wanted: Properties, fields: readonly string[]): Properties {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = wanted[field];
      return value === undefined || isZero(value) ? [] : [[field, value]];
    }),
  );
}

/** The fields that differ, in the given order. */
export function maskOf(differences: Difference[], fields: readonly string[]): string[] {
  const changed = new Set(differences.map(({ path }) => path.split(/[.[]/)[0]));
  return fields.filter((field) => changed.has(field));
}
