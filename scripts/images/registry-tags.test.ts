import { expect, test } from "vitest";
import { ImageRegistry } from "../../components/images/registry/image-registry.ts";
import { FakeRegistry, REGISTRY_URL } from "../../test/support/fake-registry.ts";
import { DistributionTags } from "./registry-tags.ts";

const tags = new DistributionTags(new ImageRegistry(REGISTRY_URL, () => Promise.resolve(undefined)), ["ui"]);

test("lists and creates tags at the registry, and does not move existing tags", async () => {
  const fake = new FakeRegistry();
  expect(await tags.read()).toEqual(new Map([["ui", new Map()]]));
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const [one, other] = [fake.add("ui", mediaType, { one: 1 }), fake.add("ui", mediaType, { other: 1 })];
  expect(await tags.create({ image: "ui", tag: "1.4.2", digest: one })).toBe(true);
  expect(await tags.create({ image: "ui", tag: "1.4.2", digest: other })).toBe(false);
  await tags.set({ image: "ui", tag: "1.4", digest: one });
  await tags.set({ image: "ui", tag: "1.4", digest: other });
  expect(await tags.read()).toEqual(
    new Map([
      [
        "ui",
        new Map([
          ["1.4.2", one],
          ["1.4", other],
        ]),
      ],
    ]),
  );
});

test("reports a registry that refuses, instead of returning no tags", async () => {
  const fake = new FakeRegistry();
  fake.failures.push(403);
  await expect(tags.read()).rejects.toThrow(
    `${REGISTRY_URL}/ui\n  found:   the registry answered 403 to a request to list the tags`,
  );
});
